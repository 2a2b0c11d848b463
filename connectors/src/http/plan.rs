//! From a step's input to the request it means. Pure: files stay references, nothing is sent, and every mistake names its field.

use crate::sdk::{
    Redirects,
    value::{self, FileValue},
};
use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use towpath_engine::{Json, Object, error::StepError};
use url::Url;

/// The largest answer that a step reads, unpacked.
pub const MAX_RESPONSE: usize = 5 * 1024 * 1024;

/// Every try of a POST or PATCH carries it, with the same value.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the connection itself is made of; a step that set these could make one request look like two.
const OURS: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

/// A request whose files are still references.
#[derive(Clone, Debug)]
pub struct Plan {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Body,
    pub redirects: Redirects,
    pub fail_on_error: bool,
}

#[derive(Clone, Debug)]
pub enum Body {
    Empty,
    Bytes(Bytes),
    File(FileValue),
    Multipart(Vec<Part>),
}

#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Text(String),
    File(FileValue),
}

impl Plan {
    pub fn from_input(input: &Object) -> Result<Self, StepError> {
        let method = method(input)?;
        let (url, authorization) = address(input)?;
        let mut headers = headers(input)?;
        if let Some(authorization) = authorization {
            headers.entry(header::AUTHORIZATION).or_insert(authorization);
        }
        // The form shows no body for the others, and what the form doesn't show isn't sent.
        let carries = matches!(method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
        let (body, content_type) = if carries { body(input)? } else { (Body::Empty, None) };
        match (&body, content_type) {
            // Its boundary is the door's to choose.
            (Body::Multipart(_), _) => {
                headers.remove(header::CONTENT_TYPE);
            }
            (_, Some(content_type)) => {
                let value = HeaderValue::from_str(&content_type).map_err(|_| {
                    StepError::invalid_input(format!("\"{content_type}\" can't be a content type.")).field("content_type")
                })?;
                headers.entry(header::CONTENT_TYPE).or_insert(value);
            }
            _ => {}
        }
        Ok(Self {
            method,
            url,
            headers,
            body,
            redirects: if value::switch(input, "follow_redirects", true)? { Redirects::Follow } else { Redirects::Stop },
            fail_on_error: value::switch(input, "fail_on_error", true)?,
        })
    }

    /// Does a repeat of it need a key by which the other side can recognise it?
    pub fn wants_key(&self) -> bool {
        matches!(self.method, Method::POST | Method::PATCH) && !self.headers.contains_key(IDEMPOTENCY_KEY)
    }
}

fn method(input: &Object) -> Result<Method, StepError> {
    let text = value::text_field(input, "method").trim().to_ascii_uppercase();
    match text.as_str() {
        "" => Ok(Method::GET),
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => {
            text.parse().map_err(|_| StepError::invalid_input(format!("\"{text}\" is not a method.")).field("method"))
        }
        _ => Err(StepError::invalid_input(format!("\"{text}\" is not a method that a request can have here.")).field("method")),
    }
}

/// The address with `query` added to it; a user name and password in it become a header.
fn address(input: &Object) -> Result<(Url, Option<HeaderValue>), StepError> {
    let refuse = |message: String| StepError::invalid_input(message).field("url");
    let text = value::text_field(input, "url");
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse("The address is empty.".into()));
    }
    let mut url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            refuse(format!("The address \"{text}\" is not complete. It starts with https:// or http://."))
        }
        error => refuse(format!("\"{text}\" is not an address: {error}.")),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse(format!("The address starts with {}://. Only https:// and http:// can be called.", url.scheme())));
    }
    let mut authorization = None;
    if !url.username().is_empty() || url.password().is_some() {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
        let pair = [decode(url.username()), decode(url.password().unwrap_or_default())].join(&b':');
        let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        authorization = HeaderValue::from_str(&value).ok();
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    let query = value::pairs(input, "query")?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query.into_iter().map(|(name, value)| (name, value::text(value))));
    }
    Ok((url, authorization))
}

fn headers(input: &Object) -> Result<HeaderMap, StepError> {
    let refuse = |message: String| StepError::invalid_input(message).field("headers");
    let mut headers = HeaderMap::new();
    for (name, value) in value::pairs(input, "headers")? {
        let lower = name.trim().to_ascii_lowercase();
        if OURS.contains(&lower.as_str()) {
            return Err(refuse(format!("The header {name} is set by Towpath itself. Remove it from the step.")));
        }
        let header = HeaderName::from_bytes(lower.as_bytes()).map_err(|_| {
            refuse(format!("\"{name}\" can't be the name of a header: it may hold letters, digits and hyphens, no blanks."))
        })?;
        let value = HeaderValue::from_bytes(value::text(value).trim().as_bytes())
            .map_err(|_| refuse(format!("The value of the header {name} holds a line break or another control character.")))?;
        headers.append(header, value);
    }
    Ok(headers)
}

fn body(input: &Object) -> Result<(Body, Option<String>), StepError> {
    let kind = value::text_field(input, "body_kind");
    match kind.as_str() {
        "" | "none" => Ok((Body::Empty, None)),
        "json" => {
            let value = input.get("json").unwrap_or(&Json::Null);
            Ok((Body::Bytes(value.to_string().into()), Some("application/json".into())))
        }
        "form" => {
            let pairs = value::pairs(input, "form")?;
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(pairs.into_iter().map(|(name, value)| (name, value::text(value))));
            Ok((Body::Bytes(form.finish().into()), Some("application/x-www-form-urlencoded".into())))
        }
        "multipart" => {
            let parts = value::pairs(input, "parts")?.into_iter().map(|(name, value)| {
                let content = match FileValue::of(value) {
                    Some(file) => Content::File(file),
                    None => Content::Text(value::text(value)),
                };
                Part { name: name.into(), content }
            });
            Ok((Body::Multipart(parts.collect()), None))
        }
        "raw" => {
            let named = value::text_field(input, "content_type");
            let named = Some(named.trim().to_owned()).filter(|named| !named.is_empty());
            match input.get("raw").and_then(FileValue::of) {
                Some(file) => {
                    let content_type = named.unwrap_or_else(|| file.media_type.clone());
                    Ok((Body::File(file), Some(content_type)))
                }
                None => {
                    let content_type = named.unwrap_or_else(|| "text/plain; charset=utf-8".into());
                    Ok((Body::Bytes(value::text_field(input, "raw").into()), Some(content_type)))
                }
            }
        }
        other => Err(StepError::invalid_input(format!("\"{other}\" is not a kind of content.")).field("body_kind")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(input: Json) -> Result<Plan, StepError> {
        Plan::from_input(input.as_object().unwrap())
    }

    fn sent(input: Json) -> (String, String) {
        let plan = plan(input).unwrap();
        let content_type = plan.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let Body::Bytes(bytes) = plan.body else { panic!("{:?}", plan.body) };
        (content_type, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_address_takes_the_query_along_and_encodes_it() {
        let plan =
            plan(json!({ "url": " https://x.example/a?b=1 ", "query": { "q": "a b&c", "n": [1, 2], "none": null, "ü": "ß" } }))
                .unwrap();
        assert_eq!(plan.url.as_str(), "https://x.example/a?b=1&q=a+b%26c&n=1&n=2&%C3%BC=%C3%9F");
        assert_eq!(plan.method, Method::GET);
    }

    #[test]
    fn a_password_in_the_address_becomes_a_header() {
        let plan = plan(json!({ "url": "https://me:p%40ss@x.example/" })).unwrap();
        assert_eq!(plan.url.as_str(), "https://x.example/");
        assert_eq!(plan.headers["authorization"], "Basic bWU6cEBzcw==");
    }

    #[test]
    fn every_kind_of_body_is_written_as_its_type_says() {
        let url = "https://x.example/";
        assert_eq!(
            sent(
                json!({ "method": "POST", "url": url, "body_kind": "json", "json": { "b": 1, "a": [9007199254740993_u64, null] } })
            ),
            ("application/json".into(), r#"{"b":1,"a":[9007199254740993,null]}"#.into())
        );
        assert_eq!(
            sent(json!({ "method": "POST", "url": url, "body_kind": "form", "form": { "a": "x y", "b": [1, 2.0] } })),
            ("application/x-www-form-urlencoded".into(), "a=x+y&b=1&b=2".into())
        );
        assert_eq!(
            sent(json!({ "method": "PUT", "url": url, "body_kind": "raw", "raw": "a;b", "content_type": "text/csv" })),
            ("text/csv".into(), "a;b".into())
        );
        assert_eq!(
            sent(json!({ "method": "POST", "url": url, "body_kind": "json", "json": 1, "headers": { "Content-Type": "application/x+json" } })).0,
            "application/x+json"
        );
    }

    #[test]
    fn what_the_form_hides_is_not_sent() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let plan = plan(json!({ "method": method, "url": "https://x.example/", "body_kind": "json", "json": {} })).unwrap();
            assert!(matches!(plan.body, Body::Empty), "{method}");
            assert!(!plan.wants_key());
        }
    }

    #[test]
    fn posts_and_patches_want_a_key_unless_they_bring_their_own() {
        for (method, wants) in [("POST", true), ("PATCH", true), ("PUT", false), ("DELETE", false), ("GET", false)] {
            assert_eq!(plan(json!({ "method": method, "url": "https://x.example/" })).unwrap().wants_key(), wants, "{method}");
        }
        let own =
            plan(json!({ "method": "POST", "url": "https://x.example/", "headers": { "Idempotency-Key": "mine" } })).unwrap();
        assert!(!own.wants_key());
    }

    #[test]
    fn a_mistake_names_its_field_and_says_what_to_do() {
        let table = [
            (json!({}), "url", "The address is empty."),
            (json!({ "url": "x.example/a" }), "url", "It starts with https:// or http://."),
            (json!({ "url": "ftp://x.example/a" }), "url", "Only https:// and http:// can be called."),
            (json!({ "url": "file:///etc/passwd" }), "url", "Only https:// and http:// can be called."),
            (json!({ "url": "https://[bad/" }), "url", "is not an address"),
            (json!({ "url": "https://x.example", "method": "CONNECT" }), "method", "is not a method"),
            (json!({ "url": "https://x.example", "headers": { "Host": "evil" } }), "headers", "set by Towpath itself"),
            (json!({ "url": "https://x.example", "headers": { "Content-Length": 3 } }), "headers", "set by Towpath itself"),
            (
                json!({ "url": "https://x.example", "headers": { "Transfer-Encoding": "chunked" } }),
                "headers",
                "set by Towpath itself",
            ),
            (json!({ "url": "https://x.example", "headers": { "a b": "x" } }), "headers", "can't be the name of a header"),
            (json!({ "url": "https://x.example", "headers": { "a": "x\r\nEvil: 1" } }), "headers", "line break"),
            (json!({ "url": "https://x.example", "headers": "x" }), "headers", "takes names and values"),
            (json!({ "url": "https://x.example", "method": "POST", "body_kind": "yaml" }), "body_kind", "not a kind of content"),
            (json!({ "url": "https://x.example", "fail_on_error": "yes" }), "fail_on_error", "true or false"),
        ];
        for (input, field, words) in table {
            let error = plan(input.clone()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{input}");
            assert!(error.message.contains(words), "{input}: {}", error.message);
        }
    }
}
