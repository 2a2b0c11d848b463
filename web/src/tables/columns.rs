//! The form of a table's name, columns and key.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "tables/columns.html")]
pub struct Columns {
    pub page: Page,
    pub id: String,
    pub name: String,
    pub columns: Vec<ColumnView>,
    pub kinds: Vec<(&'static str, &'static str)>,
    pub mistake: Option<String>,
    /// The names of the workflows that name the table.
    pub used_by: Vec<(String, String)>,
    pub rows: i32,
}

pub struct ColumnView {
    /// Empty for one that isn't there yet.
    pub id: String,
    pub name: String,
    pub kind: String,
    pub kind_title: &'static str,
    pub required: bool,
    pub key: bool,
    /// A line each.
    pub options: String,
    pub removed: bool,
}
