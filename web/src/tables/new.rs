//! The form of a new data table: a name and columns, or a file that has both.

use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "tables/new.html")]
pub struct New {
    pub page: Page,
    pub name: String,
    pub columns: Vec<NewColumn>,
    pub kinds: Vec<(&'static str, &'static str)>,
    pub csv: String,
    pub errors: Errors,
}

pub struct NewColumn {
    pub name: String,
    pub kind: String,
}
