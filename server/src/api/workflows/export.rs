//! A workflow as a file has it: whatever means something in this installation alone is named by its name.

use super::read_document;
use crate::{app::App, auth::Actor, connections::naming, problem::Problem, store::workflows};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use schemars::JsonSchema;
use serde::Serialize;
use towpath_engine::{ids::WorkflowId, workflow::Workflow};

/// A workflow as a file has it.
#[derive(Serialize, JsonSchema)]
pub struct Exported {
    /// Connections and data tables stand in it by their names.
    document: Workflow,
}

/// `GET /api/v1/workflows/{id}/export`: the draft, with the names of its connections and tables. `POST /api/v1/workflows` takes it anywhere.
pub async fn get(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Body<Exported>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let document = naming::by_name(&app.pool, &actor, read_document(stored.draft)?).await?;
    let document = app.tables.by_name(actor.workspace, document).await.map_err(crate::api::tables::refused)?;
    Ok(Body(Exported { document }))
}
