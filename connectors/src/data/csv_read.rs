//! `csv.read`: a table out of CSV text.

use super::{Words, step};
use crate::sdk::form::{Change, choice, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{FieldKind, Operation};

pub fn operation() -> Operation {
    step(
        "csv.read",
        &Words {
            title: "Read CSV",
            sentence: "Read a table from CSV text",
            keywords: &["spreadsheet", "excel", "import", "parse", "comma", "semicolon", "table", "rows", "columns"],
            icon: "table",
            help: "Reads the text of a table as programs and spreadsheets export it. Each line becomes an item whose fields are named by the first line. Later steps find them under “items”.",
        },
        vec![
            field("text", "The CSV text", FieldKind::Multiline).placeholder("Pick a text from the data").required(),
            switch("header", "The first line holds the columns' names", true),
            choice(
                "separator",
                "Between the columns",
                &[
                    ("found", "Find out"),
                    ("comma", "A comma"),
                    ("semicolon", "A semicolon"),
                    ("tab", "A tab"),
                    ("bar", "A vertical bar"),
                ],
            )
            .advanced(),
            switch("numbers", "Turn numbers into numbers", false)
                .help("Only what is written as Towpath would write it: 007 and 1.50 stay text.")
                .advanced(),
            choice("uneven", "Lines with more or fewer cells", &[("accept", "Take them"), ("refuse", "Fail the step")])
                .advanced(),
        ],
        json!({ "items": [{ "name": "Ada", "city": "London" }, { "name": "Grace", "city": "New York" }], "count": 2, "columns": ["name", "city"] }),
    )
}
