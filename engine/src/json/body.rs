//! A request's or an answer's body as its media type says.

use super::{NotJson, Read, read};
use crate::{Json, Object};
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// A body as its media type says: JSON and `+json` parsed, a URL-encoded form as an object, other text as text, else null.
///
/// What can't be parsed as its media type says is its text, and null when it isn't UTF-8.
pub fn body(content_type: Option<&str>, bytes: &[u8]) -> Json {
    match read_body(content_type, bytes) {
        Ok(read) => read.value,
        Err(_) => text(bytes),
    }
}

/// [`body`] with its notes, and an error for JSON that isn't.
///
/// A body without a media type, or sent as a form by a tool that was given JSON (`curl -d '{"a": 1}'`), is JSON when it begins as
/// an object or a list and can be read as one.
pub fn read_body(content_type: Option<&str>, bytes: &[u8]) -> Result<Read, NotJson> {
    let essence = content_type.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let plain = |value| Read { value, notes: Vec::new() };
    let looks_like_json = || matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    if essence == "application/json" || essence.ends_with("+json") || essence == "text/json" {
        return if bytes.trim_ascii().is_empty() { Ok(plain(Json::Null)) } else { read(bytes) };
    }
    if essence == "application/x-www-form-urlencoded" {
        if looks_like_json()
            && let Ok(mut read) = read(bytes)
        {
            read.notes.push("The sender called this a form, but it is JSON and was read as that.".to_owned());
            return Ok(read);
        }
        return Ok(plain(Json::Object(form(bytes))));
    }
    if essence.is_empty()
        && looks_like_json()
        && let Ok(read) = read(bytes)
    {
        return Ok(read);
    }
    Ok(plain(text(bytes)))
}

fn text(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok("") | Err(_) => Json::Null,
        Ok(text) => text.into(),
    }
}

/// The fields of a URL-encoded form. A name that occurs several times holds the list of its values.
fn form(bytes: &[u8]) -> Object {
    let mut fields = Object::new();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        let value = Json::String(decode(value));
        match fields.entry(decode(name)) {
            serde_json::map::Entry::Vacant(slot) => {
                slot.insert(value);
            }
            serde_json::map::Entry::Occupied(mut slot) => match slot.get_mut() {
                Json::Array(values) => values.push(value),
                first => *first = Json::Array(vec![first.take(), value]),
            },
        }
    }
    fields
}

fn decode(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded: Cow<'_, [u8]> = percent_decode(&spaced).into();
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_is_read_as_its_media_type_says() {
        for (kind, bytes, expected) in [
            (Some("application/json"), &br#"{"a": 1}"#[..], json!({ "a": 1 })),
            (Some("application/vnd.api+json; charset=utf-8"), b"[1]", json!([1])),
            (Some("APPLICATION/JSON"), b"", json!(null)),
            (Some("application/json"), b"oops", json!("oops")),
            (Some("application/json"), b"\xff", json!(null)),
            (Some("text/plain"), b"{\"a\": 1}", json!("{\"a\": 1}")),
            (Some("image/png"), b"\x89PNG", json!(null)),
            (None, b"{\"a\": 1}", json!({ "a": 1 })),
            (None, b"{oops", json!("{oops")),
            (None, b"", json!(null)),
        ] {
            assert_eq!(body(kind, bytes), expected, "{kind:?}");
        }
        assert!(read_body(Some("application/json"), b"oops").is_err());
    }

    #[test]
    fn a_form_is_an_object_and_repeated_names_are_lists() {
        let form = |bytes: &[u8]| body(Some("application/x-www-form-urlencoded"), bytes);
        assert_eq!(
            form(b"name=Ada+L%C3%B8v&tag=a&tag=b&tag=c&empty=&flag&&x=1=2"),
            json!({
                "name": "Ada Løv", "tag": ["a", "b", "c"], "empty": "", "flag": "", "x": "1=2"
            })
        );
        assert_eq!(form(b""), json!({}));
        assert_eq!(form(b"a=%FF%zz"), json!({ "a": "\u{fffd}%zz" }));
        assert_eq!(form(b"{\"a\": 1}"), json!({ "a": 1 }));
    }
}
