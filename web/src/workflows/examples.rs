//! How to call a webhook, as programs to copy.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "workflows/examples.html")]
pub struct Examples {
    pub page: Page,
    pub id: String,
    pub workflow: String,
    pub url: String,
    /// How callers prove who they are, in a sentence.
    pub proof: &'static str,
    /// The environment variable that the programs read the secret from; none where nobody has to prove anything.
    pub secret: Option<&'static str>,
    pub programs: Vec<Program>,
}

/// One program.
pub struct Program {
    pub id: &'static str,
    pub title: &'static str,
    pub file: &'static str,
    pub run: &'static str,
    pub code: String,
}
