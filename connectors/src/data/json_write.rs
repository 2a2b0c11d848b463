//! `json.write`: a value as JSON text.

use super::{Words, step};
use crate::sdk::form::{Change, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "json.write",
        &Words {
            title: "Write JSON",
            sentence: "Write data as JSON text",
            keywords: &["stringify", "encode", "export", "serialize", "text"],
            icon: "code",
            help: "Writes data as JSON text, for a service that takes it inside a field. Later steps find it under “text”.",
        },
        vec![
            field("value", "What is written", FieldKind::Text).placeholder("Pick data").required(),
            switch("indent", "In several lines, to be read by people", false),
        ],
        json!({ "text": "{\"name\":\"Ada\"}" }),
    )
}
