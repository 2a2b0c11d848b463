//! `parallel`: lanes that go on side by side. The lanes are the step's own.

use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "parallel".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Parallel".into(),
        sentence: "Do several things at the same time".into(),
        keywords: ["lanes", "side by side", "together", "join", "merge", "race", "concurrent", "fork", "split"].map(Into::into).to_vec(),
        icon: "lanes".into(),
        category: Category::Flow,
        inputs: vec![
            choice(
                "join",
                "Go on",
                &[("all", "When all lanes are done"), ("first", "With the first that is done"), ("some", "When so many are done")],
            ),
            field("needed", "How many lanes", FieldKind::Number).default(json!(1)).literal().show_if("join", &["some"]),
        ],
        effect: None,
        sample: json!({ "done": 2, "failed": 0 }),
        help: "Each lane goes on by itself; what follows waits for them. A lane that fails fails the step, unless enough others are \
               done. Lanes that are not needed any more are cut off: a call of theirs that was under way may have gone through, and \
               the run says so."
            .into(),
    }
}
