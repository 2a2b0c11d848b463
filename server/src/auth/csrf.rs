//! Did a change come from our own pages? Two locks: the browser's word on the origin, and a token bound to the session.

use super::{
    Settings,
    visit::{Visit, without_port},
};
use crate::problem::{Code, Problem};
use axum::http::{HeaderMap, Method};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use url::Url;

/// The header in which scripts send the token.
pub const HEADER: &str = "x-csrf-token";
/// The field in which forms send it.
pub const FIELD: &str = "csrf";

/// The token of a session. It follows from the session's secret id, so there is nothing to store and nothing to guess, and a
/// new session has a new one.
pub fn token(session_id: &[u8; 32]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(session_id).expect("HMAC takes keys of any length");
    mac.update(b"towpath csrf token");
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// Is this the session's token? Takes the same time whatever was sent.
pub fn token_matches(expected: &str, sent: &str) -> bool {
    expected.as_bytes().ct_eq(sent.as_bytes()).into()
}

/// May a request with this method change something?
pub fn changes_state(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses what a page of another origin sent. Browsers say where a request comes from: `Sec-Fetch-Site` over https and on
/// localhost, `Origin` everywhere. A program that says neither carries no cookies of a browser, so there is nothing to protect.
pub fn check_origin(headers: &HeaderMap, visit: &Visit, settings: &Settings) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let refused = || {
        Err(Problem::new(
            Code::Forbidden,
            "This request was sent by a page of another site, so it was not carried out. Open Towpath itself and try again.",
        ))
    };
    match text("sec-fetch-site") {
        Some("same-origin" | "none") | None => {}
        Some(_) => return refused(),
    }
    match text("origin") {
        None => Ok(()),
        Some(origin) => match Url::parse(origin) {
            Ok(url) if is_ours(&url, visit, settings) => Ok(()),
            _ => refused(),
        },
    }
}

fn is_ours(origin: &Url, visit: &Visit, settings: &Settings) -> bool {
    let authority = authority_of(origin);
    // The scheme is left out of the comparison: a proxy that ends TLS without telling us makes it differ.
    without_port(&authority, "443") == without_port(&visit.authority, "443")
        || settings.public_url.as_ref().is_some_and(|url| url.origin() == origin.origin())
}

/// Host and port, the port left out where it is the scheme's own.
pub fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn check(authority: &str, headers: &[(&'static str, &str)]) -> bool {
        let visit = Visit {
            address: Ipv4Addr::LOCALHOST.into(),
            https: false,
            public: false,
            authority: authority.into(),
            local: true,
            theme: Default::default(),
            request: uuid::Uuid::nil(),
            done: None,
        };
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let settings = Settings { public_url: Some("https://public.example".parse().unwrap()), ..Settings::default() };
        check_origin(&headers, &visit, &settings).is_ok()
    }

    #[test]
    fn our_own_pages_may_change_things() {
        assert!(check("localhost:8080", &[("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")]));
        assert!(check("towpath.example", &[("origin", "http://towpath.example")]));
        assert!(check("towpath.example", &[("origin", "https://towpath.example")]), "TLS ended by a proxy");
        assert!(check("inner:8080", &[("origin", "https://public.example")]));
        assert!(check("localhost:8080", &[]), "a program, not a browser");
    }

    #[test]
    fn pages_of_others_may_not() {
        assert!(!check("localhost:8080", &[("origin", "http://localhost:3000")]));
        assert!(!check("localhost:8080", &[("origin", "null")]));
        assert!(!check("localhost:8080", &[("sec-fetch-site", "cross-site")]));
        assert!(!check("a.example", &[("sec-fetch-site", "same-site"), ("origin", "https://b.example")]));
        assert!(!check("a.example", &[("origin", "http://public.example")]), "the public URL is https");
        assert!(!check("a.example", &[("origin", "https://a.example.evil.example")]));
    }

    #[test]
    fn a_token_belongs_to_one_session() {
        let (one, other) = (token(&[1; 32]), token(&[2; 32]));
        assert!(token_matches(&one, &one) && !token_matches(&one, &other) && !token_matches(&one, ""));
    }
}
