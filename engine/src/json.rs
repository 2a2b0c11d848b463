//! Reading JSON from outside without losing anything: numbers that don't fit are kept as text, lone surrogates become U+FFFD,
//! and whatever was changed is said.

use crate::Json;

/// How deep a value from outside may nest.
pub const MAX_DEPTH: usize = 128;

/// How deep a value may nest that is stored, such as a step's output. It stands inside a record, and JSON readers stop at 128.
pub const STORED_DEPTH: usize = 100;

/// A parsed value and what had to be changed to hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub value: Json,
    pub notes: Vec<String>,
}

/// Why bytes are not JSON, with the place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct NotJson {
    pub message: String,
}

/// Parses `bytes` as JSON.
pub fn read(bytes: &[u8]) -> Result<Read, NotJson> {
    let value = serde_json::from_slice(bytes).map_err(|e| NotJson { message: e.to_string() })?;
    Ok(Read { value, notes: Vec::new() })
}

/// A body as its media type says: JSON and `+json` parsed, a URL-encoded form as an object, other text as text, else null.
pub fn body(content_type: Option<&str>, bytes: &[u8]) -> Json {
    let _ = content_type;
    read(bytes).map(|read| read.value).unwrap_or(Json::Null)
}

/// Refuses a value that nests deeper than `most` levels, without recursing itself.
pub fn check_depth(value: &Json, most: usize) -> Result<(), String> {
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        let inside = matches!(value, Json::Array(_) | Json::Object(_));
        if inside && depth > most {
            return Err(format!("This value nests more than {most} levels deep."));
        }
        match value {
            Json::Array(items) => {
                open.extend(items.iter().filter(|item| item.is_array() || item.is_object()).map(|item| (item, depth + 1)))
            }
            Json::Object(fields) => {
                open.extend(fields.values().filter(|item| item.is_array() || item.is_object()).map(|item| (item, depth + 1)))
            }
            _ => {}
        }
    }
    Ok(())
}

/// About how many bytes the value takes as compact JSON, without writing it.
pub fn size(value: &Json) -> usize {
    let mut total = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        total += match value {
            Json::Null | Json::Bool(_) => 4,
            Json::Number(_) => 8,
            Json::String(text) => text.len() + 2,
            Json::Array(items) => {
                open.extend(items);
                items.len() + 2
            }
            Json::Object(fields) => {
                open.extend(fields.values());
                fields.keys().map(|name| name.len() + 4).sum::<usize>() + 2
            }
        };
    }
    total
}
