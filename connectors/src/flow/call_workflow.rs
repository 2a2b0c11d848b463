//! `call_workflow`: start a run of another workflow, and wait for what it gives. The engine starts it itself.

use crate::sdk::form::{Change, field, switch};
use serde_json::json;
use towpath_engine::{
    catalogue::{Category, Effect, EffectRule, Field, FieldKind, Operation, Pick, Role},
    plan::CALL,
};

pub fn operation() -> Operation {
    let workflow = field("workflow", "Workflow", FieldKind::Text)
        .help("One that starts “When another workflow calls it”.")
        .placeholder("Choose a workflow")
        .required()
        .literal();
    // What can be picked is asked of the workspace, not of a service.
    let pick = Pick { needs: Vec::new(), searches: false, accept_url: Some("/workflows/([0-9a-f-]{36})".into()) };
    Operation {
        name: CALL.into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Call a workflow".into(),
        sentence: "Call another workflow".into(),
        keywords: ["subworkflow", "sub-workflow", "child", "execute workflow", "reuse", "function", "subroutine", "nested"]
            .map(Into::into)
            .to_vec(),
        icon: "workflow".into(),
        category: Category::Flow,
        inputs: vec![
            Field { pick: Some(pick), ..workflow },
            field("inputs", "What it is given", FieldKind::Pairs)
                .help("Its steps find these under the trigger's body. Name them as it asks for them; more than that is passed on as well."),
            switch("wait", "Wait for it", true)
                .help("On: this step is done when the called run has ended, and fails when that fails. Off: it is done once the run is started."),
        ],
        effect: Some(EffectRule::Always(Effect::Keyed)),
        sample: json!({ "run": "01890000-0000-7000-8000-000000000000", "answer": { "total": 249.5 } }),
        help: "Put steps that several workflows need into one of their own, and call it from each. What its Respond step answers is \
               found under “answer”. However often this step is repeated after a failure, it starts one run."
            .into(),
    }
}
