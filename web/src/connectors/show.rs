//! One connector: what it does, how to connect, each operation with its fields and a sample.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "connectors/show.html")]
pub struct Show {
    pub page: Page,
    pub id: String,
    pub name: String,
    pub icon: String,
    pub sentence: String,
    pub docs: Option<String>,
    /// Where it may send anything; empty: wherever people say.
    pub hosts: Vec<String>,
    pub sign_in: Vec<SignIn>,
    /// May this person make a connection?
    pub connects: bool,
    /// The help page as HTML.
    pub help: Option<String>,
    pub triggers: Vec<Operation>,
    pub actions: Vec<Operation>,
}

pub struct SignIn {
    pub title: String,
    pub help: String,
    pub fields: Vec<String>,
}

pub struct Operation {
    pub name: String,
    pub title: String,
    pub sentence: String,
    pub help: String,
    /// What a repeat does, in words; none for what has no effect outside.
    pub repeat: Option<&'static str>,
    pub fields: Vec<Field>,
    /// JSON, indented.
    pub sample: String,
}

pub struct Field {
    pub title: String,
    pub help: String,
    pub required: bool,
    pub kind: &'static str,
}
