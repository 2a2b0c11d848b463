//! `list.split`: a list or a text in parts.

use super::{Words, list, step};
use crate::sdk::form::{Change, choice, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.split",
        &Words {
            title: "Split",
            sentence: "Split a list or a text into parts",
            keywords: &["chunk", "batch", "portion", "pages", "separate", "divide", "lines", "explode", "comma"],
            icon: "split",
            help: "A list becomes parts of so many items each, for services that take only some at a time; a text becomes the parts between its separators. Later steps find the parts under “items”.",
        },
        vec![
            choice("what", "Split", &[("list", "A list"), ("text", "A text")]),
            list("list", "The list").show_if("what", &["list"]),
            field("size", "Items in each part", FieldKind::Number)
                .help("The last part may have fewer.")
                .placeholder("100")
                .required()
                .show_if("what", &["list"]),
            field("text", "The text", FieldKind::Multiline)
                .placeholder("Pick a text from the data")
                .required()
                .show_if("what", &["text"]),
            choice(
                "at",
                "At",
                &[
                    ("lines", "Line ends"),
                    ("commas", "Commas"),
                    ("semicolons", "Semicolons"),
                    ("blanks", "Blanks"),
                    ("other", "Something else"),
                ],
            )
            .show_if("what", &["text"]),
            field("separator", "What stands between the parts", FieldKind::Text).literal().required().show_if("at", &["other"]),
            switch("trim", "Leave out blanks around parts and empty parts", true).show_if("what", &["text"]),
        ],
        json!({ "items": [["A1", "B2"], ["C3"]], "count": 2 }),
    )
}
