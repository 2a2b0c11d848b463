//! The page behind an error's code.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "help/error.html")]
pub struct ErrorHelp {
    pub page: Page,
    pub code: &'static str,
    pub status: u16,
    pub meaning: &'static str,
    pub advice: &'static [&'static str],
}
