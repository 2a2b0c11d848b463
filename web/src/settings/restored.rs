//! What a restored instance would take up again, and the choice.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "settings/restored.html")]
pub struct Restored {
    pub page: Page,
    /// None: nothing is held.
    pub because: Option<String>,
    /// A decision is being carried out.
    pub deciding: bool,
    pub runs: Vec<LiveRow>,
    /// Schedules and polls that start again.
    pub triggers: i64,
}

/// A workflow's runs that have not ended.
pub struct LiveRow {
    pub workspace: String,
    pub workflow: String,
    /// "3 go on at once, 2 wait for a time".
    pub words: String,
}
