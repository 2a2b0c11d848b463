//! `list.filter`: only the items for which conditions hold.

use super::{Words, list, step};
use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.filter",
        &Words {
            title: "Filter a list",
            sentence: "Keep only the items that …",
            keywords: &["where", "select", "only", "remove", "condition", "rows", "search", "exclude"],
            icon: "filter",
            help: "Keeps the items for which the conditions hold, in their order; the run goes on in any case. In the conditions, \
                   “item” is the item that is being looked at. Later steps find the list under “items”, and how many were left out \
                   under “removed”.",
        },
        vec![list("list", "The list"), field("condition", "Keep an item if", FieldKind::Conditions).each("list").required()],
        json!({ "items": [{ "sku": "A1", "price": 19.99 }, { "sku": "B2", "price": 5 }], "count": 2, "removed": 1 }),
    )
}
