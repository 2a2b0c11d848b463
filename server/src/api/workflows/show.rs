//! One workflow: its draft, its state, and what keeps it from being published.

use super::{WorkflowView, read_document, view};
use crate::{app::App, auth::Actor, problem::Problem, store::workflows};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use towpath_engine::ids::WorkflowId;

/// `GET /api/v1/workflows/{id}`
pub async fn get(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Body<WorkflowView>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = read_document(stored.draft.clone())?;
    Ok(Body(view(&app, &actor, &stored, &workflow).await?))
}
