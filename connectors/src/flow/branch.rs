//! `branch`: the first case whose condition holds. Cases and `otherwise` are the step's own.

use serde_json::json;
use towpath_engine::catalogue::{Category, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "branch".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Branch".into(),
        sentence: "Do different things depending on a condition".into(),
        keywords: ["if", "else", "switch", "case", "decide", "route", "router", "path", "otherwise", "condition"]
            .map(Into::into)
            .to_vec(),
        icon: "branch".into(),
        category: Category::Flow,
        inputs: vec![],
        effect: None,
        sample: json!({ "case": 0, "title": "over 100" }),
        help: "Cases are tried in order, and the steps of the first one that holds are run; if none does, those under “otherwise”. What \
               follows the branch runs once afterwards, whichever case it was."
            .into(),
    }
}
