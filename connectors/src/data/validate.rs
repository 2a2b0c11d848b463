//! `json.validate`: whether a value has the shape that a JSON Schema describes.

use super::{Words, step};
use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "json.validate",
        &Words {
            title: "Check with a JSON Schema",
            sentence: "Check that data has the right shape",
            keywords: &["validate", "json schema", "required", "type", "format", "verify", "contract", "shape"],
            icon: "check",
            help: "Checks a value against a JSON Schema, a description of its shape that programmers write. What is wrong doesn't fail the step: “valid” is true or false, and “errors” lists what is wrong and where. A schema can't refer to other addresses or to itself.",
        },
        vec![
            field("value", "What is checked", FieldKind::Text).placeholder("Pick data").required(),
            field("schema", "JSON Schema", FieldKind::Html)
                .help("As JSON text. Your developers can give it to you.")
                .placeholder("{ \"type\": \"object\", \"required\": [\"name\"] }")
                .literal()
                .required(),
        ],
        json!({ "valid": false, "errors": [{ "path": "lines[0].price", "message": "\"free\" is not of type \"number\"." }], "count": 1 }),
    )
}
