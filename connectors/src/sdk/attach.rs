//! From a connection's secrets to what a request carries: a pure function. Where the request goes was checked before; nothing here
//! sends, keeps or prints a secret, and no error quotes one.

use super::{connector::Attach, mask::MASK};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::fmt;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    expr::{Context, Template},
};
use url::Url;
use uuid::Uuid;

const ROOTS: &[&str] = &["secret", "connection"];

/// What is put on a request. Prints nothing of itself.
#[derive(Clone, Default)]
pub struct Attached {
    headers: Vec<(HeaderName, HeaderValue)>,
    query: Vec<(String, String)>,
    derived: Vec<String>,
}

impl Attached {
    /// Puts it on: a header or parameter of the same name that was there before goes.
    pub fn put(&self, headers: &mut HeaderMap, url: &mut Url) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        if self.query.is_empty() {
            return;
        }
        let is_ours = |name: &str| self.query.iter().any(|(ours, _)| ours == name);
        let others: Vec<(String, String)> =
            url.query_pairs().filter(|(name, _)| !is_ours(name)).map(|(name, value)| (name.into(), value.into())).collect();
        url.query_pairs_mut().clear().extend_pairs(others).extend_pairs(&self.query);
    }

    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty()
    }

    /// What was made of the secrets and is as secret as they are, such as a user name and password in base64: for the scrubber.
    pub fn derived(&self) -> &[String] {
        &self.derived
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attached ({} headers, {} parameters)", self.headers.len(), self.query.len())
    }
}

/// What `apply` says, with a connection's public fields and its secrets.
///
/// # Errors
/// A sentence that names the header or parameter that can't be made, and no value.
pub fn attach(apply: &[Attach], fields: &Object, secrets: &Object) -> Result<Attached, StepError> {
    let texts = Texts::new(fields.clone(), secrets.clone());
    let mut attached = Attached::default();
    for part in apply {
        match part {
            Attach::Header { name, value } => {
                let (name, value) = (texts.of(name)?, texts.of(value)?);
                if name.trim().is_empty() {
                    continue;
                }
                let header = HeaderName::from_bytes(name.trim().as_bytes())
                    .map_err(|_| unusable("one of its headers has a name that headers can't have"))?;
                let value = HeaderValue::from_str(value.trim()).map_err(|_| {
                    unusable(&format!(
                        "the value for the header {header} holds a line break or a letter that headers can't carry"
                    ))
                })?;
                attached.push(header, value, secrets);
            }
            Attach::Query { name, value } => {
                let (name, value) = (texts.of(name)?, texts.of(value)?);
                attached.derive(&value, secrets);
                attached.query.push((name.trim().to_owned(), value));
            }
            Attach::Basic { user, password } => {
                let pair = format!("{}:{}", texts.of(user)?, texts.of(password)?);
                let value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(&pair)))
                    .expect("base64 is letters, digits and three signs");
                attached.push(header::AUTHORIZATION, value, secrets);
                attached.derived.push(pair);
            }
        }
    }
    Ok(attached)
}

impl Attached {
    fn push(&mut self, name: HeaderName, mut value: HeaderValue, secrets: &Object) {
        if let Ok(text) = value.to_str() {
            let bare = text.split_once(' ').map_or(text, |(_, rest)| rest).to_owned();
            self.derive(&bare, secrets);
        }
        value.set_sensitive(true);
        self.headers.push((name, value));
    }

    /// Keeps what no longer shows the secret that it was made of.
    fn derive(&mut self, made: &str, secrets: &Object) {
        let shows = secrets.values().filter_map(Json::as_str).any(|secret| !secret.is_empty() && made.contains(secret));
        if !shows && !made.is_empty() {
            self.derived.push(made.to_owned());
        }
    }
}

/// The same as a person may see it: names, with `***` in place of what is secret.
pub fn masked(apply: &[Attach], fields: &Object) -> Object {
    let texts = Texts::new(fields.clone(), Object::new());
    let mut shown = Object::new();
    for part in apply {
        let (name, value) = match part {
            Attach::Header { name, value } => {
                let scheme = value.split_once(' ').map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains("{{"));
                (texts.of(name).unwrap_or_default(), scheme.map_or_else(|| MASK.to_owned(), |scheme| format!("{scheme} {MASK}")))
            }
            Attach::Query { name, .. } => (format!("?{}", texts.of(name).unwrap_or_default()), MASK.to_owned()),
            Attach::Basic { .. } => ("Authorization".to_owned(), format!("Basic {MASK}")),
        };
        if !name.trim_start_matches('?').is_empty() {
            shown.insert(name, value.into());
        }
    }
    shown
}

/// A text with expressions over a connection's public fields, such as a host pattern or the address of a probe.
///
/// # Errors
/// A sentence that names what is missing.
pub fn public_text(template: &str, fields: &Object) -> Result<String, StepError> {
    Texts::new(fields.clone(), Object::new()).of(template)
}

struct Texts(Context);

impl Texts {
    fn new(fields: Object, secrets: Object) -> Self {
        let roots = Object::from_iter([("connection".to_owned(), fields.into()), ("secret".to_owned(), secrets.into())]);
        Self(Context::named(roots, Uuid::nil(), DateTime::UNIX_EPOCH))
    }

    /// The expressions' own errors may quote values; this one doesn't.
    fn of(&self, template: &str) -> Result<String, StepError> {
        let value =
            Template::compile_named(&template.into(), ROOTS).and_then(|template| template.resolve(&self.0)).ok().flatten();
        value.as_ref().map(super::value::text).ok_or_else(|| unusable("a field that it signs in with is empty"))
    }
}

fn unusable(why: &str) -> StepError {
    StepError::new(ErrorKind::Unauthorized, format!("The connection can't be used as it is: {why}."))
        .hint("Open the connection and fill in what is missing.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Json) -> Object {
        value.as_object().unwrap().clone()
    }

    fn header(name: &str, value: &str) -> Attach {
        Attach::Header { name: name.into(), value: value.into() }
    }

    fn sent(apply: &[Attach], fields: Json, secrets: Json, url: &str) -> (HeaderMap, String) {
        let attached = attach(apply, &object(fields), &object(secrets)).unwrap();
        let (mut headers, mut url) = (HeaderMap::new(), url.parse().unwrap());
        headers.insert("authorization", HeaderValue::from_static("from the step"));
        attached.put(&mut headers, &mut url);
        (headers, url.into())
    }

    #[test]
    fn every_kind_of_sign_in_is_written_as_services_expect_it() {
        let bearer = [header("Authorization", "Bearer {{ secret.token }}")];
        let (headers, _) = sent(&bearer, json!({}), json!({ "token": "t0ken" }), "https://x.example/");
        assert_eq!(headers["authorization"], "Bearer t0ken");

        let basic = [Attach::Basic { user: "{{ connection.user }}".into(), password: "{{ secret.password }}".into() }];
        let (headers, _) = sent(&basic, json!({ "user": "me" }), json!({ "password": "p@ss: ü" }), "https://x.example/");
        assert_eq!(headers["authorization"], format!("Basic {}", BASE64_STANDARD.encode("me:p@ss: ü")));

        let query = [Attach::Query { name: "{{ connection.parameter }}".into(), value: "{{ secret.key }}".into() }];
        let (_, url) =
            sent(&query, json!({ "parameter": "key" }), json!({ "key": "a b&c" }), "https://x.example/p?key=mine&page=2");
        assert_eq!(url, "https://x.example/p?page=2&key=a+b%26c", "the step's own parameter of that name goes");

        let chosen = [header("{{ connection.name | default('') }}", "{{ secret.value | default('') }}")];
        let (headers, _) = sent(&chosen, json!({ "name": "X-Key" }), json!({ "value": " v " }), "https://x.example/");
        assert_eq!(headers["x-key"], "v");
        let (headers, _) = sent(&chosen, json!({}), json!({}), "https://x.example/");
        assert_eq!(headers.len(), 1, "a header without a name isn't sent");
    }

    #[test]
    fn no_error_and_no_debug_text_quotes_a_secret() {
        let secrets = object(json!({ "token": "s3cret\nvalue" }));
        let table = [
            header("Authorization", "Bearer {{ secret.token }}"),
            header("{{ secret.token }} x", "y"),
            header("x", "{{ secret.token | number }}"),
            header("x", "{{ secret.other }}"),
        ];
        for apply in table {
            let error = attach(std::slice::from_ref(&apply), &Object::new(), &secrets).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
        let attached = attach(&[header("x", "{{ secret.a }}")], &Object::new(), &object(json!({ "a": "s3cret" }))).unwrap();
        assert!(!format!("{attached:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_made_of_a_secret_is_known_to_be_one() {
        let derived = |apply: Attach, secrets: Json| {
            attach(&[apply], &object(json!({ "user": "me" })), &object(secrets)).unwrap().derived().to_vec()
        };
        let basic = Attach::Basic { user: "{{ connection.user }}".into(), password: "{{ secret.p }}".into() };
        assert_eq!(derived(basic, json!({ "p": "password" })), [BASE64_STANDARD.encode("me:password"), "me:password".into()]);
        assert_eq!(derived(header("a", "{{ secret.p | base64 }}"), json!({ "p": "x1" })), [BASE64_STANDARD.encode("x1")]);
        assert!(derived(header("a", "Bearer {{ secret.p }}"), json!({ "p": "x1" })).is_empty());
    }

    #[test]
    fn people_see_names_and_stars() {
        let apply = [
            header("Authorization", "Bearer {{ secret.token }}"),
            header("{{ connection.header }}", "{{ secret.key }}"),
            header("{{ connection.none | default('') }}", "x"),
            Attach::Query { name: "key".into(), value: "{{ secret.key }}".into() },
        ];
        let shown = masked(&apply, &object(json!({ "header": "X-Key" })));
        assert_eq!(Json::Object(shown), json!({ "Authorization": "Bearer ***", "X-Key": "***", "?key": "***" }));
        let basic = Attach::Basic { user: "me".into(), password: "{{ secret.p }}".into() };
        assert_eq!(Json::Object(masked(&[basic], &Object::new())), json!({ "Authorization": "Basic ***" }));
    }

    #[test]
    fn a_public_text_knows_no_secret() {
        let fields = object(json!({ "sub": "acme" }));
        assert_eq!(public_text("{{ connection.sub }}.example.com", &fields).unwrap(), "acme.example.com");
        assert!(public_text("{{ secret.token }}", &fields).is_err());
    }
}
