//! What a workflow is to the outside: published, paused, renamed, deleted.

use super::{NAME, WorkflowView, announce, checked_name, issues, read_document, view, write_document};
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    connections::bind,
    ingest::settle,
    problem::{Code, FieldProblem, Problem},
    store::{edits, versions, workflow_list, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{
    edit,
    ids::WorkflowId,
    validate::{Issue, Severity},
};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The revision that the person saw; publishing another one is refused.
    #[serde(default)]
    revision: Option<i32>,
}

/// `POST /api/v1/workflows/{id}/publish`: the draft becomes the next version, and the one that runs. A paused workflow resumes.
pub async fn publish(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    Sent(publish): Sent<Publish>,
) -> Result<Body<WorkflowView>, Problem> {
    let now = app.clock.now();
    let mut transaction = app.pool.begin().await?;
    let stored = workflows::lock(&mut transaction, actor.workspace, id).await?;
    if publish.revision.is_some_and(|seen| seen != stored.revision) {
        return Err(Problem::new(
            Code::StaleRevision,
            "The draft was edited elsewhere since. Look at it again, then publish it.",
        ));
    }
    let workflow = read_document(stored.draft.clone())?;
    bind::vouch(&mut transaction, &actor, id, &workflow, now).await?;
    let left: Vec<Issue> =
        issues(&app, &actor, id, &workflow).await?.into_iter().filter(|issue| issue.severity == Severity::Blocks).collect();
    if let Some(first) = left.first() {
        let mut problem = Problem::new(Code::Conflict, format!("This can't be published yet: {}", first.message));
        problem.fields = left.iter().map(|issue| FieldProblem { field: place(issue), message: issue.message.clone() }).collect();
        return Err(problem);
    }
    // Publishing what is published already makes no second copy of it.
    if stored.published_revision != Some(stored.revision) {
        let version = stored.latest_version + 1;
        versions::insert(&mut *transaction, actor.workspace, id, version, &stored.draft, actor.person, now).await?;
        workflows::set_published(&mut *transaction, actor.workspace, id, version, stored.revision, now).await?;
    } else {
        workflow_list::change_state(&mut *transaction, actor.workspace, id, "paused", "published", now).await?;
    }
    settle(&mut transaction, &app.registry, now, actor.workspace, id).await?;
    let stored = workflows::find(&mut *transaction, actor.workspace, id).await?;
    transaction.commit().await?;
    announce(&app, actor.workspace, id);
    Ok(Body(view(&app, &actor, &stored, &workflow).await?))
}

/// Where an issue is, as one text: `http.url`.
fn place(issue: &Issue) -> String {
    let step = issue.step.as_ref().map(|step| step.0.as_str());
    [step, issue.field.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(".")
}

/// `POST /api/v1/workflows/{id}/pause`: events are kept in the inbox until it resumes; runs that began go on.
pub async fn pause(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Body<WorkflowView>, Problem> {
    change(&app, &actor, id, "published", "paused").await
}

/// `POST /api/v1/workflows/{id}/resume`: the published version runs again.
pub async fn resume(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Body<WorkflowView>, Problem> {
    change(&app, &actor, id, "paused", "published").await
}

async fn change(app: &App, actor: &Actor, id: WorkflowId, from: &str, to: &str) -> Result<Body<WorkflowView>, Problem> {
    let (now, mut transaction) = (app.clock.now(), app.pool.begin().await?);
    if !workflow_list::change_state(&mut *transaction, actor.workspace, id, from, to, now).await? {
        workflows::find(&app.pool, actor.workspace, id).await?;
        return Err(Problem::new(Code::Conflict, "The workflow was never published. Publish it first."));
    }
    settle(&mut transaction, &app.registry, now, actor.workspace, id).await?;
    transaction.commit().await?;
    announce(app, actor.workspace, id);
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = read_document(stored.draft.clone())?;
    Ok(Body(view(app, actor, &stored, &workflow).await?))
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    #[schemars(length(max = 200), regex(pattern = NAME))]
    name: String,
}

/// `POST /api/v1/workflows/{id}/rename`: an edit of the draft like any other.
pub async fn rename(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    Sent(rename): Sent<Rename>,
) -> Result<Body<WorkflowView>, Problem> {
    let name = checked_name(&rename.name)?;
    let now = app.clock.now();
    let mut transaction = app.pool.begin().await?;
    let stored = workflows::lock(&mut transaction, actor.workspace, id).await?;
    let mut workflow = read_document(stored.draft.clone())?;
    let applied = edit::apply(&mut workflow, &edit::Operation::SetName { name })
        .map_err(|error| Problem::invalid("name", error.to_string()))?;
    let revision = stored.revision + 1;
    let document = write_document(&workflow)?;
    workflows::set_draft(&mut *transaction, actor.workspace, id, &workflow.name, &document, revision, now).await?;
    edits::insert(
        &mut transaction,
        actor.workspace,
        id,
        revision,
        &json!([applied.done]),
        &json!([applied.undo]),
        actor.person,
        now,
    )
    .await?;
    let stored = workflows::find(&mut *transaction, actor.workspace, id).await?;
    transaction.commit().await?;
    announce(&app, actor.workspace, id);
    Ok(Body(view(&app, &actor, &stored, &workflow).await?))
}

/// `DELETE /api/v1/workflows/{id}`: its addresses lead nowhere from now on; its runs stay until their retention ends.
pub async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<StatusCode, Problem> {
    let mut transaction = app.pool.begin().await?;
    let now = app.clock.now();
    workflow_list::delete(&mut transaction, actor.workspace, id, now).await?;
    settle(&mut transaction, &app.registry, now, actor.workspace, id).await?;
    transaction.commit().await?;
    announce(&app, actor.workspace, id);
    Ok(StatusCode::NO_CONTENT)
}
