//! The first page of the help.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "help/index.html")]
pub struct Index {
    pub page: Page,
    pub version: &'static str,
    /// Codes and titles of the errors.
    pub errors: Vec<(&'static str, &'static str)>,
}
