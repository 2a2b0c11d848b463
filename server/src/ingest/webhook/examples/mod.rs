//! How to call a webhook, as programs to copy: one per language, for exactly the method and the authentication that the trigger asks
//! for. Pure, and without the secret: a program reads it from its environment.

mod curl;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;

use super::{
    Settings,
    settings::Auth,
    verify::{Algorithm, Encoding, List, SecretForm},
};
use axum::http::Method;
use serde::Serialize;

/// The environment variable that holds the secret.
pub const SECRET: &str = "TOWPATH_SECRET";

/// A program that sends one event and prints the status and the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "WebhookExample")]
pub struct Example {
    /// `curl`, `javascript`, `python`, `java`, `php`, `ruby`.
    pub id: &'static str,
    /// "JavaScript (Node.js 18 or later)"
    pub title: &'static str,
    /// The name under which it is saved.
    pub file: &'static str,
    /// How it is run.
    pub run: &'static str,
    pub code: String,
}

/// All of them, for one trigger.
pub fn examples(settings: &Settings, url: &str) -> Vec<Example> {
    let call = Call::of(settings, url);
    let example = |id, title, file, run, code| Example { id, title, file, run, code };
    vec![
        example("curl", "curl and OpenSSL", "send.sh", "bash send.sh", curl::write(&call)),
        example("javascript", "JavaScript (Node.js 18 or later)", "send.mjs", "node send.mjs", javascript::write(&call)),
        example("python", "Python 3", "send.py", "python3 send.py", python::write(&call)),
        example("java", "Java 17 or later", "Send.java", "java Send.java", java::write(&call)),
        example("php", "PHP 8", "send.php", "php send.php", php::write(&call)),
        example("ruby", "Ruby 3", "send.rb", "ruby send.rb", ruby::write(&call)),
    ]
}

/// What a call consists of, in no language yet.
struct Call {
    method: &'static str,
    url: String,
    /// Without one for GET.
    body: Option<&'static str>,
    headers: Vec<(String, Vec<Piece>)>,
    sign: Option<Sign>,
    /// Does the program read the secret?
    secret: bool,
    /// Does it tell the time?
    time: bool,
}

/// A part of a header's value, or of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Body,
    /// Seconds since 1970, as text.
    Time,
    /// The delivery's id.
    Id,
    Secret,
    Signature,
    /// `user:secret`, in base64.
    Basic(String),
}

struct Sign {
    algorithm: Algorithm,
    encoding: Encoding,
    key: SecretForm,
    message: Vec<Piece>,
}

impl Algorithm {
    /// `sha256`, as OpenSSL, Node and Python call it.
    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

const BODY: &str = r#"{"orderId":"ORD-000123","total":249.5}"#;

impl Call {
    fn of(settings: &Settings, url: &str) -> Self {
        let methods = &settings.methods;
        let method = if methods.contains(&Method::POST) { &Method::POST } else { methods.first().unwrap_or(&Method::POST) };
        let method = [Method::GET, Method::PUT, Method::PATCH, Method::DELETE].iter().find(|it| *it == method).map_or(
            "POST",
            |it| match it.as_str() {
                "GET" => "GET",
                "PUT" => "PUT",
                "PATCH" => "PATCH",
                _ => "DELETE",
            },
        );
        let body = (method != "GET").then_some(BODY);
        let mut call = Self { method, url: url.into(), body, headers: Vec::new(), sign: None, secret: true, time: false };
        let text = |text: &str| Piece::Text(text.to_owned());
        if body.is_some() {
            call.headers.push(("Content-Type".into(), vec![text("application/json")]));
        }
        // With an id of its own, a delivery that is sent again starts nothing twice.
        let mut id = "Idempotency-Key";
        match &settings.auth {
            Auth::None => call.secret = false,
            Auth::Basic { user } => call.headers.push(("Authorization".into(), vec![text("Basic "), Piece::Basic(user.clone())])),
            Auth::Header { name } => call.headers.push((name.to_string(), vec![Piece::Secret])),
            Auth::Signed(scheme) => {
                let value = match &scheme.list {
                    List::One { prefix } => vec![text(prefix), Piece::Signature],
                    List::Standard => vec![text("v1,"), Piece::Signature],
                    List::Stripe => vec![text("t="), Piece::Time, text(",v1="), Piece::Signature],
                };
                call.headers.push((scheme.header.to_string(), value));
                if let Some(name) = &scheme.timestamp_header {
                    call.headers.push((name.to_string(), vec![Piece::Time]));
                }
                if scheme.list == List::Standard || scheme.message.contains("{id}") {
                    id = "webhook-id";
                }
                let message = pieces(&scheme.message);
                call.time = scheme.timestamp_header.is_some() || message.contains(&Piece::Time);
                let (algorithm, encoding, key) = (scheme.algorithm, scheme.encoding, scheme.secret);
                call.sign = Some(Sign { algorithm, encoding, key, message });
            }
        }
        call.headers.push((id.into(), vec![Piece::Id]));
        for (_, value) in &mut call.headers {
            value.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        }
        call
    }
}

/// The parts of what is signed.
fn pieces(message: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let known = [("{body}", Piece::Body), ("{timestamp}", Piece::Time), ("{id}", Piece::Id)];
        let next = known.into_iter().filter_map(|(name, piece)| Some((rest.find(name)?, name, piece))).min_by_key(|it| it.0);
        let Some((at, name, piece)) = next else {
            pieces.push(Piece::Text(rest.to_owned()));
            break;
        };
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        pieces.push(piece);
        rest = &rest[at + name.len()..];
    }
    pieces
}

/// Lines of code, one after the other.
#[derive(Default)]
struct Code(String);

impl Code {
    fn line(&mut self, line: impl AsRef<str>) -> &mut Self {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
        self
    }
}

/// A text in double quotes with the escapes of JSON, which JavaScript, Python and Java read as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Pieces in a language, with what joins them there; a text alone where there is only one.
fn joined(pieces: &[Piece], join: &str, empty: &str, write: impl Fn(&Piece) -> String) -> String {
    if pieces.is_empty() { empty.to_owned() } else { pieces.iter().map(write).collect::<Vec<_>>().join(join) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn all(input: serde_json::Value) -> Vec<Example> {
        examples(&Settings::read(input.as_object().unwrap()).unwrap(), "https://towpath.example/hooks/1")
    }

    #[test]
    fn every_way_to_prove_oneself_is_in_every_language_and_the_secret_in_none() {
        for input in [
            json!({ "auth": "basic", "basic_user": "ada" }),
            json!({ "auth": "header", "header_name": "X-Token" }),
            json!({ "auth": "standard_webhooks" }),
            json!({ "auth": "hmac", "preset": "github" }),
            json!({ "auth": "hmac", "preset": "stripe" }),
            json!({ "auth": "hmac", "preset": "custom", "hmac_header": "x-sig", "hmac_prefix": "v=" }),
        ] {
            let examples = all(input.clone());
            assert_eq!(examples.len(), 6);
            for example in examples {
                assert!(example.code.contains(SECRET), "{input} in {}", example.id);
                assert!(example.code.contains("https://towpath.example/hooks/1"), "{input} in {}", example.id);
            }
        }
        assert!(all(json!({})).iter().all(|example| !example.code.contains(SECRET)), "nobody has to prove anything");
        assert!(all(json!({ "methods": ["GET"] })).iter().all(|example| !example.code.contains("orderId")), "GET has no body");
    }

    #[test]
    fn what_a_setting_holds_never_ends_a_text_of_the_program() {
        let odd = r##"a'b"c$d`e\f#{g}h"##;
        let input = json!({ "auth": "hmac", "preset": "custom", "hmac_header": "x-sig", "hmac_prefix": odd, "hmac_message": format!("{odd}{{body}}") });
        for example in all(input) {
            let plain = example.code.contains(odd);
            assert!(!plain || example.id == "nothing", "{}: {}", example.id, example.code);
        }
    }
}
