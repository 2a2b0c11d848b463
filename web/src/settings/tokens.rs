//! API tokens: the ones there are, and a form for another.

use super::link::ShownLink;
use crate::{form::Errors, layout::Page};
use askama::Template;

#[derive(Template)]
#[template(path = "settings/tokens.html")]
pub struct Tokens {
    pub page: Page,
    pub tokens: Vec<TokenRow>,
    /// A token that was made just now.
    pub link: Option<ShownLink>,
    /// What was typed as the name.
    pub name: String,
    pub scopes: Vec<ScopeChoice>,
    pub lives: Vec<LifeChoice>,
    pub errors: Errors,
    /// Where the next page begins.
    pub more: Option<String>,
}

pub struct TokenRow {
    pub id: String,
    pub yours: bool,
    /// Whose it is.
    pub owner: String,
    pub name: String,
    pub prefix: String,
    /// `read, operate`.
    pub scopes: String,
    /// RFC 3339; absent when it was never used.
    pub used: Option<String>,
    /// RFC 3339; absent when it works until it is taken back.
    pub until: Option<String>,
    pub expired: bool,
}

pub struct ScopeChoice {
    pub name: &'static str,
    pub words: &'static str,
    pub chosen: bool,
}

pub struct LifeChoice {
    /// Empty for no end.
    pub days: &'static str,
    pub words: &'static str,
    pub chosen: bool,
}
