//! What an invited person sees.

use crate::{form::Errors, layout::Page};
use askama::Template;

/// A link that works.
#[derive(Template)]
#[template(path = "account/invitation.html")]
pub struct Invitation {
    pub page: Page,
    pub inviter: String,
    pub workspace: String,
    pub role: &'static str,
    /// What the role may, in a few words.
    pub words: &'static str,
    pub email: String,
    pub how: How,
    /// What was typed as the name.
    pub name: String,
    pub errors: Errors,
}

/// How the invited person gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The address has no account yet.
    NewAccount,
    /// It has one, and nobody is signed in here, or somebody else.
    Password { signed_in_as: Option<String> },
    /// The invited person is signed in.
    OnePress,
}

/// A link that doesn't work (any more).
#[derive(Template)]
#[template(path = "account/void_link.html")]
pub struct VoidLink {
    pub page: Page,
    pub title: &'static str,
    /// Why that may be, a sentence each.
    pub reasons: &'static [&'static str],
    /// What to do, in a sentence.
    pub advice: &'static str,
}
