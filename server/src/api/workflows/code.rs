//! What is wrong with the code in a draft: a child process reads it, nobody runs it.

use crate::app::App;
use towpath_engine::{
    catalogue::{Catalogue, FieldKind},
    validate::{Issue, Severity},
    workflow::Workflow,
};

/// Adds what can't be read, each beside the other issues of its step. Code that nobody could look at has none.
pub(super) async fn add_issues(app: &App, workflow: &Workflow, issues: &mut Vec<Issue>) {
    let steps: Vec<_> = workflow.placed().map(|placed| placed.step).collect();
    for (position, step) in steps.iter().enumerate() {
        let Some(operation) = app.registry.operation(&step.operation) else { continue };
        for field in operation.inputs.iter().filter(|field| field.kind == FieldKind::Code) {
            let Some(code) = step.input.get(&field.name).and_then(|code| code.as_str()).filter(|code| !code.trim().is_empty())
            else {
                continue;
            };
            let Some(complaint) = app.sandbox.check(code).await else { continue };
            let issue = Issue {
                step: Some(step.id.clone()),
                field: Some(field.name.clone()),
                message: complaint.0,
                severity: Severity::Blocks,
            };
            // What is said of the whole and of the trigger comes first.
            let place =
                |it: &Issue| it.step.as_ref().and_then(|id| steps.iter().position(|step| step.id == *id)).map_or(0, |at| at + 1);
            let after = issues.iter().rposition(|it| place(it) <= position + 1).map_or(0, |last| last + 1);
            issues.insert(after, issue);
        }
    }
}
