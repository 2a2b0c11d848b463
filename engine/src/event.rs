//! Events: what arrived from outside, as it is stored and as expressions see it.
//!
//! The stored form is `T1`, a 4-byte big-endian length, that many bytes of JSON ([`Head`]), then the body's raw bytes as they
//! came. Nothing is parsed until something reads it, and nothing that arrived is lost.

use crate::{Json, Object, ids::RunId, workflow::StepPath};
use serde::{Deserialize, Serialize};

/// What is known of an event besides its body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// What an expression finds under `trigger` besides `body` and `raw`: for a webhook `method`, `path`, `headers` (lower-case
    /// names), `query`, `address`; for a form `submitted`; for a manual run `by`.
    #[serde(default)]
    pub meta: Object,
    /// The body's media type, as sent.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The parsed body where it isn't a pure function of the raw bytes: forms and multipart requests, whose files are stored apart.
    #[serde(default)]
    pub parsed: Option<Json>,
    /// What had to be changed to parse it, in words; shown on the trigger's card.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Which revision of the workspace's variables its run sees; 0: there were none. Written when the event is accepted, so that a
    /// run sees the same however often it is worked out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub variables: u32,
    /// The step of another run that started this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
}

/// Who started a run of a workflow from a run of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub run: RunId,
    pub step: StepPath,
    /// How many runs are above the one that was started: 1 for the first.
    pub depth: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_none(revision: &u32) -> bool {
    *revision == 0
}

/// An event: a head and the bytes that arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub head: Head,
    pub body: Vec<u8>,
}

const MARK: &[u8; 2] = b"T1";

/// Bytes that are not an event's stored form.
#[derive(Debug, thiserror::Error)]
#[error("these bytes are not a stored event: {0}")]
pub struct NotAnEvent(&'static str);

impl Event {
    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = serde_json::to_vec(&self.head).unwrap_or_default();
        let mut bytes = Vec::with_capacity(6 + head.len() + self.body.len());
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads the stored form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAnEvent> {
        let rest = bytes.strip_prefix(MARK).ok_or(NotAnEvent("the mark is missing"))?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(NotAnEvent("the length is missing"))?;
        let length = u32::from_be_bytes(*length) as usize;
        let (head, body) = rest.split_at_checked(length).ok_or(NotAnEvent("the head is cut"))?;
        let head = serde_json::from_slice(head).map_err(|_| NotAnEvent("the head is not readable"))?;
        Ok(Self { head, body: body.to_vec() })
    }

    /// What expressions see under `trigger`: the head's fields, `body` parsed, and `raw` where the body is text.
    ///
    /// A body that can't be parsed as its media type says is its text, and `null` when it isn't UTF-8.
    pub fn to_value(&self) -> Json {
        let mut value = self.head.meta.clone();
        let body = match &self.head.parsed {
            Some(parsed) => parsed.clone(),
            None => crate::json::body(self.head.content_type.as_deref(), &self.body),
        };
        value.insert("body".into(), body);
        if !self.body.is_empty()
            && let Ok(text) = std::str::from_utf8(&self.body)
        {
            value.insert("raw".into(), text.into());
        }
        Json::Object(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was_stored() {
        let event =
            Event { head: Head { content_type: Some("text/plain".into()), ..Head::default() }, body: b"\x00\xff\n".to_vec() };
        assert_eq!(Event::from_bytes(&event.to_bytes()).unwrap(), event);
        assert!(Event::from_bytes(b"T1\x00\x00\x00\xffshort").is_err());
    }
}
