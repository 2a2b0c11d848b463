//! What must not be shown of a request or an answer: headers and address parameters whose names say that they hold a secret. It judges
//! names only; values that a vault knows are scrubbed elsewhere, by content.

use http::HeaderMap;
use towpath_engine::{Json, Object};
use url::Url;

/// What stands in a secret's place.
pub const MASK: &str = "***";

const SECRET_ENDS: [&str; 9] = ["key", "token", "secret", "password", "passwd", "pwd", "signature", "auth", "credential"];

/// Does a header of this name hold a secret? `Idempotency-Key` and the like don't.
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "authorization" | "proxy-authorization" | "cookie" | "set-cookie" => true,
        "idempotency-key" | "surrogate-key" | "sec-websocket-key" | "x-cache-key" => false,
        _ => ends_like_a_secret(&name),
    }
}

/// Does a parameter of an address hold a secret?
pub fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "sig" || ends_like_a_secret(&name)
}

fn ends_like_a_secret(name: &str) -> bool {
    SECRET_ENDS.iter().any(|end| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_', '.'])))
        || ["apikey", "accesstoken", "authtoken", "clientsecret"].iter().any(|end| name.ends_with(end))
}

/// Headers as the run page shows them: names in lower case, several of one name with commas between them, secrets masked. What an
/// `Authorization` header says before the blank (`Bearer`, `Basic`) stays.
pub fn headers(headers: &HeaderMap) -> Json {
    let mut shown = Object::new();
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        let text = if !is_secret_header(name.as_str()) {
            text.into_owned()
        } else {
            match text.split_once(' ') {
                Some((scheme, _)) if name.as_str().ends_with("authorization") => format!("{scheme} {MASK}"),
                _ => MASK.to_owned(),
            }
        };
        match shown.get_mut(name.as_str()) {
            Some(Json::String(before)) => {
                before.push_str(", ");
                before.push_str(&text);
            }
            _ => {
                shown.insert(name.as_str().to_owned(), text.into());
            }
        }
    }
    Json::Object(shown)
}

/// An address as the run page shows it.
pub fn url(url: &Url) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        let _ = shown.set_username(MASK);
        let _ = shown.set_password(None);
    }
    if url.query_pairs().any(|(name, _)| is_secret_parameter(&name)) {
        shown.query_pairs_mut().clear().extend_pairs(
            url.query_pairs().map(|(name, value)| if is_secret_parameter(&name) { (name, MASK.into()) } else { (name, value) }),
        );
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_tell_secrets_apart() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "Set-Cookie",
            "X-Api-Key",
            "x-auth-token",
            "X-Gitlab-Token",
            "ApiKey",
            "X-Amz-Security-Token",
            "Private-Token",
            "X-Hub-Signature",
            "X-Shopify-Access-Token",
            "api_key",
            "token",
            "X-Auth",
            "DD-API-KEY",
        ] {
            assert!(is_secret_header(name), "{name}");
        }
        for name in ["Accept", "Idempotency-Key", "Content-Type", "User-Agent", "X-Monkey", "X-Request-Id", "ETag", "Tokens-Left"]
        {
            assert!(!is_secret_header(name), "{name}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let mut map = HeaderMap::new();
        map.append("authorization", "Bearer abc".parse().unwrap());
        map.append("x-api-key", "abc".parse().unwrap());
        map.append("accept", "a/b".parse().unwrap());
        map.append("accept", "c/d".parse().unwrap());
        assert_eq!(headers(&map), json!({ "authorization": "Bearer ***", "x-api-key": "***", "accept": "a/b, c/d" }));
        let shown = url(&"https://me:pw@x.example/p?page=2&api_key=abc&q=a%20b".parse().unwrap());
        assert_eq!(shown, "https://***@x.example/p?page=2&api_key=***&q=a+b");
        assert_eq!(url(&"https://x.example/p?q=a%20b".parse().unwrap()), "https://x.example/p?q=a%20b");
    }
}
