//! What was published: the list, one version's document, and taking an old one back into the draft.

use super::{WorkflowView, announce, issues, read_document, view, write_document};
use crate::{
    api::page::{Page, Window},
    app::App,
    auth::Actor,
    connections::bind,
    problem::Problem,
    store::{edits, endpoints, versions, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use towpath_engine::{ids::WorkflowId, validate::Issue, workflow::Workflow};

/// One line of the list of versions.
#[derive(Serialize, JsonSchema)]
pub struct ListedVersion {
    pub version: i32,
    pub published_at: DateTime<Utc>,
    /// Null when the person was deleted since.
    pub published_by: Option<String>,
    /// It is the one that runs.
    pub live: bool,
}

/// `GET /api/v1/workflows/{id}/versions`: the newest first.
pub async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    window: Window<i32>,
) -> Result<Body<Page<ListedVersion>>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let rows = versions::list(&app.pool, actor.workspace, id, window.after, window.rows()).await?;
    Ok(Body(window.page(
        rows,
        |row| row.version.to_string(),
        |row| ListedVersion {
            version: row.version,
            published_at: row.published_at,
            published_by: row.published_by,
            live: stored.published_version == Some(row.version),
        },
    )))
}

/// A version that was published.
#[derive(Serialize, JsonSchema)]
pub struct Version {
    version: i32,
    document: Workflow,
    /// What would be wrong with it today.
    issues: Vec<Issue>,
}

/// `GET /api/v1/workflows/{id}/versions/{n}`
pub async fn get(
    State(app): State<App>,
    actor: Actor,
    Path((id, version)): Path<(WorkflowId, i32)>,
) -> Result<Body<Version>, Problem> {
    workflows::find(&app.pool, actor.workspace, id).await?;
    let document = versions::document(&app.pool, actor.workspace, id, version).await?;
    let workflow = read_document(document)?;
    Ok(Body(Version { version, issues: issues(&app, &actor, id, &workflow).await?, document: workflow }))
}

/// `POST /api/v1/workflows/{id}/versions/{n}/restore`: the draft becomes that version's document. What runs does not change until
/// it is published.
pub async fn restore(
    State(app): State<App>,
    actor: Actor,
    Path((id, version)): Path<(WorkflowId, i32)>,
) -> Result<Body<WorkflowView>, Problem> {
    let now = app.clock.now();
    let mut transaction = app.pool.begin().await?;
    let stored = workflows::lock(&mut transaction, actor.workspace, id).await?;
    let document = versions::document(&mut *transaction, actor.workspace, id, version).await?;
    let workflow = read_document(document)?;
    bind::save(&mut transaction, &actor, id, (&read_document(stored.draft.clone())?, &workflow), &[], now).await?;
    let document = write_document(&workflow)?;
    let revision = stored.revision + 1;
    workflows::set_draft(&mut *transaction, actor.workspace, id, &workflow.name, &document, revision, now).await?;
    // A stale tab can't replay this one: it takes the whole document from the answer to its edit.
    let operations = json!([{ "op": "restore", "version": version }]);
    let inverse = json!([{ "op": "replace", "document": stored.draft }]);
    edits::insert(&mut transaction, actor.workspace, id, revision, &operations, &inverse, actor.person, now).await?;
    if let Some(kind) =
        workflow.trigger.as_ref().and_then(|trigger| endpoints::Kind::of_operation(&trigger.operation, &app.registry))
    {
        endpoints::ensure(&mut transaction, actor.workspace, id, kind).await?;
    }
    let stored = workflows::find(&mut *transaction, actor.workspace, id).await?;
    transaction.commit().await?;
    announce(&app, actor.workspace, id);
    Ok(Body(view(&app, &actor, &stored, &workflow).await?))
}
