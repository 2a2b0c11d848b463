//! What the steps say about themselves.

use crate::sdk::form::{Change, choice, field, switch};
use serde_json::json;
use towpath_engine::{
    Json,
    catalogue::{Category, Effect, EffectRule, Field, FieldKind, Operation, Pick, Role},
};

struct Words {
    title: &'static str,
    sentence: &'static str,
    keywords: &'static [&'static str],
    help: &'static str,
}

fn operation(name: &str, words: &Words, inputs: Vec<Field>, effect: Effect, sample: Json) -> Operation {
    Operation {
        name: name.into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: words.title.into(),
        sentence: words.sentence.into(),
        keywords: words
            .keywords
            .iter()
            .chain(&["data table", "table", "row", "database", "spreadsheet"])
            .map(|&it| it.into())
            .collect(),
        icon: "table".into(),
        category: Category::Data,
        inputs,
        effect: Some(EffectRule::Always(effect)),
        sample,
        help: words.help.into(),
    }
}

fn table() -> Field {
    let pick = Pick { needs: vec![], searches: false, accept_url: Some("/tables/([0-9a-f-]{36})".into()) };
    Field { pick: Some(pick), ..field("table", "Table", FieldKind::Text).placeholder("Choose a table").required().literal() }
}

/// One row from fields, or a list of rows.
fn rows() -> Vec<Field> {
    vec![
        choice("from", "What is written", &[("row", "One row"), ("list", "A list of rows")]),
        field("row", "Columns", FieldKind::Row { table: "table".into() }).show_if("from", &["row"]),
        field("list", "The list", FieldKind::Text)
            .help("Each item is a row: its fields are named like the table's columns. A step before this one, “Make a new list”, gives items the names they need.")
            .show_if("from", &["list"])
            .required(),
        switch("leave_out", "Leave out fields without a column", false)
            .help("Otherwise a field that the table has no column for is an error, so that nothing is lost unseen.")
            .show_if("from", &["list"])
            .advanced(),
    ]
}

fn which(title: &str) -> Field {
    field("where", title, FieldKind::RowConditions { table: "table".into() })
}

pub fn insert() -> Operation {
    let words = Words {
        title: "Insert rows",
        sentence: "Add rows to a data table",
        keywords: &["add", "save", "store", "append", "create", "write", "log"],
        help: "Adds one row, or one for each item of a list, all of them or none. When the run repeats the step after a crash, the rows \
               are not added twice. Later steps find the new row's id under “id”, and how many were added under “count”.",
    };
    let inputs = std::iter::once(table()).chain(rows()).collect();
    let id = "0199a8f0-0000-7000-8000-000000000001";
    operation("table.insert", &words, inputs, Effect::Keyed, json!({ "count": 1, "id": id, "ids": [id] }))
}

pub fn upsert() -> Operation {
    let words = Words {
        title: "Insert or change rows",
        sentence: "Add or change rows of a data table",
        keywords: &["upsert", "sync", "merge", "update", "save", "key", "unique"],
        help: "The table's key says which rows are the same: a row whose key is there is changed in the columns that are given, any other \
               is added. Choose the key's columns on the table's page. Of several rows with one key the last counts.",
    };
    let inputs = std::iter::once(table()).chain(rows()).collect();
    operation("table.upsert", &words, inputs, Effect::Keyed, json!({ "count": 1, "added": 0, "changed": 1 }))
}

pub fn find() -> Operation {
    let words = Words {
        title: "Find rows",
        sentence: "Find rows of a data table",
        keywords: &["search", "look up", "get", "query", "select", "read", "where", "list"],
        help: "Finds the rows for which the conditions hold; without conditions all of them. Later steps find them under “rows”, the first \
               one under “first”, and under “found” whether there is one at all.",
    };
    let inputs = vec![
        table(),
        which("Rows where"),
        Field {
            pick: Some(Pick { needs: vec!["table".into()], searches: false, accept_url: None }),
            ..field("sort", "Sorted by", FieldKind::Text).help("Otherwise in the order in which they were added.").literal()
        },
        switch("descending", "The largest or latest first", false),
        field("limit", "At most", FieldKind::Number).help("Rows, up to 1,000.").default(json!(100)).advanced(),
    ];
    let row = json!({ "id": "0199a8f0-0000-7000-8000-000000000001", "name": "Ada Lovelace", "created_at": "2026-11-20T10:25:00.000Z",
                      "updated_at": "2026-11-20T10:25:00.000Z" });
    let sample = json!({ "found": true, "count": 1, "first": row, "rows": [row], "more": false });
    operation("table.find", &words, inputs, Effect::Read, sample)
}

pub fn update() -> Operation {
    let words = Words {
        title: "Change rows",
        sentence: "Change rows of a data table",
        keywords: &["update", "edit", "set", "modify"],
        help: "Changes the rows for which the conditions hold, in the columns that are filled in; the others stay as they are. Later steps \
               find how many were changed under “count”.",
    };
    let inputs = vec![
        table(),
        which("Rows where").required(),
        field("row", "New values", FieldKind::Row { table: "table".into() }).required(),
    ];
    operation("table.update", &words, inputs, Effect::Keyed, json!({ "count": 1 }))
}

pub fn delete() -> Operation {
    let words = Words {
        title: "Delete rows",
        sentence: "Delete rows of a data table",
        keywords: &["remove", "clear", "clean up", "erase"],
        help: "Deletes the rows for which the conditions hold. Later steps find how many that were under “count”.",
    };
    let inputs = vec![table(), which("Rows where").required()];
    operation("table.delete", &words, inputs, Effect::Keyed, json!({ "count": 1 }))
}
