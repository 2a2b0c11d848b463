//! The page that a person gets in place of the one they asked for.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "help/problem.html")]
pub struct ProblemPage {
    pub page: Page,
    pub detail: String,
    /// Mistakes of single fields, where the detail doesn't say them all.
    pub fields: Vec<String>,
    /// The help page of the error's code.
    pub help: String,
    /// The number under which the log has it.
    pub request: String,
    /// Something broke on our side: the number matters.
    pub ours: bool,
    /// May the person sign in to get further?
    pub sign_in: bool,
}
