//! Sign-in.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "account/sign_in.html")]
pub struct SignIn {
    pub page: Page,
    pub email: String,
    /// Where to go afterwards: a path of ours.
    pub next: String,
    /// Why it did not work, in a sentence.
    pub refused: Option<String>,
}

/// The password was right, and the browser did not keep the cookie.
#[derive(Template)]
#[template(path = "account/no_cookie.html")]
pub struct NoCookie {
    pub page: Page,
    pub next: String,
    /// Secure cookies were sent: the address in the browser must be https.
    pub https: bool,
    pub address: String,
}
