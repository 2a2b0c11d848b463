//! `stop`: end the run here, well or badly.

use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "stop".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Stop".into(),
        sentence: "End the run here".into(),
        keywords: ["end", "exit", "abort", "finish", "fail", "error", "terminate", "cancel", "quit"].map(Into::into).to_vec(),
        icon: "stop".into(),
        category: Category::Flow,
        inputs: vec![
            choice("outcome", "The run counts as", &[("succeeded", "Succeeded"), ("failed", "Failed")]),
            field("reason", "Reason", FieldKind::Text)
                .help("Shown in the list of runs.")
                .placeholder("The order was cancelled before it was paid"),
        ],
        effect: None,
        sample: json!({}),
        help: "No step after it runs, in no lane. A run that is stopped as failed is reported like any other failure.".into(),
    }
}
