//! Connections for people: the list, a form for new ones and for those that are there, a test, the question before deleting.

pub mod delete;
pub mod edit;
pub mod list;
pub mod new;
pub mod test;
