//! The reference of the API, from its document.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "help/api.html")]
pub struct ApiReference {
    pub page: Page,
    /// The address of this server, for the examples.
    pub origin: String,
    pub groups: Vec<Group>,
}

pub struct Group {
    pub title: String,
    pub anchor: String,
    pub operations: Vec<Operation>,
}

pub struct Operation {
    pub anchor: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub text: String,
    pub parameters: Vec<Field>,
    pub body: Vec<Field>,
    /// A body that somebody could send.
    pub example: Option<String>,
    pub answers: Vec<Answer>,
    /// The statuses of its refusals, with commas between them.
    pub refusals: String,
}

/// One line of a body, with dots for what is inside.
pub struct Field {
    pub name: String,
    /// `string`, `integer or null`, `list of …`.
    pub kind: String,
    pub required: bool,
    pub text: String,
}

pub struct Answer {
    pub status: String,
    pub text: String,
    pub fields: Vec<Field>,
}
