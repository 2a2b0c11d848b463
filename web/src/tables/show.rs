//! One data table: a filter, its rows in pages, and what can be done with it.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "tables/show.html")]
pub struct Show {
    pub page: Page,
    pub id: String,
    pub name: String,
    pub count: String,
    pub columns: Vec<Head>,
    pub rows: Vec<Row>,
    /// May this person change it?
    pub edits: bool,
    pub filter: FilterView,
    /// How many rows the filter leaves; none without a filter.
    pub found: Option<String>,
    /// The workflows that name it: id and name.
    pub used_by: Vec<(String, String)>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// Is this a page after the first?
    pub further: bool,
}

pub struct Head {
    pub name: String,
    /// Numbers stand at the right.
    pub end: bool,
    pub key: bool,
}

pub struct Row {
    pub id: String,
    pub cells: Vec<Cell>,
}

pub struct Cell {
    pub text: String,
    pub end: bool,
}

/// The filter as it was sent.
pub struct FilterView {
    pub columns: Vec<String>,
    pub column: String,
    pub operators: Vec<(&'static str, &'static str)>,
    pub is: String,
    pub to: String,
    pub newest: bool,
    pub active: bool,
    pub wrong: Option<String>,
    /// The query string that asks for the same.
    pub query: String,
}
