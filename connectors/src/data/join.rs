//! `list.join`: the items of one list with those of another that have the same key.

use super::{Words, ignore_case, list, step};
use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "list.join",
        &Words {
            title: "Join two lists",
            sentence: "Add to each item what another list says",
            keywords: &["merge", "combine", "vlookup", "lookup", "match", "enrich", "left join", "inner join", "relate"],
            icon: "join",
            help: "Finds for each item of the first list the item of the second that has the same key, such as an order's customer by \
                   the customer's number, and puts their fields together. A number and a text that is written like it are the same \
                   key. Later steps find the list under “items”, and how many found no partner under “unmatched”.",
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
            choice("keep", "Keep", &[("all", "All of the first list"), ("matching", "Only those in both")]),
            choice("put", "Put the second's fields", &[("beside", "Beside the first's"), ("under", "Under one name")])
                .help("Beside each other, a field that both have keeps the value of the first list."),
            field("prefix", "Begin their names with", FieldKind::Text)
                .help("With “customer_”, the field “name” of the second list becomes “customer_name”.")
                .placeholder("customer_")
                .literal()
                .show_if("put", &["beside"]),
            field("name", "Under the name", FieldKind::Text).default(json!("other")).literal().show_if("put", &["under"]),
            choice("several", "When several match", &[("all", "One item for each"), ("first", "Only the first")]).advanced(),
            ignore_case(),
        ],
        json!({ "items": [{ "order": 17, "customer": "C-7", "customer_name": "Ada Lovelace" }], "count": 1, "unmatched": 0, "unused": 2 }),
    )
}
