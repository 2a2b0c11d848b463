//! `text.format`: a text put together of words and data.

use super::{Words, list, step};
use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "text.format",
        &Words {
            title: "Format text",
            sentence: "Write a text from words and data",
            keywords: &["template", "compose", "message", "letter", "lines", "join", "concat", "report", "summary"],
            icon: "text",
            help: "Writes a text once, or a piece of it for each item of a list, such as the lines of an order in a mail. In the text for each item, “item” is the item and “index” its place, counted from 0. Later steps find it under “text”.",
        },
        vec![
            choice("times", "Write it", &[("once", "Once"), ("each", "For each item of a list")]),
            field("text", "The text", FieldKind::Multiline).required().show_if("times", &["once"]),
            list("list", "The list").show_if("times", &["each"]),
            field("line", "Text for each item", FieldKind::Multiline).each("list").required().show_if("times", &["each"]),
            choice(
                "between",
                "Between the items",
                &[
                    ("line", "A new line"),
                    ("empty_line", "An empty line"),
                    ("comma", "A comma"),
                    ("blank", "A blank"),
                    ("nothing", "Nothing"),
                ],
            )
            .show_if("times", &["each"]),
        ],
        json!({ "text": "2 × Fountain pen\n1 × Ink", "length": 24 }),
    )
}
