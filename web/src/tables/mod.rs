//! Data tables for people: the list, one table with its rows, the forms of a row, of the columns, of a file.

pub mod columns;
pub mod delete;
pub mod import;
pub mod list;
pub mod new;
pub mod row;
pub mod show;
