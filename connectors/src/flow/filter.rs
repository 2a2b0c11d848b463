//! `filter`: go on only if a condition holds. The condition is the step's own `if`.

use serde_json::json;
use towpath_engine::catalogue::{Category, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "filter".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Filter".into(),
        sentence: "Go on only if …".into(),
        keywords: ["condition", "only", "stop unless", "when", "where", "check", "skip", "if"].map(Into::into).to_vec(),
        icon: "filter".into(),
        category: Category::Flow,
        inputs: vec![],
        effect: None,
        sample: json!({ "passed": true }),
        help: "When the condition holds, the run goes on with the next step. When it doesn't, this lane ends here; outside a branch, the \
               run ends as succeeded, with the note that it was filtered."
            .into(),
    }
}
