//! Variables: the ones there are, a form for one more, and one to change.

use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/variables.html")]
pub struct Variables {
    pub page: Page,
    pub rows: Vec<Row>,
    /// May this person change them?
    pub edits: bool,
    /// What was typed for one more.
    pub filled: Filled,
    pub errors: Errors,
}

pub struct Row {
    pub name: String,
    pub kind: &'static str,
    /// The value in a line.
    pub shown: String,
    pub note: String,
    /// The workflows that read it: id and name.
    pub used_by: Vec<(String, String)>,
}

/// The form of a variable, with what was typed.
pub struct Filled {
    pub name: String,
    pub kind: &'static str,
    pub kinds: Vec<(&'static str, &'static str)>,
    pub text: String,
    pub number: String,
    pub yes: bool,
    pub json: String,
    pub note: String,
}

#[derive(Template)]
#[template(path = "settings/variable.html")]
pub struct EditVariable {
    pub page: Page,
    /// As it is called now.
    pub name: String,
    /// The workflows that read it: id, name, and whether their running version does.
    pub used_by: Vec<(String, String, bool)>,
    pub filled: Filled,
    pub errors: Errors,
}

#[derive(Template)]
#[template(path = "settings/delete_variable.html")]
pub struct DeleteVariable {
    pub page: Page,
    pub name: String,
    pub used_by: Vec<(String, String, bool)>,
}
