//! Is this server reached where people and services look for it?

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "settings/reachability.html")]
pub struct Reachability {
    pub page: Page,
    /// RFC 3339; none before the first look.
    pub checked_at: Option<String>,
    /// In a sentence: do webhooks reach us?
    pub webhooks: &'static str,
    pub findings: Vec<FindingRow>,
    pub held: Option<Held>,
}

/// One thing that was looked at.
pub struct FindingRow {
    pub about: &'static str,
    /// `ok`, `wait`, `bad` or empty, as badges are coloured.
    pub tone: &'static str,
    /// The word on the badge.
    pub word: &'static str,
    pub said: String,
    pub advice: Option<String>,
}

/// The instance came from a backup and waits.
pub struct Held {
    pub because: String,
}
