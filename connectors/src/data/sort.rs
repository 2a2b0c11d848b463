//! `list.sort`: the same items in order.

use super::{Words, list, step};
use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Field, FieldKind, Operation};

const ORDERS: [(&str, &str); 2] = [("ascending", "Smallest first"), ("descending", "Largest first")];
const READ: [(&str, &str); 4] =
    [("fitting", "Whatever fits all of them"), ("number", "Numbers"), ("date", "Dates"), ("text", "Text")];

fn by(name: &str, title: &str) -> Field {
    field(name, title, FieldKind::Text).each("list").placeholder("Pick a field of the item")
}

pub fn operation() -> Operation {
    step(
        "list.sort",
        &Words {
            title: "Sort a list",
            sentence: "Put the items of a list in order",
            keywords: &[
                "order",
                "rank",
                "ascending",
                "descending",
                "newest",
                "oldest",
                "largest",
                "smallest",
                "alphabetical",
                "top",
            ],
            icon: "sort",
            help: "Numbers are ordered by size, dates by time and texts by their letters, without regard to capitals. Items whose value \
                   is empty come last. Items that are equal stay in the order in which they came. Later steps find the list under “items”.",
        },
        vec![
            list("list", "The list"),
            by("by", "Sort by").help("Left empty: by the items themselves, for a list of plain values."),
            choice("order", "Order", &ORDERS),
            choice("read", "Read the values as", &READ)
                .help("With one of the kinds, a value that is none fails the step.")
                .advanced(),
            by("then_by", "Then by").help("Decides between items that are equal so far.").advanced(),
            choice("then_order", "Order of the second", &ORDERS).advanced(),
            choice("then_read", "Read the second as", &READ).advanced(),
            by("last_by", "And then by").advanced(),
            choice("last_order", "Order of the third", &ORDERS).advanced(),
            choice("last_read", "Read the third as", &READ).advanced(),
        ],
        json!({ "items": [{ "name": "Ada", "total": 249.5 }, { "name": "Grace", "total": 99 }], "count": 2 }),
    )
}
