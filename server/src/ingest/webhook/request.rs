//! A request becomes an event: its head as expressions see it, and its body as it came. Nothing is parsed that nobody has read yet,
//! apart from checking that JSON is JSON.

use crate::{
    app::App,
    ingest::{
        decide::{Reason, Refusal},
        multipart, scan,
        webhook::settings::{Auth, Settings},
    },
    store::{self, files},
};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use sha2::Digest as _;
use std::net::IpAddr;
use towpath_engine::{
    Json, Object,
    event::{Event, Head},
    ids::WorkspaceId,
};

/// A request, apart from its body.
pub struct Request<'a> {
    pub method: &'a Method,
    /// What follows the hook's address, from its slash on; empty when nothing does.
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub address: Option<IpAddr>,
}

/// Why there is no event.
pub enum NoEvent {
    Refused(Refusal),
    /// Its files could not be stored.
    Store(store::Error),
}

impl Request<'_> {
    /// The event that the request is. Files in it are stored.
    pub async fn event(&self, app: &App, workspace: WorkspaceId, settings: &Settings, body: Bytes) -> Result<Event, NoEvent> {
        let content_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut head = Head { meta: self.meta(settings), content_type, ..Head::default() };
        match Media::of(head.content_type.as_deref(), &body) {
            Media::Json => {
                let scanned =
                    scan::json(&body).map_err(|error| NoEvent::Refused(Refusal::new(Reason::Malformed, error.to_string())))?;
                if scanned.odd {
                    head.notes = towpath_engine::json::read(&body).map(|read| read.notes).unwrap_or_default();
                }
            }
            Media::Multipart => {
                let parts = multipart::read(head.content_type.as_deref().unwrap_or_default(), body)
                    .await
                    .map_err(|detail| NoEvent::Refused(Refusal::new(Reason::Malformed, detail)))?;
                head.parsed = Some(multipart::store(&app.pool, workspace, parts).await.map_err(NoEvent::Store)?);
                return Ok(Event { head, body: Vec::new() });
            }
            Media::Binary => {
                let media_type = head.content_type.clone().unwrap_or_else(|| "application/octet-stream".into());
                let file = files::insert(&app.pool, workspace, "body", &media_type, &body).await.map_err(NoEvent::Store)?;
                head.parsed = Some(file);
                return Ok(Event { head, body: Vec::new() });
            }
            Media::Text => {
                if let Some(read) =
                    settings.form_payload.and_then(|field| form_payload(head.content_type.as_deref(), &body, field))
                {
                    head.parsed = Some(read.value);
                    head.notes = read.notes;
                }
            }
            Media::Empty => {}
        }
        Ok(Event { head, body: body.into() })
    }

    /// What expressions find beside the body. What proves who the caller is stays out: a run is read by more people than may call.
    fn meta(&self, settings: &Settings) -> Object {
        let mut headers = Object::new();
        for name in self.headers.keys().filter(|name| !is_secret(name, &settings.auth)) {
            let values: Vec<_> =
                self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            headers.insert(name.as_str().to_owned(), values.join(", ").into());
        }
        let mut query = Object::new();
        for (name, value) in url::form_urlencoded::parse(self.query.unwrap_or_default().as_bytes()) {
            add(&mut query, name.into_owned(), value.into_owned().into());
        }
        let mut meta = Object::new();
        meta.insert("method".into(), self.method.as_str().into());
        meta.insert("path".into(), self.path.into());
        meta.insert("headers".into(), headers.into());
        meta.insert("query".into(), query.into());
        meta.insert("address".into(), self.address.map_or(Json::Null, |address| address.to_string().into()));
        meta
    }

    /// The sender's own id of this delivery. Never made of the body: the same words twice can be two events.
    pub fn delivery(&self, settings: &Settings) -> Option<String> {
        let standard = [HeaderName::from_static("webhook-id"), HeaderName::from_static("idempotency-key")];
        let value = standard
            .iter()
            .chain(&settings.delivery_header)
            .find_map(|name| self.headers.get(name).map(HeaderValue::as_bytes).filter(|value| !value.trim_ascii().is_empty()))?;
        let value = value.trim_ascii();
        match std::str::from_utf8(value) {
            Ok(text) if text.len() <= 200 => Some(text.to_owned()),
            // A key may be as long as it likes; what is kept of it may not.
            _ => Some(format!("sha256:{}", hex::encode(sha2::Sha256::digest(value)))),
        }
    }
}

/// The JSON in a field of a URL-encoded form: how some senders wrap what they otherwise send as it is, so that a workflow need
/// not know which way its sender was set up.
fn form_payload(content_type: Option<&str>, body: &[u8], field: &str) -> Option<towpath_engine::json::Read> {
    let essence = content_type?.split(';').next()?.trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    let (_, text) = url::form_urlencoded::parse(body).find(|(name, _)| name == field)?;
    towpath_engine::json::read(text.as_bytes()).ok()
}

/// A name that comes again makes a list.
pub fn add(object: &mut Object, name: String, value: Json) {
    match object.get_mut(&name) {
        None => {
            object.insert(name, value);
        }
        Some(Json::Array(values)) => values.push(value),
        Some(first) => *first = Json::Array(vec![first.take(), value]),
    }
}

fn is_secret(name: &HeaderName, auth: &Auth) -> bool {
    let own = matches!(auth, Auth::Header { name: own } if own == name);
    own || matches!(*name, header::AUTHORIZATION | header::PROXY_AUTHORIZATION | header::COOKIE)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Empty,
    Json,
    Multipart,
    /// URL-encoded forms too: their meaning is a pure function of their bytes.
    Text,
    Binary,
}

impl Media {
    fn of(content_type: Option<&str>, body: &[u8]) -> Self {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence == "multipart/form-data" {
            Self::Multipart
        } else if body.is_empty() {
            Self::Empty
        } else if essence == "application/json" || essence == "text/json" || essence.ends_with("+json") {
            Self::Json
        } else if std::str::from_utf8(body).is_ok() {
            Self::Text
        } else {
            Self::Binary
        }
    }
}

/// Did a browser send this from a page's form?
pub fn is_form_post(method: &Method, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    *method == Method::POST && (kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(input: Json) -> Settings {
        Settings::read(input.as_object().unwrap()).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn request<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Request<'a> {
        Request { method: &Method::POST, path: "", query, headers, address: Some("203.0.113.7".parse().unwrap()) }
    }

    #[test]
    fn what_a_run_shows_holds_no_password_token_or_cookie() {
        let sent = headers(&[("authorization", "Basic x"), ("cookie", "a=b"), ("x-token", "t"), ("x-a", "1"), ("x-a", "2")]);
        let meta = request(&sent, Some("a=1&b=%20&a=2")).meta(&settings(json!({ "auth": "header", "header_name": "X-Token" })));
        assert_eq!(
            Json::Object(meta),
            json!({
                "method": "POST", "path": "", "headers": { "x-a": "1, 2" },
                "query": { "a": ["1", "2"], "b": " " }, "address": "203.0.113.7",
            })
        );
    }

    #[test]
    fn a_delivery_is_known_by_webhook_id_then_idempotency_key_then_the_triggers_own_header_and_never_by_its_body() {
        let own = settings(json!({ "delivery_header": "X-Event-Id" }));
        let key = |pairs: &[(&'static str, &str)]| request(&headers(pairs), None).delivery(&own);
        assert_eq!(key(&[("x-event-id", "3"), ("idempotency-key", "2"), ("webhook-id", "1")]).as_deref(), Some("1"));
        assert_eq!(key(&[("x-event-id", "3"), ("idempotency-key", "2")]).as_deref(), Some("2"));
        assert_eq!(key(&[("x-event-id", " 3 "), ("webhook-id", " ")]).as_deref(), Some("3"));
        assert_eq!(key(&[("x-other", "4")]), None);
        let long = "x".repeat(5_000);
        assert!(key(&[("webhook-id", &long)]).unwrap().len() < 100);
    }

    #[test]
    fn a_body_is_what_its_type_says_and_what_its_bytes_allow() {
        for (kind, body, media) in [
            (Some("application/json; charset=utf-8"), &b"{}"[..], Media::Json),
            (Some("application/cloudevents+json"), b"{}", Media::Json),
            (Some("application/json"), b"", Media::Empty),
            (Some("application/x-www-form-urlencoded"), b"a=1", Media::Text),
            (Some("Multipart/Form-Data; boundary=x"), b"", Media::Multipart),
            (None, b"hello", Media::Text),
            (Some("application/pdf"), b"%PDF\xff\xfe", Media::Binary),
            (Some("text/plain"), b"caf\xe9", Media::Binary),
        ] {
            assert_eq!(Media::of(kind, body), media, "{kind:?}");
        }
    }
}
