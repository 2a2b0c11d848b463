//! Where a redirect leads and what goes along: a pure decision. It doesn't check addresses (every connection is checked) and doesn't
//! count hops.

use ::http::{HeaderMap, Method, StatusCode, header};
use bytes::Bytes;
use towpath_connectors::sdk::mask;
use url::Url;

/// One request on the way to an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hop {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What to do after an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// It is the answer.
    Stay,
    Go(Box<Hop>),
    /// The redirect leads somewhere that isn't HTTP, or nowhere that can be read.
    Astray(String),
}

/// As browsers do (the Fetch standard): 303 turns everything but HEAD into GET, 301 and 302 turn POST into GET, 307 and 308 keep the
/// request. On another origin nothing goes along that identifies the sender.
pub(super) fn next(hop: &Hop, status: StatusCode, answer: &HeaderMap) -> Next {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Next::Stay;
    }
    let Some(location) = answer.get(header::LOCATION) else { return Next::Stay };
    let text = String::from_utf8_lossy(location.as_bytes());
    let Ok(mut url) = hop.url.join(&text) else { return Next::Astray(text.into_owned()) };
    if !matches!(url.scheme(), "http" | "https") {
        return Next::Astray(text.into_owned());
    }
    // A user name in a Location header isn't ours to send.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.fragment().is_none() {
        url.set_fragment(hop.url.fragment());
    }
    let mut to = Hop { url, ..hop.clone() };
    let becomes_get = match status.as_u16() {
        303 => hop.method != Method::HEAD && hop.method != Method::GET,
        301 | 302 => hop.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        to.method = Method::GET;
        to.body = Bytes::new();
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION] {
            to.headers.remove(name);
        }
    }
    if to.url.origin() != hop.url.origin() {
        let secret: Vec<_> = to.headers.keys().filter(|name| mask::is_secret_header(name.as_str())).cloned().collect();
        for name in secret {
            to.headers.remove(name);
        }
    }
    Next::Go(Box::new(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method, url: &str) -> Hop {
        let headers = [
            ("authorization", "Bearer s"),
            ("cookie", "a=b"),
            ("x-api-key", "k"),
            ("content-type", "text/plain"),
            ("idempotency-key", "1"),
            ("accept", "text/csv"),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Hop { method, url: url.parse().unwrap(), headers, body: Bytes::from_static(b"x") }
    }

    fn follow(method: Method, url: &str, status: u16, location: &str) -> Next {
        let answer = HeaderMap::from_iter([(header::LOCATION, location.parse().unwrap())]);
        next(&hop(method, url), StatusCode::from_u16(status).unwrap(), &answer)
    }

    #[test]
    fn methods_change_as_browsers_change_them() {
        let table = [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::POST, 303, Method::GET, false),
            (Method::POST, 307, Method::POST, true),
            (Method::POST, 308, Method::POST, true),
            (Method::PUT, 301, Method::PUT, true),
            (Method::PUT, 303, Method::GET, false),
            (Method::DELETE, 302, Method::DELETE, true),
            (Method::HEAD, 303, Method::HEAD, true),
            (Method::GET, 302, Method::GET, true),
        ];
        for (method, status, expected, keeps_body) in table {
            let Next::Go(to) = follow(method.clone(), "https://a.example/x", status, "/y") else { panic!("{method} {status}") };
            assert_eq!((to.method, !to.body.is_empty()), (expected, keeps_body), "{method} {status}");
            assert_eq!(to.headers.contains_key("content-type"), keeps_body, "{method} {status}");
            assert!(to.headers.contains_key("authorization"), "same origin keeps it");
        }
    }

    #[test]
    fn what_identifies_the_sender_stays_on_its_origin() {
        for location in
            ["https://b.example/", "http://a.example/", "https://a.example:8443/", "//b.example", "https://u:p@b.example/"]
        {
            let Next::Go(to) = follow(Method::GET, "https://a.example/x", 302, location) else { panic!("{location}") };
            for name in ["authorization", "cookie", "x-api-key"] {
                assert!(!to.headers.contains_key(name), "{name} went to {location}");
            }
            assert!(to.headers.contains_key("accept") && to.headers.contains_key("idempotency-key"));
            assert_eq!(to.url.username(), "");
        }
        let Next::Go(to) = follow(Method::GET, "https://a.example/x", 302, "https://a.example:443/y") else { panic!() };
        assert!(to.headers.contains_key("authorization"));
    }

    #[test]
    fn a_redirect_leads_to_http_or_nowhere() {
        for location in ["file:///etc/passwd", "gopher://x/", "ftp://x/", "javascript:alert(1)", "http://[bad", "https://"] {
            assert!(matches!(follow(Method::GET, "https://a.example/", 302, location), Next::Astray(_)), "{location}");
        }
    }

    #[test]
    fn other_answers_are_answers() {
        for status in [200, 201, 300, 304, 305, 306, 404, 500] {
            assert_eq!(follow(Method::GET, "https://a.example/", status, "/x"), Next::Stay, "{status}");
        }
        let without = next(&hop(Method::GET, "https://a.example/"), StatusCode::FOUND, &HeaderMap::new());
        assert_eq!(without, Next::Stay);
    }
}
