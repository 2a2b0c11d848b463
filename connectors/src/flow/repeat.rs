//! `repeat`: do steps again while a condition holds. The steps are the step's own body, and the condition is its own `if`.

use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "repeat".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Repeat".into(),
        sentence: "Do steps again while …".into(),
        keywords: ["while", "until", "loop", "again", "pages", "pagination", "poll", "wait for"].map(Into::into).to_vec(),
        icon: "repeat".into(),
        category: Category::Flow,
        inputs: vec![
            field("most", "At most so many rounds", FieldKind::Number)
                .help("From 1 to 1,000. When the condition still holds after that, the step fails.")
                .default(json!(100))
                .literal()
                .advanced(),
        ],
        effect: None,
        sample: json!({ "rounds": 3 }),
        help: "The steps inside are done once, then again as long as the condition holds after a round. They see the number of the round \
               as “index”, counted from 0, and what the round before gave. What the last round gave stays for the steps that follow."
            .into(),
    }
}
