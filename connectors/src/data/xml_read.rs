//! `xml.read`: a value out of XML text.

use super::{Words, step};
use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "xml.read",
        &Words {
            title: "Read XML",
            sentence: "Read data from XML text",
            keywords: &["parse", "decode", "import", "soap", "document", "feed"],
            icon: "code",
            help: "Reads XML: elements become fields, repeated ones lists, attributes fields whose names begin with @. Document types and entities of their own are refused, because they can grow without bounds. Later steps find the data under “value”.",
        },
        vec![field("text", "The XML text", FieldKind::Multiline).placeholder("Pick a text from the data").required()],
        json!({ "value": { "order": { "@id": "17", "name": "Ada", "line": ["pen", "ink"] } } }),
    )
}
