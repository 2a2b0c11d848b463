//! The question before a connection is deleted.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "connections/delete.html")]
pub struct Delete {
    pub page: Page,
    pub id: String,
    pub name: String,
    /// Workflows that use it: id, name, and whether the version that runs does.
    pub used_by: Vec<(String, String, bool)>,
}

impl Delete {
    pub fn runs(&self) -> bool {
        self.used_by.iter().any(|(_, _, published)| *published)
    }
}
