//! The first start: the owner's account.

use crate::{form::Errors, layout::Page};
use askama::Template;

/// The form that makes the owner.
#[derive(Template)]
#[template(path = "account/setup.html")]
pub struct Setup {
    pub page: Page,
    pub token: String,
    pub name: String,
    pub email: String,
    pub time_zone: String,
    pub language: String,
    pub errors: Errors,
}

/// Without the token: where to find it.
#[derive(Template)]
#[template(path = "account/setup_locked.html")]
pub struct SetupLocked {
    pub page: Page,
    /// A token was given, and it is not the right one.
    pub wrong: bool,
    /// The start of the address to look for.
    pub address: String,
}
