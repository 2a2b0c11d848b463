//! The members of the workspace, and who is invited.

use super::link::ShownLink;
use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/members.html")]
pub struct Members {
    pub page: Page,
    pub members: Vec<MemberRow>,
    pub invitations: Vec<InvitationRow>,
    /// A link that was made just now.
    pub link: Option<ShownLink>,
    /// The roles that this person may give.
    pub roles: Vec<RoleChoice>,
    /// What was typed into the invitation.
    pub email: String,
    pub role: String,
    pub errors: Errors,
    /// Where the next page begins.
    pub more: Option<String>,
}

pub struct MemberRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: &'static str,
    /// RFC 3339; absent when no session of theirs is kept.
    pub seen: Option<String>,
    /// The one who looks at this page.
    pub you: bool,
    /// May the one who looks change this role and remove the person?
    pub editable: bool,
    /// The account can't sign in.
    pub disabled: bool,
}

pub struct InvitationRow {
    pub id: String,
    pub email: String,
    pub role: String,
    pub invited_by: String,
    /// RFC 3339.
    pub until: String,
    /// Too old by now: only a new link helps.
    pub expired: bool,
}

/// A role to choose.
pub struct RoleChoice {
    pub name: &'static str,
    pub words: &'static str,
}
