//! Renaming: an edit of the draft like any other, so that an open builder hears of it and can take it back.

use crate::{
    app::App,
    auth::Actor,
    live::Change,
    problem::{Code, Problem},
    store::{edits, workflows},
};
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{
    edit::{self, Operation},
    ids::WorkflowId,
    workflow::Workflow,
};

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    name: String,
}

/// `POST /workflows/{id}/rename`
pub async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    Form(input): Form<Input>,
) -> Result<Redirect, Problem> {
    let now = app.clock.now();
    let mut transaction = app.pool.begin().await?;
    let stored = workflows::lock(&mut transaction, actor.workspace, id).await?;
    let mut workflow: Workflow = serde_json::from_value(stored.draft).map_err(|error| {
        Problem::new(Code::Conflict, "This workflow was made by a newer version of Towpath and can't be changed by this one.")
            .source(error)
    })?;
    let applied = edit::apply(&mut workflow, &Operation::SetName { name: input.name })
        .map_err(|error| Problem::invalid("name", error.to_string()))?;
    let revision = stored.revision + 1;
    let document = serde_json::to_value(&workflow).map_err(Problem::internal)?;
    workflows::set_draft(&mut *transaction, actor.workspace, id, &workflow.name, &document, revision, now).await?;
    let (done, undo) = (json!([applied.done]), json!([applied.undo]));
    edits::insert(&mut transaction, actor.workspace, id, revision, &done, &undo, actor.person, now).await?;
    transaction.commit().await?;
    app.live.publish(Change::Workflow { workspace: actor.workspace, workflow: id });
    Ok(Redirect::to("/workflows?done=renamed"))
}
