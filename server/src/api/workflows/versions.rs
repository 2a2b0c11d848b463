//! What was published: the list, one version's document, and taking an old one back into the draft.

use super::{announce, issues, read_document, view, write_document};
use crate::{
    app::App,
    auth::Actor,
    connections::bind,
    problem::Problem,
    store::{edits, endpoints, versions, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{Json, ids::WorkflowId};

const PAGE: i64 = 50;

#[derive(Deserialize)]
pub struct Before {
    before: Option<i32>,
}

/// `GET /api/v1/workflows/{id}/versions?before=`: the newest first, fifty at a time.
pub async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    Query(Before { before }): Query<Before>,
) -> Result<Body<Json>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let found = versions::list(&app.pool, actor.workspace, id, before, PAGE).await?;
    let more = (i64::try_from(found.len()) == Ok(PAGE)).then(|| found.last().map(|last| last.version)).flatten();
    let listed: Vec<_> = found
        .iter()
        .map(|it| {
            json!({
                "version": it.version,
                "published_at": it.published_at,
                "published_by": it.published_by,
                "live": stored.published_version == Some(it.version),
            })
        })
        .collect();
    Ok(Body(json!({ "versions": listed, "before": more })))
}

/// `GET /api/v1/workflows/{id}/versions/{n}`
pub async fn get(
    State(app): State<App>,
    actor: Actor,
    Path((id, version)): Path<(WorkflowId, i32)>,
) -> Result<Body<Json>, Problem> {
    workflows::find(&app.pool, actor.workspace, id).await?;
    let document = versions::document(&app.pool, actor.workspace, id, version).await?;
    let workflow = read_document(document)?;
    Ok(Body(json!({ "version": version, "issues": issues(&app, &actor, id, &workflow).await?, "document": workflow })))
}

/// `POST /api/v1/workflows/{id}/versions/{n}/restore`: the draft becomes that version's document. What runs does not change until
/// it is published.
pub async fn restore(
    State(app): State<App>,
    actor: Actor,
    Path((id, version)): Path<(WorkflowId, i32)>,
) -> Result<Body<Json>, Problem> {
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
