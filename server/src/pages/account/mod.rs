//! Getting in and out: the first start, invitations, sign-in, sign-out, another workspace, and the choice of light or dark.

pub mod invitation;
pub mod reset;
pub mod setup;
pub mod sign_in;
pub mod sign_out;
pub mod switch;
pub mod theme;

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// Adds a `Set-Cookie` to a response.
pub(super) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// A path of ours to go to, from what a form or a link says. Anything that could lead elsewhere (`//host`, `/\host`, a scheme)
/// becomes the home page.
pub fn local_path(next: &str) -> &str {
    let plain = next.starts_with('/') && !next.starts_with("//") && !next.chars().any(|c| c.is_control() || c == '\\');
    if plain && !next.starts_with("/sign-") && next.len() <= 2_000 { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_leads_nowhere_but_to_our_own_pages() {
        for ours in ["/", "/runs?state=failed", "/workflows/0199#x"] {
            assert_eq!(local_path(ours), ours);
        }
        for other in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "javascript:alert(1)",
            "/\t/evil",
            "/sign-out",
            "runs",
        ] {
            assert_eq!(local_path(other), "/", "{other:?}");
        }
    }
}
