//! Deleting a workflow, after saying what that takes along.

use crate::{app::App, auth::Actor, ingest::settle, live::Change, pages, problem::Problem, store::workflow_list};
use axum::{
    extract::{Path, State},
    response::{Redirect, Response},
};
use towpath_engine::ids::WorkflowId;
use towpath_web::{layout::Area, workflows::delete::Delete};

/// `GET /workflows/{id}/delete`
pub async fn ask(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Response, Problem> {
    let found = workflow_list::consequences(&app.pool, actor.workspace, id).await?;
    pages::html(&Delete {
        page: actor.page(format!("Delete {}", found.name), Area::Workflows),
        id: id.to_string(),
        name: found.name,
        published: found.published,
        running: found.running,
        parked: found.parked,
    })
}

/// `POST /workflows/{id}/delete`
pub async fn submit(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Redirect, Problem> {
    let mut transaction = app.pool.begin().await?;
    let now = app.clock.now();
    workflow_list::delete(&mut transaction, actor.workspace, id, now).await?;
    settle(&mut transaction, &app.registry, now, actor.workspace, id).await?;
    transaction.commit().await?;
    app.live.publish(Change::Workflow { workspace: actor.workspace, workflow: id });
    Ok(Redirect::to("/workflows?done=deleted"))
}
