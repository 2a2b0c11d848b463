//! The trigger of workflows that other workflows call.

use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::{
    catalogue::{Category, FieldKind, Operation, Role},
    plan::CALLED,
};

pub fn operation() -> Operation {
    Operation {
        name: CALLED.into(),
        role: Role::Trigger,
        connector: "towpath".into(),
        connection: None,
        title: "Called by a workflow".into(),
        sentence: "When another workflow calls it".into(),
        keywords: ["subworkflow", "sub-workflow", "child", "called", "execute", "reuse", "function", "subroutine"]
            .map(Into::into)
            .to_vec(),
        icon: "workflow".into(),
        category: Category::Start,
        inputs: vec![
            field("inputs", "What it asks for", FieldKind::Inputs)
                .help("Callers have to give these, each of its kind. Whatever else they give arrives as well.")
                .literal(),
        ],
        effect: None,
        sample: json!({
            "workflow": "01890000-0000-7000-8000-000000000000", "run": "01890000-0000-7000-8000-000000000001",
            "body": { "customer": "ada@example.com", "amount": 25 }
        }),
        help: "For steps that several workflows need: they stand here once, and each workflow calls them with “Call a workflow”. A Respond \
               step says what the caller gets."
            .into(),
    }
}
