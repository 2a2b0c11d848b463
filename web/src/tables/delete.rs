//! The question before a table is deleted.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "tables/delete.html")]
pub struct Delete {
    pub page: Page,
    pub id: String,
    pub name: String,
    pub rows: String,
    /// The workflows that name it: id, name, and whether their running version does.
    pub used_by: Vec<(String, String, bool)>,
}
