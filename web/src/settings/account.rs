//! One's own account: name, password, sessions.

use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/account.html")]
pub struct Account {
    pub page: Page,
    pub name: String,
    pub email: String,
    pub errors: Errors,
    pub sessions: Vec<SessionRow>,
    /// Is the person in several workspaces?
    pub several: bool,
    /// The one that this page was opened in.
    pub workspace: String,
}

/// One browser that is signed in.
pub struct SessionRow {
    /// Names the session in forms; signs nobody in.
    pub key: String,
    /// "Firefox on Linux".
    pub device: String,
    pub address: String,
    /// The name of the workspace that it is in.
    pub workspace: String,
    /// RFC 3339.
    pub signed_in: String,
    pub seen: String,
    /// The one that looks at this page.
    pub current: bool,
}
