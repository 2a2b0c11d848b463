//! The page on which a workflow is built. It reads and writes by the API under `/api/v1/workflows/{id}`.

use crate::{
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
    store::workflows,
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use towpath_engine::ids::WorkflowId;
use towpath_web::{layout::Area, workflows::builder::Builder};

/// `GET /workflows/{id}`
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Response, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    pages::html(&Builder {
        page: actor.page(stored.name.clone(), Area::Workflows),
        id: id.to_string(),
        name: stored.name,
        edits: actor.role.may(Action::EditWorkflows),
        publishes: actor.role.may(Action::PublishWorkflows),
        operates: actor.role.may(Action::OperateRuns),
    })
}
