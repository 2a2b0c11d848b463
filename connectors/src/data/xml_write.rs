//! `xml.write`: a value as XML text.

use super::{Words, step};
use crate::sdk::form::{Change, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "xml.write",
        &Words {
            title: "Write XML",
            sentence: "Write data as XML text",
            keywords: &["encode", "export", "soap", "serialize", "document"],
            icon: "code",
            help: "Writes data as XML: fields become elements, lists repeat them, names that begin with @ become attributes. Later steps find it under “text”.",
        },
        vec![
            field("value", "What is written", FieldKind::Text).placeholder("Pick data with fields").required(),
            field("root", "Name of the outermost element", FieldKind::Text)
                .help("Left empty: the one field that the data has, else “root”.")
                .placeholder("order")
                .literal(),
            switch("declaration", "Begin with <?xml …?>", true).advanced(),
        ],
        json!({ "text": "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<order><name>Ada</name></order>" }),
    )
}
