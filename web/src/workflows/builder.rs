//! The builder's page. The server draws the frame and the name; everything else is the element `tp-builder`'s.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "workflows/builder.html")]
pub struct Builder {
    pub page: Page,
    pub id: String,
    pub name: String,
    /// May this person change the workflow?
    pub edits: bool,
    /// May this person publish, pause and resume it?
    pub publishes: bool,
    /// May this person start runs?
    pub operates: bool,
}
