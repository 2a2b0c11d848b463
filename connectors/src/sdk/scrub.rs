//! Takes secrets out of what is kept or shown, by their content: as they are, and as services echo them (JSON-escaped, URL-encoded, in
//! base64 at any place of a longer text, in hexadecimal, HTML-escaped). It knows nothing of names; [`super::mask`] judges those.
//!
//! Values shorter than [`SHORTEST`] bytes are left alone: taking "42" out of everything would destroy more than it protects. Services
//! that issue keys issue longer ones.

use super::mask::MASK;
use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};
use towpath_engine::{Json, error::StepError};

/// The shortest value that is looked for, in bytes.
pub const SHORTEST: usize = 8;

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Knows some secrets. Cloning it is cheap; the default one knows none. Prints nothing.
#[derive(Clone, Default)]
pub struct Scrubber(Option<Arc<AhoCorasick>>);

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            // A key that was pasted with a line break around it comes back without.
            for secret in [secret, secret.trim()] {
                if secret.len() >= SHORTEST {
                    forms.extend(forms_of(secret));
                }
            }
        }
        if forms.is_empty() {
            return Self(None);
        }
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms);
        Self(Some(Arc::new(built.expect("a few short patterns make a small automaton"))))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.0 {
            Some(finder) if finder.is_match(text) => {
                let mut clean = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut clean, |_, _, clean| {
                    clean.push_str(MASK);
                    true
                });
                Cow::Owned(clean)
            }
            _ => Cow::Borrowed(text),
        }
    }

    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        match &self.0 {
            Some(finder) if finder.is_match(bytes) => {
                let mut clean = Vec::with_capacity(bytes.len());
                finder.replace_all_with_bytes(bytes, &mut clean, |_, _, clean| {
                    clean.extend_from_slice(MASK.as_bytes());
                    true
                });
                Cow::Owned(clean)
            }
            _ => Cow::Borrowed(bytes),
        }
    }

    /// Every text inside a value, names of fields included, and numbers that are a secret.
    pub fn json(&self, value: &mut Json) {
        if self.is_empty() {
            return;
        }
        match value {
            Json::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Json::Number(number) => {
                let text = number.to_string();
                if let Cow::Owned(clean) = self.text(&text) {
                    *value = clean.into();
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Json::Object(fields) => {
                fields.values_mut().for_each(|item| self.json(item));
                if fields.keys().any(|name| matches!(self.text(name), Cow::Owned(_))) {
                    *fields =
                        std::mem::take(fields).into_iter().map(|(name, item)| (self.text(&name).into_owned(), item)).collect();
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
    }

    pub fn error(&self, error: &mut StepError) {
        error.message = self.text(&error.message).into_owned();
        for text in [&mut error.hint, &mut error.field].into_iter().flatten() {
            *text = self.text(text).into_owned();
        }
    }

    pub fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Cow::Owned(clean) = self.bytes(value.as_bytes()) {
                *value = HeaderValue::from_bytes(&clean).unwrap_or(HeaderValue::from_static(MASK));
            }
        }
    }
}

/// A secret as it may stand in a text.
fn forms_of(secret: &str) -> Vec<Vec<u8>> {
    let percent = utf8_percent_encode(secret, COMPONENT).to_string();
    let all_percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = in_json(secret);
    let mut forms = vec![
        secret.to_owned(),
        in_ascii(&json),
        json.replace('/', "\\/"),
        // JSON inside a text of JSON.
        in_json(&json),
        json,
        lower_percent(&percent),
        lower_percent(&form),
        percent,
        all_percent,
        form,
        html(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
    ];
    for before in 0..3 {
        forms.extend(inside_base64(secret.as_bytes(), before));
    }
    forms.extend([BASE64_STANDARD_NO_PAD.encode(secret), BASE64_URL_SAFE_NO_PAD.encode(secret)]);
    forms.into_iter().filter(|form| form.len() >= SHORTEST).map(String::into_bytes).collect()
}

/// The base64 that stays the same whatever surrounds the secret, when it begins `before` bytes after a multiple of three.
fn inside_base64(secret: &[u8], before: usize) -> [String; 2] {
    let mut padded = vec![0; before];
    padded.extend_from_slice(secret);
    let (start, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    [BASE64_STANDARD_NO_PAD.encode(&padded), BASE64_URL_SAFE_NO_PAD.encode(&padded)].map(|text| text[start..end].to_owned())
}

fn in_json(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As serializers write JSON that keep to ASCII.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

/// `%2F` as `%2f`.
fn lower_percent(text: &str) -> String {
    text.split('%')
        .enumerate()
        .map(|(at, part)| match part.get(..2) {
            Some(code) if at > 0 => format!("%{}{}", code.to_ascii_lowercase(), &part[2..]),
            _ => part.to_owned(),
        })
        .collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
    use serde_json::json;

    const ODD: &str = "pä\"ss/w\\rd+<&>=?42";

    #[test]
    fn a_secret_is_found_however_it_is_written_down() {
        let table = [
            ODD.to_owned(),
            json!({ "echo": ODD }).to_string(),
            json!({ "echo": json!({ "inner": ODD }).to_string() }).to_string(),
            "{\"a\":\"p\\u00e4\\\"ss/w\\\\rd+<&>=?42\"}".to_owned(),
            json!(ODD).to_string().replace('/', "\\/"),
            BASE64_STANDARD.encode(ODD),
            BASE64_URL_SAFE.encode(ODD),
            BASE64_STANDARD.encode(format!("me:{ODD}")),
            BASE64_STANDARD.encode(format!("x{ODD} and more")),
            BASE64_URL_SAFE.encode(format!("Authorization: Bearer {ODD}\r\n")),
            utf8_percent_encode(ODD, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(ODD, COMPONENT).to_string().to_lowercase(),
            url::form_urlencoded::Serializer::new(String::new()).append_pair("k", ODD).finish(),
            html(ODD),
            hex::encode(ODD),
        ];
        let scrubber = Scrubber::new([ODD]);
        for text in table {
            let clean = scrubber.text(&text);
            assert!(clean.contains(MASK), "{text}");
            assert!(!clean.contains("ss/w") && !clean.contains("42"), "{text} became {clean}");
            assert_eq!(scrubber.bytes(text.as_bytes()), clean.as_bytes());
        }
    }

    #[test]
    fn what_holds_no_secret_stays_as_it_is() {
        let scrubber = Scrubber::new(["a long secret", "short"]);
        for text in ["", "short", "a long secre", "another text"] {
            assert!(matches!(scrubber.text(text), Cow::Borrowed(_)), "{text}");
        }
        assert!(Scrubber::new(["short", ""]).is_empty());
        assert_eq!(Scrubber::default().text("a long secret"), "a long secret");
    }

    #[test]
    fn values_are_scrubbed_wherever_a_text_is() {
        let scrubber = Scrubber::new(["12345678901", "hunter22222"]);
        let mut value = json!({ "hunter22222": ["x hunter22222 y", 12345678901_u64, null], "n": 7 });
        scrubber.json(&mut value);
        assert_eq!(value, json!({ "***": ["x *** y", "***", null], "n": 7 }));
        let mut error = StepError::invalid_input("said hunter22222").hint("hunter22222").field("hunter22222");
        scrubber.error(&mut error);
        assert!(!format!("{error:?}").contains("hunter"));
        let mut headers = HeaderMap::from_iter([(http::header::LOCATION, HeaderValue::from_static("/?k=hunter22222"))]);
        scrubber.headers(&mut headers);
        assert_eq!(headers["location"], "/?k=***");
    }

    #[test]
    fn nothing_prints_a_secret() {
        assert_eq!(format!("{:?}", Scrubber::new(["hunter22222"])), "Scrubber");
    }
}
