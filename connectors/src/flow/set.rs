//! `set`: named values for later steps.

use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "set".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Set fields".into(),
        sentence: "Work out values for later steps".into(),
        keywords: ["variable", "map", "transform", "calculate", "format", "assign", "rename", "convert", "data", "fields"]
            .map(Into::into)
            .to_vec(),
        icon: "braces".into(),
        category: Category::Data,
        inputs: vec![
            field("fields", "Fields", FieldKind::Pairs)
                .help("A name and a value each. Later steps find them under this step.")
                .required(),
        ],
        effect: None,
        sample: json!({ "name": "Ada Lovelace", "total": 249.5 }),
        help: "Gives names to values: pick them out of earlier steps, put texts together, calculate. It changes nothing outside."
            .into(),
    }
}
