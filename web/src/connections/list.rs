//! The list of connections: whose, for what, and how they are.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "connections/list.html")]
pub struct List {
    pub page: Page,
    pub rows: Vec<Row>,
    /// May this person make connections?
    pub builds: bool,
    /// The name of the last row, when there are more.
    pub after: Option<String>,
}

pub struct Row {
    pub id: String,
    pub name: String,
    pub service: String,
    pub icon: String,
    /// Whose account it is, as the service says.
    pub account: Option<String>,
    pub owner: String,
    /// Who may use it, in words.
    pub sharing: String,
    /// The names of the workflows that use it.
    pub used_by: Vec<String>,
    pub health: &'static str,
    /// The tone of its badge.
    pub tone: &'static str,
    /// When it was last found to be so; RFC 3339.
    pub checked_at: Option<String>,
}

impl Row {
    /// Where it is used, in a few words.
    pub fn used(&self) -> String {
        match self.used_by.as_slice() {
            [] => "Not used yet".to_owned(),
            [one] => one.clone(),
            [one, other] => format!("{one}, {other}"),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        }
    }
}

/// The tone in which a health is shown.
pub fn tone(health: &str) -> &'static str {
    match health {
        "works" => "ok",
        "expired" | "revoked" | "missing_scope" => "bad",
        "unreachable" => "wait",
        _ => "",
    }
}
