//! `csv.write`: a list as CSV text.

use super::{Words, list, step};
use crate::sdk::form::{Change, choice, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "csv.write",
        &Words {
            title: "Write CSV",
            sentence: "Write a list as CSV text",
            keywords: &["spreadsheet", "excel", "export", "table", "comma", "semicolon", "report", "rows", "columns"],
            icon: "table",
            help: "Writes a list as the text of a table, which spreadsheets and other programs can read. Later steps find it under “text”.",
        },
        vec![
            list("list", "The list"),
            field("columns", "Columns", FieldKind::Pairs)
                .each("list")
                .help("A name and a value of the item each. Left empty: every field of the items is a column."),
            choice(
                "separator",
                "Between the columns",
                &[("comma", "A comma"), ("semicolon", "A semicolon"), ("tab", "A tab"), ("bar", "A vertical bar")],
            )
            .advanced(),
            switch("header", "Begin with the columns' names", true).advanced(),
            switch("safe", "Safe for spreadsheets", false)
                .help("Texts that a spreadsheet would take for formulas get an apostrophe in front.")
                .advanced(),
        ],
        json!({ "text": "name,city\nAda,London\nGrace,New York\n", "count": 2 }),
    )
}
