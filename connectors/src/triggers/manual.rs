//! The manual trigger: a run starts when a person presses the button.

use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "manual".into(),
        role: Role::Trigger,
        connector: "towpath".into(),
        connection: None,
        title: "Manual start".into(),
        sentence: "When somebody presses Run".into(),
        keywords: ["button", "by hand", "start", "on demand", "click", "test"].map(Into::into).to_vec(),
        icon: "play".into(),
        category: Category::Start,
        inputs: vec![
            field("inputs", "What to ask for", FieldKind::Inputs)
                .help("Asked each time before the run starts. Leave it empty to start at once.")
                .literal(),
        ],
        effect: None,
        sample: json!({ "by": "Ada Lovelace", "body": { "customer": "ada@example.com", "amount": 25 } }),
        help: "For work that a person decides to start: press Run, answer the questions, if there are any, and watch it go."
            .into(),
    }
}
