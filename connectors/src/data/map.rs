//! `list.map`: a new list with an item made of each.

use super::{Words, list, step};
use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.map",
        &Words {
            title: "Make a new list",
            sentence: "Turn each item of a list into a new one",
            keywords: &["map", "transform", "convert", "rename", "columns", "fields", "rows", "each", "pick"],
            icon: "reshape",
            help: "Goes through a list and makes a new item of each. In the fields, “item” is the item that is being worked on, and \
                   “index” its place, counted from 0. Later steps find the new list under “items”.",
        },
        vec![
            list("list", "The list").help("The items keep their order."),
            choice(
                "make",
                "Each new item is",
                &[("fields", "Made of fields"), ("extended", "The item and more"), ("value", "One value")],
            ),
            field("fields", "Fields of each new item", FieldKind::Pairs)
                .each("list")
                .help("A name and a value each. Pick values of the item from the data below.")
                .required()
                .show_if("make", &["fields", "extended"]),
            field("value", "Each new item", FieldKind::Text)
                .each("list")
                .help("What stands in the new list in the item's place.")
                .placeholder("Pick a field of the item")
                .required()
                .show_if("make", &["value"]),
        ],
        json!({ "items": [{ "sku": "A1", "total": 39.98 }, { "sku": "B2", "total": 5 }], "count": 2 }),
    )
}
