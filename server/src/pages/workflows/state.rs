//! Pause and resume. While a workflow is paused, what arrives waits in its inbox.

use crate::{
    app::App,
    auth::Actor,
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
    if !workflow_list::change_state(&app.pool, actor.workspace, id, from, to, app.clock.now()).await? {
        // Somebody else's workflow is not there; one's own that is in another state says so.
        workflows::find(&app.pool, actor.workspace, id).await?;
        return Err(Problem::new(Code::Conflict, not_so));
    }
    app.live.publish(Change::Workflow { workspace: actor.workspace, workflow: id });
    Ok(())
}
