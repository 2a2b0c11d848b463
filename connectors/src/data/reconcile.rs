//! `list.reconcile`: two lists that should hold the same, compared.

use super::{Words, ignore_case, list, step};
use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.reconcile",
        &Words {
            title: "Compare two lists",
            sentence: "Find what is missing or different in two lists",
            keywords: &["reconcile", "diff", "difference", "missing", "compare", "check", "audit", "match", "changes", "sync"],
            icon: "compare",
            help: "Pairs the items of two lists by a key, such as an invoice's number, and says which are missing on either side and \
                   which differ, with the fields in which they do. “matches” is true when both lists hold the same. A number and a \
                   text that is written like it count as the same.",
        },
        vec![
            list("list", "First list"),
            field("key", "Key in the first list", FieldKind::Text)
                .each("list")
                .placeholder("Pick a field of the item")
                .required(),
            list("other", "Second list"),
            field("other_key", "Key in the second list", FieldKind::Text)
                .each("other")
                .help("Left empty: as in the first list.")
                .placeholder("Pick a field of the item"),
            field("values", "Compare these values", FieldKind::Pairs)
                .each("list")
                .help("A name and a value of the item each. Left empty: all fields are compared."),
            field("other_values", "The same values in the second list", FieldKind::Pairs)
                .each("other")
                .help("Only where they are called otherwise there: the same name as above, and where to find it.")
                .advanced(),
            ignore_case(),
        ],
        json!({
            "matches": false,
            "same": 41,
            "missing_in_second": [{ "invoice": "2026-17", "amount": 120 }],
            "missing_in_first": [{ "invoice": "2026-19", "amount": 80 }],
            "different": [{
                "key": "2026-18",
                "fields": [{ "name": "amount", "first": 99.5, "second": 95.5 }],
                "first": { "invoice": "2026-18", "amount": 99.5 },
                "second": { "invoice": "2026-18", "amount": 95.5 },
            }],
            "repeated_in_first": [],
            "repeated_in_second": [],
        }),
    )
}
