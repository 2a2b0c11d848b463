//! The instance: who has an account, which workspaces there are.

use super::link::ShownLink;
use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/instance.html")]
pub struct Instance {
    pub page: Page,
    pub people: Vec<PersonRow>,
    pub workspaces: Vec<WorkspaceRow>,
    /// A link that was made just now.
    pub link: Option<ShownLink>,
    /// What was typed as the name of a new workspace.
    pub name: String,
    pub errors: Errors,
    /// Where the next page of people begins.
    pub more_people: Option<String>,
    /// Where the next page of workspaces begins.
    pub more_workspaces: Option<String>,
}

pub struct PersonRow {
    pub id: String,
    pub name: String,
    pub email: String,
    /// `Home (owner), Sales (viewer)`; empty for none.
    pub workspaces: String,
    pub owner: bool,
    pub disabled: bool,
    /// The one who looks at this page.
    pub you: bool,
}

pub struct WorkspaceRow {
    pub id: String,
    pub name: String,
    pub owners: String,
    /// "3 members, 12 workflows".
    pub figures: String,
}
