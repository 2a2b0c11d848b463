//! How to turn on https.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "help/https.html")]
pub struct Https {
    pub page: Page,
    /// The name under which this page was opened.
    pub host: String,
}
