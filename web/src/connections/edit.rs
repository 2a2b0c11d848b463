//! The form of a connection, for a new one and for one that is there.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "connections/edit.html")]
pub struct Edit {
    pub page: Page,
    /// Absent for a new one.
    pub existing: Option<Existing>,
    pub connector: String,
    pub service: String,
    pub icon: String,
    /// Where the service describes itself.
    pub docs: Option<String>,
    /// The ways to authenticate that a new one can choose from: id, title.
    pub ways: Vec<(String, String)>,
    pub auth: String,
    pub auth_title: String,
    /// Where a person finds what is asked for.
    pub help: String,
    pub name: String,
    pub name_error: Option<String>,
    pub fields: Vec<FieldView>,
    /// Where secrets may go: to be entered, or fixed.
    pub hosts: HostsView,
    pub for_everybody: bool,
    /// Whom it can be shared with: id, name, address, chosen.
    pub people: Vec<(String, String, String, bool)>,
    pub people_error: Option<String>,
    /// Does it belong to whoever looks?
    pub own: bool,
    /// May this person change it?
    pub manages: bool,
    /// A mistake that belongs to no field.
    pub mistake: Option<String>,
}

/// What is known of a connection that is there.
pub struct Existing {
    pub id: String,
    pub owner: String,
    pub health: &'static str,
    pub tone: &'static str,
    pub checked_at: Option<String>,
    pub last_error: Option<String>,
    /// Runs that wait until the service takes it again.
    pub waiting: i64,
    pub account: Option<String>,
    pub used_at: Option<String>,
    /// Workflows that use it: id, name, and whether the version that runs does.
    pub used_by: Vec<(String, String, bool)>,
    pub test: Test,
    /// May this person use it?
    pub usable: bool,
}

/// How it is tested.
pub enum Test {
    /// There is no test.
    None,
    /// By a press of the button.
    Button,
    /// The person names the address to try.
    Address { url: String, error: Option<String> },
}

pub enum HostsView {
    /// The owner names them.
    Entered { text: String, error: Option<String> },
    /// The connector fixes them, or a field names the server.
    Fixed(Vec<String>),
}

pub struct FieldView {
    pub name: String,
    pub title: String,
    pub help: String,
    pub kind: FieldKind,
    pub required: bool,
    pub placeholder: String,
    /// Never a secret's.
    pub value: String,
    /// What is known of a secret that is set: `set, ends in 4f2a`.
    pub set: Option<String>,
    pub error: Option<String>,
}

pub enum FieldKind {
    Text,
    Secret,
    Number,
    Multiline,
    Switch,
    /// Values and titles.
    Choice(Vec<(String, String)>),
}

impl Edit {
    pub fn action(&self) -> String {
        match &self.existing {
            Some(existing) => format!("/connections/{}", existing.id),
            None => "/connections".to_owned(),
        }
    }
}
