//! The list of workflows as JSON.

use crate::{
    api::page::{Page, Window},
    app::App,
    auth::Actor,
    problem::Problem,
    store::workflow_list,
};
use axum::{Json as Body, extract::State};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use towpath_engine::ids::WorkflowId;
use uuid::Uuid;

/// A workflow in a list.
#[derive(Serialize, JsonSchema)]
pub struct ListedWorkflow {
    pub id: Uuid,
    pub name: String,
    #[schemars(with = "super::WorkflowState")]
    pub state: String,
    /// Counts the edits of the draft.
    pub revision: i32,
    pub published_version: Option<i32>,
    /// The draft differs from what is published.
    pub unpublished_changes: bool,
    pub last_run: Option<LastRun>,
}

/// The last run of a workflow.
#[derive(Serialize, JsonSchema)]
pub struct LastRun {
    pub id: Uuid,
    pub started_at: DateTime<Utc>,
    /// It goes on, or waits.
    pub live: bool,
}

/// `GET /api/v1/workflows`: the newest first.
pub async fn get(State(app): State<App>, actor: Actor, window: Window<Uuid>) -> Result<Body<Page<ListedWorkflow>>, Problem> {
    let rows = workflow_list::list(&app.pool, actor.workspace, window.after.map(WorkflowId), window.rows()).await?;
    Ok(Body(window.page(
        rows,
        |row| row.id.to_string(),
        |row| ListedWorkflow {
            id: row.id.0,
            name: row.name,
            revision: row.revision,
            published_version: row.published_version,
            unpublished_changes: row.state != "draft" && row.published_revision != Some(row.revision),
            state: row.state,
            last_run: row.last_run.map(|run| LastRun { id: run.id.0, started_at: run.created_at, live: run.ended.is_none() }),
        },
    )))
}
