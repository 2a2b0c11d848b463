//! What can be picked in a field of a step or of the trigger: asked of the service through the same door, as this workflow, with its
//! connection, for a person who has both. Nothing is kept.

use super::read_document;
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    dispatch::For,
    problem::Problem,
    store::{callees, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};
use towpath_connectors::sdk::{Call, StepTrace, pick};
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    ids::WorkflowId,
    plan::CALL,
    workflow::StepId,
};
use uuid::Uuid;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "OptionsWanted")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    field: String,
    /// What a person typed.
    #[serde(default)]
    query: String,
    /// What the form holds where it differs from the draft, expressions worked out: for what isn't saved yet.
    #[serde(default)]
    input: Object,
}

/// What can be picked, or why that could not be asked.
#[derive(schemars::JsonSchema)]
#[schemars(rename = "OptionsFound")]
#[allow(dead_code, reason = "describes an answer that is put together from parts")]
pub struct Found {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<Vec<pick::Option>>,
    /// False when there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<StepError>,
}

/// How long a person waits for options.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most options that are sent; who has more searches.
const MOST: usize = 2000;

/// `POST /api/v1/workflows/{id}/steps/{step}/options`; `trigger` is the trigger.
///
/// Answers with `options` (`value`, `label`) and `complete`; what went wrong stands under `error`, as a sentence.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Path((id, step)): Path<(WorkflowId, String)>,
    Sent(asked): Sent<Asked>,
) -> Result<Body<Json>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = read_document(stored.draft)?;
    let (operation, connection, mut input) = if step == "trigger" {
        let trigger = workflow.trigger.as_ref().ok_or_else(Problem::not_found)?;
        (trigger.operation.clone(), trigger.connection.clone(), trigger.input.clone())
    } else {
        let step = workflow.step(&StepId(step)).ok_or_else(Problem::not_found)?;
        (step.operation.clone(), step.connection.clone(), step.input.clone())
    };
    if operation == CALL && asked.field == "workflow" {
        return callees(&app, &actor, &asked.query).await.map(Body);
    }
    let pick = app.registry.pick(&operation, &asked.field).ok_or_else(Problem::not_found)?;
    // An expression stands for a value of a run; here is none.
    input.retain(|_, value| !value.as_str().is_some_and(|text| text.contains("{{")));
    input.extend(asked.input);
    Ok(Body(match options(&app, &actor, id, connection.as_deref(), &operation, &input, (pick, &asked.query)).await {
        Ok(answer) => answer,
        Err(error) => json!({ "error": error }),
    }))
}

/// The workspace's workflows that can be called.
async fn callees(app: &App, actor: &Actor, query: &str) -> Result<Json, Problem> {
    let query = query.trim().to_lowercase();
    let most = i64::try_from(MOST).unwrap_or(i64::MAX) + 1;
    let mut all = callees::all(&app.pool, actor.workspace, most).await?;
    let complete = all.len() <= MOST;
    all.retain(|(_, name)| name.to_lowercase().contains(&query));
    all.truncate(MOST);
    let options: Vec<_> = all.into_iter().map(|(id, name)| json!({ "value": id, "label": name })).collect();
    Ok(json!({ "options": options, "complete": complete }))
}

async fn options(
    app: &App,
    actor: &Actor,
    workflow: WorkflowId,
    connection: Option<&str>,
    operation: &str,
    input: &Object,
    (pick, query): (&dyn pick::Pick, &str),
) -> Result<Json, StepError> {
    use towpath_engine::catalogue::Catalogue as _;
    let need = app.registry.operation(operation).and_then(|operation| operation.connection.as_ref());
    let connection = match connection {
        Some(id) => Some(id.parse().map_err(|_| StepError::invalid_input("Choose the step's connection again."))?),
        None if need.is_some_and(|need| need.required) => return Err(StepError::invalid_input("Choose a connection first.")),
        None => None,
    };
    // The workflow must have been given the connection, and the person who asks must have it too.
    let whom = For { workflow: Some(workflow), connection, person: Some(actor.person), ..For::workspace(actor.workspace) };
    let began = app.clock.now();
    let connected = app.connections.connected(whom).await?;
    let doors = app.connections.doors(whom);
    let trace = StepTrace::default();
    let call = Call {
        input,
        key: Uuid::now_v7(),
        deadline: Instant::now() + PATIENCE,
        connection: connected.as_ref(),
        doors: &doors,
        trace: &trace,
    };
    let listed =
        tokio::time::timeout(PATIENCE + Duration::from_millis(250), pick.options(call, query)).await.unwrap_or_else(|_| {
            Err(StepError::new(ErrorKind::Timeout, "The service did not answer in time. Type the value, or try again."))
        });
    app.connections.heard(whom, began, doors.http.used().refused, listed.as_ref().map(drop)).await;
    let mut listed = listed?;
    let complete = listed.complete && listed.options.len() <= MOST;
    listed.options.truncate(MOST);
    Ok(json!({ "options": listed.options, "complete": complete }))
}
