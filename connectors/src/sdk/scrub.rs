//! Takes secrets out of what is kept or shown, by their content: as they are, and as services echo them (JSON-escaped, URL-encoded, in
//! base64 at any place of a longer text, in hexadecimal, HTML-escaped). It knows nothing of names; [`super::mask`] judges those.
//!
//! Values shorter than [`SHORTEST`] bytes are taken out only where they are the whole of a header or of a text in JSON: taking "test"
//! out of the middle of everything would destroy more than it protects. Below [`SHORTEST_WHOLE`] they are left alone. Services that
//! issue keys issue longer ones; what people choose as a password may be this short.

use super::mask::MASK;
use aho_corasick::{AhoCorasick, Match, MatchKind};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};
use towpath_engine::{Json, error::StepError};

/// The shortest value that is looked for everywhere, in bytes.
pub const SHORTEST: usize = 8;
/// The shortest value that is looked for where it stands alone, in bytes.
pub const SHORTEST_WHOLE: usize = 4;

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
pub struct Scrubber(Option<Arc<Known>>);

struct Known {
    /// Forms of the long ones; after them the short ones in quotes, as a text of JSON has them.
    finder: AhoCorasick,
    /// How many forms of long ones there are.
    long: usize,
    short: BTreeSet<String>,
}

impl Known {
    /// What stands in place of a match; `after` is the rest of the text.
    fn in_place(&self, found: &Match, whole: &[u8], after: &[u8]) -> Vec<u8> {
        if found.pattern().as_usize() < self.long {
            return MASK.as_bytes().to_vec();
        }
        // A field's name that happens to be somebody's password stays: the data would be lost with it.
        let is_name = after.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        if is_name { whole[found.range()].to_vec() } else { format!("\"{MASK}\"").into_bytes() }
    }

    fn clean(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if std::str::from_utf8(bytes).is_ok_and(|text| self.short.contains(text)) {
            return Some(MASK.into());
        }
        if !self.finder.is_match(bytes) {
            return None;
        }
        let mut clean = Vec::with_capacity(bytes.len());
        self.finder.replace_all_with_bytes(bytes, &mut clean, |found, _, clean| {
            clean.extend_from_slice(&self.in_place(found, bytes, &bytes[found.end()..]));
            true
        });
        Some(clean)
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut forms, mut short) = (BTreeSet::new(), BTreeSet::new());
        for secret in secrets {
            // A key that was pasted with a line break around it comes back without.
            for secret in [secret, secret.trim()] {
                if secret.len() >= SHORTEST {
                    forms.extend(forms_of(secret));
                } else if secret.len() >= SHORTEST_WHOLE {
                    short.insert(secret.to_owned());
                }
            }
        }
        if forms.is_empty() && short.is_empty() {
            return Self(None);
        }
        let quoted = short.iter().flat_map(|secret| {
            let json = in_json(secret);
            BTreeSet::from([format!("\"{}\"", in_ascii(&json)), format!("\"{json}\"")])
        });
        let long = forms.len();
        let patterns: Vec<Vec<u8>> = forms.into_iter().chain(quoted.map(String::into_bytes)).collect();
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns);
        let finder = built.expect("a few short patterns make a small automaton");
        Self(Some(Arc::new(Known { finder, long, short })))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // A form may end inside a character; what is left of it is no text.
            Cow::Owned(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
        }
    }

    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        match self.0.as_ref().and_then(|known| known.clean(bytes)) {
            Some(clean) => Cow::Owned(clean),
            None => Cow::Borrowed(bytes),
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
                // "1234" may be somebody's password; the number 1234 is a number.
                if text.len() >= SHORTEST
                    && let Cow::Owned(clean) = self.text(&text)
                {
                    *value = clean.into();
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Json::Object(fields) => {
                fields.values_mut().for_each(|item| self.json(item));
                let holds = |name: &str| name.len() >= SHORTEST && matches!(self.text(name), Cow::Owned(_));
                if fields.keys().any(|name| holds(name)) {
                    let clean = |name: String| if holds(&name) { self.text(&name).into_owned() } else { name };
                    *fields = std::mem::take(fields).into_iter().map(|(name, item)| (clean(name), item)).collect();
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
        for text in ["", "shorts", "in short", "a long secre", "another text"] {
            assert!(matches!(scrubber.text(text), Cow::Borrowed(_)), "{text}");
        }
        assert!(Scrubber::new(["pin", ""]).is_empty());
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
    fn a_short_secret_is_taken_out_where_it_stands_alone() {
        let scrubber = Scrubber::new(["s3cr\"t", "1234"]);
        let mut value = json!({ "s3cr\"t": "s3cr\"t", "list": ["1234", "12345", "in 1234"], "n": 1234 });
        let text = value.to_string();
        let clean = json!({ "s3cr\"t": "***", "list": ["***", "12345", "in 1234"], "n": 1234 });
        assert_eq!(scrubber.text(&text), clean.to_string());
        scrubber.json(&mut value);
        assert_eq!(value, clean);
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("1234"));
        headers.insert("x-other", HeaderValue::from_static("1234 5"));
        scrubber.headers(&mut headers);
        assert_eq!(
            (&headers["x-echo"], &headers["x-other"]),
            (&HeaderValue::from_static("***"), &HeaderValue::from_static("1234 5"))
        );
    }

    #[test]
    fn nothing_prints_a_secret() {
        assert_eq!(format!("{:?}", Scrubber::new(["hunter22222"])), "Scrubber");
    }
}
