//! `list.group`: items that share a key together, with totals.

use super::{Words, ignore_case, list, step};
use crate::sdk::form::{Change, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{Field, FieldKind, Operation};

fn totals(name: &str, title: &str) -> Field {
    field(name, title, FieldKind::Pairs).each("list")
}

pub fn operation() -> Operation {
    step(
        "list.group",
        &Words {
            title: "Group a list",
            sentence: "Group the items of a list and add them up",
            keywords: &[
                "total",
                "sum",
                "count",
                "average",
                "aggregate",
                "pivot",
                "summarize",
                "report",
                "per",
                "minimum",
                "maximum",
            ],
            icon: "group",
            help: "Puts the items with the same key together. Each group has its “key”, how many items it has under “count”, what you \
                   asked for under “totals”, and its items. Values that are empty don't count in totals. Later steps find the groups \
                   under “groups”, in the order in which their first items came.",
        },
        vec![
            list("list", "The list"),
            field("key", "Group by", FieldKind::Text).each("list").placeholder("Pick a field of the item").required(),
            totals("sum", "Add up").help("A name for the total, and the number of the item that is added up."),
            totals("average", "Average of").advanced(),
            totals("smallest", "Smallest of").help("The lowest number, the earliest date or the first text.").advanced(),
            totals("largest", "Largest of").help("The highest number, the latest date or the last text.").advanced(),
            switch("keep_items", "Keep the items in each group", true).advanced(),
            ignore_case(),
        ],
        json!({ "groups": [
            { "key": "Oslo", "count": 2, "totals": { "revenue": 25.01 }, "items": [{ "city": "Oslo", "total": 5.02 }, { "city": "Oslo", "total": 19.99 }] },
        ], "count": 1 }),
    )
}
