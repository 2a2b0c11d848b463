//! `list.collect`: one list out of several values.

use super::{Words, step};
use crate::sdk::form::{Change, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.collect",
        &Words {
            title: "Collect into a list",
            sentence: "Put several values together into one list",
            keywords: &["append", "concat", "combine", "flatten", "merge", "union", "array", "add"],
            icon: "collect",
            help: "Lists are put together item by item, one after the other; any other value becomes an item. A step that was skipped adds nothing. Later steps find the list under “items”.",
        },
        vec![
            field("first", "First value", FieldKind::Text).placeholder("Pick a list or a value").required(),
            field("second", "Second value", FieldKind::Text).placeholder("Pick a list or a value"),
            field("third", "Third value", FieldKind::Text).placeholder("Pick a list or a value"),
            field("fourth", "Fourth value", FieldKind::Text).advanced(),
            field("fifth", "Fifth value", FieldKind::Text).advanced(),
            field("sixth", "Sixth value", FieldKind::Text).advanced(),
            switch("flatten", "Put the items of lists in, not the lists", true).advanced(),
            switch("skip_empty", "Leave out what is empty", true).advanced(),
        ],
        json!({ "items": ["ada@example.com", "grace@example.com"], "count": 2 }),
    )
}
