//! The workspace: its name, its time zone, and who hears that a run failed.

use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/workspace.html")]
pub struct Workspace {
    pub page: Page,
    pub name: String,
    pub time_zone: String,
    /// Groups of time zones, as the drop-down shows them.
    pub zones: Vec<ZoneGroup>,
    pub language: String,
    /// Tags and names, as the drop-down shows them.
    pub languages: &'static [(&'static str, &'static str)],
    /// May this person delete the workspace?
    pub deletes: bool,
    pub alert_mail: String,
    pub alert_url: String,
    /// Can this server send mail at all?
    pub mail_works: bool,
    pub errors: Errors,
}

pub struct ZoneGroup {
    pub region: &'static str,
    /// IANA names.
    pub zones: Vec<&'static str>,
}
