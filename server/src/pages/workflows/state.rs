//! Pause and resume. While a workflow is paused, what arrives waits in its inbox.

use crate::{
    app::App,
    auth::Actor,
    ingest::settle,
    live::Change,
    problem::{Code, Problem},
    store::{workflow_list, workflows},
};
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use towpath_engine::ids::WorkflowId;

/// `POST /workflows/{id}/pause`
pub async fn pause(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Redirect, Problem> {
    change(&app, &actor, id, ("published", "paused"), "It is not published, so there is nothing to pause.").await?;
    Ok(Redirect::to("/workflows?done=paused"))
}

/// `POST /workflows/{id}/resume`
pub async fn resume(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Redirect, Problem> {
    change(&app, &actor, id, ("paused", "published"), "It is not paused, so there is nothing to resume.").await?;
    Ok(Redirect::to("/workflows?done=resumed"))
}

async fn change(app: &App, actor: &Actor, id: WorkflowId, (from, to): (&str, &str), not_so: &'static str) -> Result<(), Problem> {
    let (now, mut transaction) = (app.clock.now(), app.pool.begin().await?);
    if !workflow_list::change_state(&mut *transaction, actor.workspace, id, from, to, now).await? {
        // Somebody else's workflow is not there; one's own that is in another state says so.
        workflows::find(&app.pool, actor.workspace, id).await?;
        return Err(Problem::new(Code::Conflict, not_so));
    }
    settle(&mut transaction, &app.registry, now, actor.workspace, id).await?;
    transaction.commit().await?;
    app.live.publish(Change::Workflow { workspace: actor.workspace, workflow: id });
    Ok(())
}
