//! A workflow as a file has it: whatever means something in this installation alone is named by its name.

use super::read_document;
use crate::{app::App, auth::Actor, connections::naming, problem::Problem, store::workflows};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use serde_json::json;
use towpath_engine::{Json, ids::WorkflowId};

/// `GET /api/v1/workflows/{id}/export`: the draft, with the names of its connections. `POST /api/v1/workflows` takes it anywhere.
pub async fn get(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Body<Json>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let document = naming::by_name(&app.pool, &actor, read_document(stored.draft)?).await?;
    Ok(Body(json!({ "document": document })))
}
