//! `json.read`: a value out of JSON text.

use super::{Words, step};
use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "json.read",
        &Words {
            title: "Read JSON",
            sentence: "Read data from JSON text",
            keywords: &["parse", "decode", "import", "object", "text"],
            icon: "code",
            help: "Reads JSON that came as text, for example inside a field or a file. Numbers with more digits than can be counted with stay text, and “notes” says so. Later steps find the data under “value”.",
        },
        vec![field("text", "The JSON text", FieldKind::Multiline).placeholder("Pick a text from the data").required()],
        json!({ "value": { "name": "Ada", "tags": ["new"] }, "notes": [] }),
    )
}
