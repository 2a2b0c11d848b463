//! `for_each`: do steps for each item of a list, one after the other or several at once. The steps are the step's own body.

use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "for_each".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "For each".into(),
        sentence: "Do steps for each item of a list".into(),
        keywords: ["loop", "iterate", "every", "all items", "rows", "lines", "batch", "split in batches", "map", "list"]
            .map(Into::into)
            .to_vec(),
        icon: "loop".into(),
        category: Category::Flow,
        inputs: vec![
            field("list", "The list", FieldKind::Text)
                .help("Pick a field that holds a list. The steps inside are done once for each of its items, at most 100,000.")
                .placeholder("Pick a list from the data")
                .required(),
            field("at_once", "Items at the same time", FieldKind::Number)
                .help("From 1, one after the other, to 50. Results stay in the order of the list.")
                .default(json!(1))
                .literal(),
            choice(
                "on_failed",
                "When an item fails",
                &[("stop", "Stop at the first that fails"), ("go_on", "Go on with the others")],
            ),
            field("result", "Each round gives", FieldKind::Text)
                .help("What is kept of each item, in order. Left empty: what the last step inside gave.")
                .advanced(),
        ],
        effect: None,
        sample: json!({
            "count": 2, "succeeded": 2, "filtered": 0, "failed": 0,
            "items": [{ "id": "A-1" }, { "id": "A-2" }], "failures": [],
        }),
        help: "The steps inside see the item as “item” and the number of the round as “index”, counted from 0. A filter inside leaves \
               its item out of the results. Afterwards “items” holds what the rounds gave, in the order of the list, and “failures” \
               which items failed and why."
            .into(),
    }
}
