//! The form of a row: a field for each column.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "tables/row.html")]
pub struct RowForm {
    pub page: Page,
    pub table: String,
    pub table_name: String,
    /// Absent for a new row.
    pub row: Option<String>,
    pub fields: Vec<Field>,
    /// May this person change it?
    pub edits: bool,
    /// What is wrong that is about no field.
    pub mistake: Option<String>,
    /// RFC 3339.
    pub times: Option<(String, String)>,
}

pub struct Field {
    /// The column's id.
    pub id: String,
    pub name: String,
    pub kind: &'static str,
    pub hint: &'static str,
    pub required: bool,
    pub options: Vec<String>,
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    /// Does its text need more than a line?
    pub fn is_long(&self) -> bool {
        self.kind == "json" || self.value.contains('\n') || self.value.len() > 80
    }
}
