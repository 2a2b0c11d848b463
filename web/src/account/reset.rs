//! A new password by a link.

use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "account/reset.html")]
pub struct Reset {
    pub page: Page,
    pub email: String,
    pub errors: Errors,
}
