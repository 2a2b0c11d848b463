//! Trying one step of the draft by itself: first what it would do, to the letter; then, when asked, for real.

use super::{read_document, resolve::Samples};
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    dispatch::For,
    execute,
    problem::Problem,
    store::{connections, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use towpath_connectors::{
    registry::Registry,
    sdk::{attach, mask},
};
use towpath_engine::{
    Json,
    catalogue::Catalogue,
    error::StepError,
    expr::{Context, Template},
    ids::{ConnectionId, WorkflowId},
    lines::LinesStep,
    plan::CALL,
    pure::{Outcome, PureStep},
    workflow::{Step, StepId},
};
use uuid::Uuid;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    #[serde(default)]
    samples: Samples,
    /// False: only say what would be done.
    #[serde(default)]
    send: bool,
}

/// What a trial answers; which of them there are follows from the step and from how it went.
#[derive(schemars::JsonSchema)]
#[allow(dead_code, reason = "describes an answer that is put together from parts")]
pub struct Tried {
    /// What would be sent, secrets masked.
    #[serde(skip_serializing_if = "Json::is_null")]
    preview: Json,
    /// The input with its expressions worked out.
    #[serde(skip_serializing_if = "Json::is_null")]
    input: Json,
    #[serde(skip_serializing_if = "Json::is_null")]
    output: Json,
    /// The items that a for-each would go through.
    #[serde(skip_serializing_if = "Json::is_null")]
    list: Json,
    /// What a Respond step would answer to the caller.
    #[serde(skip_serializing_if = "Json::is_null")]
    answer: Json,
    /// Until when a step would wait.
    #[serde(skip_serializing_if = "Json::is_null")]
    until: Json,
    /// What was sent and answered, secrets taken out.
    #[serde(skip_serializing_if = "Json::is_null")]
    trace: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<StepError>,
}

/// How long a trial may take: a person waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest output of a trial; the page keeps it as a sample.
const MOST: usize = 5 << 20;

/// `POST /api/v1/workflows/{id}/steps/{step}/test`
///
/// Answers with `preview` (the exact request, secrets masked) for actions; with `output` for the engine's own steps, which do
/// nothing outside; after `send` with `output` and what was sent and answered. What went wrong stands under `error`, as a sentence.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Path((id, step)): Path<(WorkflowId, String)>,
    Sent(trial): Sent<Trial>,
) -> Result<Body<Json>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = read_document(stored.draft)?;
    let step_id = StepId(step);
    let step = workflow.step(&step_id).ok_or_else(Problem::not_found)?;
    let context = trial.samples.into_context(
        &step_id,
        app.clock.now(),
        actor.language.clone(),
        app.variables.current(actor.workspace).vars(),
    );
    let answer = match (PureStep::compile(step), trial.send) {
        (Ok(None), _) if let Some(list) = list(step, &context) => list,
        (Ok(None), _) if step.operation == CALL => json!({ "error": not_alone() }),
        (Err(error), _) => json!({ "error": StepError::from(error) }),
        (Ok(Some(pure)), _) => done(pure.evaluate(&context)),
        (Ok(None), false) => {
            let mut answer = preview(step, &context, &app.registry);
            show_sign_in(&app, &actor, step, &mut answer).await?;
            answer
        }
        (Ok(None), true) => {
            let connection = match step.connection.as_deref().map(str::parse).transpose() {
                Ok(connection) => connection,
                Err(_) => return Ok(Body(json!({ "error": StepError::invalid_input("Choose the step's connection again.") }))),
            };
            // The workflow must have been given it, and the person who presses the button must have it too.
            let whom = For { workflow: Some(id), connection, person: Some(actor.person), ..For::workspace(actor.workspace) };
            let began = app.clock.now();
            let connected = match app.connections.connected(whom).await {
                Ok(connected) => connected,
                Err(error) => return Ok(Body(json!({ "error": error }))),
            };
            let doors = app.connections.doors(whom);
            let with = execute::Attempt {
                registry: &app.registry,
                doors: &doors,
                connection: connected.as_ref(),
                key: Uuid::now_v7(),
                timeout: step.timeout.map_or(PATIENCE, |span| span.0.min(PATIENCE)),
                max_output: MOST,
            };
            let attempted = execute::attempt(step, &context, &with).await;
            let result = attempted.result.as_ref().map(drop);
            app.connections.heard(whom, began, doors.http.used().refused, result).await;
            let mut answer = done(attempted.result);
            answer["trace"] = serde_json::to_value(&attempted.trace).map_err(Problem::internal)?;
            answer
        }
    };
    Ok(Body(answer))
}

/// A call is made by a run.
fn not_alone() -> StepError {
    StepError::invalid_input("A called workflow is not started from here.")
        .hint("Try that workflow's own steps where it is built. A run of this one calls it.")
}

/// What a for-each would go through; a step that only puts others in order says that. `None`: it is no such step.
fn list(step: &Step, context: &Context) -> Option<Json> {
    let answer = match LinesStep::compile(step) {
        Ok(None) => return None,
        Ok(Some(lines)) => lines.items(context),
        Err(error) => Err(error.into()),
    };
    Some(match answer {
        Ok(Some(items)) => json!({ "list": items }),
        Ok(None) => {
            json!({ "error": StepError::invalid_input("This step only puts others in order, so there is nothing to try by itself.")
            .hint("Try the steps inside.") })
        }
        Err(error) => json!({ "error": error }),
    })
}

fn done(result: Result<Outcome, StepError>) -> Json {
    match result {
        Err(error) => json!({ "error": error }),
        Ok(outcome) => {
            let mut answer = json!({ "output": outcome.output() });
            match outcome {
                Outcome::Answered { answer: said, .. } => answer["answer"] = json!(said),
                Outcome::Wait { until, .. } => answer["until"] = json!(until),
                Outcome::Done { .. } | Outcome::Stop { .. } => {}
            }
            answer
        }
    }
}

/// What the step's connection adds to a previewed request, as far as a person may see it: `Authorization: Bearer ***`.
async fn show_sign_in(app: &App, actor: &Actor, step: &Step, answer: &mut Json) -> Result<(), Problem> {
    let Some(Ok(id)) = step.connection.as_deref().map(str::parse::<ConnectionId>) else { return Ok(()) };
    let Some(preview) = answer.get_mut("preview").and_then(Json::as_object_mut) else { return Ok(()) };
    let found = match connections::find(&app.pool, actor.workspace, actor.person, id).await {
        Ok(found) => found,
        Err(crate::store::Error::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    preview.insert("connection".into(), found.name.clone().into());
    let auth = app.registry.connector(&found.connector).and_then(|it| it.auth.iter().find(|auth| auth.id == found.auth));
    let shown = auth.map(|auth| attach::masked(&auth.apply, &found.fields)).unwrap_or_default();
    if let Some(headers) = preview.get_mut("headers").and_then(Json::as_object_mut) {
        for (name, value) in shown.iter().filter(|(name, _)| !name.starts_with('?')) {
            headers.insert(name.to_ascii_lowercase(), value.clone());
        }
    }
    let parameters: Vec<String> =
        shown.iter().filter_map(|(name, _)| name.strip_prefix('?')).map(|name| format!("{name}={}", mask::MASK)).collect();
    if let Some(Json::String(url)) = preview.get_mut("url").filter(|_| !parameters.is_empty()) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&parameters.join("&"));
    }
    Ok(())
}

/// What an action would send, without sending it.
fn preview(step: &Step, context: &Context, registry: &Registry) -> Json {
    let Some(action) = registry.action(&step.operation) else {
        return json!({ "error": StepError::invalid_input(format!("There is no operation \"{}\" in this server.", step.operation)) });
    };
    let compiled = registry.operation(&step.operation).map(|operation| operation.compile_input(&step.input));
    let resolved = compiled
        .unwrap_or_else(|| Template::compile_input(&step.input, |_| false))
        .map_err(StepError::from)
        .and_then(|template| execute::resolve(&step.operation, &template, context, registry))
        .and_then(|input| action.preview(&input).map(|preview| json!({ "preview": preview, "input": input })));
    resolved.unwrap_or_else(|error| json!({ "error": error }))
}
