//! Trying one step of the draft by itself: first what it would do, to the letter; then, when asked, for real.

use super::{read_document, resolve::Samples};
use crate::{
    app::App,
    auth::Actor,
    execute,
    problem::Problem,
    store::{files::WorkspaceFiles, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use towpath_connectors::registry::Registry;
use towpath_engine::{
    Json,
    error::StepError,
    expr::{Context, Template},
    ids::WorkflowId,
    pure::{Outcome, PureStep},
    workflow::{Step, StepId},
};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    #[serde(default)]
    samples: Samples,
    /// False: only say what would be done.
    #[serde(default)]
    send: bool,
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
    Body(trial): Body<Trial>,
) -> Result<Body<Json>, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = read_document(stored.draft)?;
    let step_id = StepId(step);
    let step = workflow.step(&step_id).ok_or_else(Problem::not_found)?;
    let context = trial.samples.into_context(&step_id, app.clock.now(), actor.language.clone());
    let answer = match (PureStep::compile(step), trial.send) {
        (Err(error), _) => json!({ "error": StepError::from(error) }),
        (Ok(Some(pure)), _) => done(pure.evaluate(&context)),
        (Ok(None), false) => preview(step, &context, &app.registry),
        (Ok(None), true) => {
            let files = WorkspaceFiles::new(app.pool.clone(), actor.workspace, app.config.limits.max_body);
            let doors = app.egress.doors(files);
            let with = execute::Attempt {
                registry: &app.registry,
                doors: &doors,
                connection: None,
                key: Uuid::now_v7(),
                timeout: step.timeout.map_or(PATIENCE, |span| span.0.min(PATIENCE)),
                max_output: MOST,
            };
            let attempted = execute::attempt(step, &context, &with).await;
            let mut answer = done(attempted.result);
            answer["trace"] = serde_json::to_value(&attempted.trace).map_err(Problem::internal)?;
            answer
        }
    };
    Ok(Body(answer))
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

/// What an action would send, without sending it.
fn preview(step: &Step, context: &Context, registry: &Registry) -> Json {
    let Some(action) = registry.action(&step.operation) else {
        return json!({ "error": StepError::invalid_input(format!("There is no operation \"{}\" in this server.", step.operation)) });
    };
    let resolved = Template::compile_object(&step.input)
        .map_err(StepError::from)
        .and_then(|template| execute::resolve(&step.operation, &template, context, registry))
        .and_then(|input| action.preview(&input).map(|preview| json!({ "preview": preview, "input": input })));
    resolved.unwrap_or_else(|error| json!({ "error": error }))
}
