//! The question before something that can't be taken back.

use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/confirm.html")]
pub struct Confirm {
    pub page: Page,
    pub question: String,
    /// What it takes along, a sentence each.
    pub consequences: Vec<String>,
    /// Where the form goes.
    pub action: String,
    /// The words on the button.
    pub verb: &'static str,
    /// Where "Keep it" leads.
    pub back: &'static str,
    /// A name that has to be typed; none where a press is enough.
    pub type_this: Option<String>,
    pub errors: Errors,
}
