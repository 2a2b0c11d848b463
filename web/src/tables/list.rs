//! The list of data tables.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "tables/list.html")]
pub struct List {
    pub page: Page,
    pub rows: Vec<Row>,
    /// May this person make tables?
    pub edits: bool,
    /// The name of the last row, when there are more.
    pub after: Option<String>,
}

pub struct Row {
    pub id: String,
    pub name: String,
    /// The names of its columns.
    pub columns: String,
    pub rows: String,
    /// RFC 3339.
    pub updated_at: String,
}
