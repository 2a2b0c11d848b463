//! `list.deduplicate`: of items with the same key only one.

use super::{Words, ignore_case, list, step};
use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.deduplicate",
        &Words {
            title: "Remove duplicates",
            sentence: "Keep each item of a list only once",
            keywords: &["unique", "distinct", "double", "duplicate", "repeated", "dedupe", "same"],
            icon: "copy",
            help: "Two items are the same when their keys are: an e-mail address, a number, or several values put together. An item \
                   whose key is empty is never taken for another's duplicate. Later steps find the list under “items”, and how many \
                   were left out under “removed”.",
        },
        vec![
            list("list", "The list"),
            field("key", "Same when this is the same", FieldKind::Text)
                .each("list")
                .help("Left empty: when the whole items are the same.")
                .placeholder("Pick a field of the item"),
            choice("keep", "Keep", &[("first", "The first"), ("last", "The last")]),
            ignore_case(),
        ],
        json!({ "items": [{ "email": "ada@example.com" }, { "email": "grace@example.com" }], "count": 2, "removed": 1 }),
    )
}
