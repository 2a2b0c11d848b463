//! `value.look_up`: what a table of names and values says for a value.

use super::{Words, step};
use crate::sdk::form::{Change, choice, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "value.look_up",
        &Words {
            title: "Look up",
            sentence: "Look a value up in a table",
            keywords: &["table", "translate", "map", "mapping", "dictionary", "switch", "code", "convert", "replace"],
            icon: "search",
            help: "A table says what stands for what: country codes and their names, cities and who looks after them. Later steps find the result under “value”, and whether the table had it under “found”.",
        },
        vec![
            field("value", "Look up", FieldKind::Text).placeholder("Pick a value from the data").required(),
            field("table", "Table", FieldKind::Pairs)
                .help("On the left what is looked for, on the right what stands for it.")
                .required(),
            choice("missing", "When the table doesn't have it", &[("give", "Give another value"), ("fail", "Fail the step")]),
            field("otherwise", "The other value", FieldKind::Text).help("Left empty: nothing.").show_if("missing", &["give"]),
            switch("ignore_case", "Capital letters make no difference", true)
                .help("Blanks before and after make none either.")
                .advanced(),
        ],
        json!({ "value": "Germany", "found": true }),
    )
}
