//! What started a run, and what the attempts of its steps got, did and gave, as JSON: whole, where the run's page cuts. Secrets were taken
//! out before anything was kept.

use super::{
    extract::Asked,
    page::{Page, Window},
};
use crate::{app::App, auth::Actor, problem::Problem, store::run_pages};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    event::Event,
    ids::RunId,
    record::{Entry, Record, Trace},
    workflow::StepPath,
};

/// Which attempts are asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The path of a step, as the run's steps have it; absent: all steps outside of loops.
    step: Option<String>,
    /// The `next` of the page before.
    after: Option<u32>,
    /// How many items, from 1 to 200; 50 unless given.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// One try of one step that is over.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RunAttempt")]
pub struct Attempt {
    /// The step's path.
    step: String,
    /// Counted from 1.
    attempt: u16,
    /// `succeeded`, `failed` or `unknown` (nobody knows what became of it).
    state: &'static str,
    /// When it was over.
    at: DateTime<Utc>,
    /// How long it took, in microseconds.
    micros: u64,
    /// The step's input as it was resolved.
    input: Option<Json>,
    /// What was sent, with secrets masked.
    request: Option<Json>,
    /// What came back.
    response: Option<Json>,
    /// What later steps find.
    output: Option<Json>,
    error: Option<AttemptError>,
    log: Vec<String>,
}

/// Why an attempt did not succeed.
#[derive(Serialize, JsonSchema)]
pub struct AttemptError {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    /// The input field that it is about.
    field: Option<String>,
}

/// The event that started a run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RunEvent")]
pub struct Arrived {
    /// What expressions find under `trigger`.
    trigger: Json,
    /// What had to be changed so that it could be read.
    notes: Vec<String>,
}

/// `GET /api/v1/runs/{run}/event`
pub async fn event(State(app): State<App>, actor: Actor, Path(run): Path<RunId>) -> Result<Body<Arrived>, Problem> {
    let history = run_pages::history(&app.pool, actor.workspace, run, None).await?;
    let event = history.event.as_deref().and_then(|bytes| Event::from_bytes(bytes).ok()).unwrap_or_default();
    Ok(Body(Arrived { trigger: event.to_value(), notes: event.head.notes }))
}

/// `GET /api/v1/runs/{run}/attempts`
pub async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Body<Page<Attempt>>, Problem> {
    let window = Window::new(wanted.after, wanted.limit)?;
    let step = wanted.step.map(|path| StepPath(path.replace('\0', "")));
    let line = step.as_ref().map(StepPath::line);
    let history = run_pages::history(&app.pool, actor.workspace, run, line.as_ref()).await?;
    let asked = history.entries.into_iter().filter(|entry| step.is_none() || entry.record.step() == step.as_ref());
    let passed = usize::try_from(window.after.unwrap_or(0)).unwrap_or(usize::MAX);
    let most = usize::try_from(window.rows()).unwrap_or(usize::MAX);
    let rows: Vec<_> = asked.filter_map(attempt).enumerate().skip(passed).take(most).collect();
    Ok(Body(window.page(rows, |(index, _)| (index + 1).to_string(), |(_, attempt)| attempt)))
}

fn attempt(entry: Entry) -> Option<Attempt> {
    let at = entry.at;
    let of = |step: StepPath, attempt, state, trace: Trace, output, error: Option<StepError>| Attempt {
        step: step.0,
        attempt,
        state,
        at,
        micros: trace.micros,
        input: trace.input,
        request: trace.request,
        response: trace.response,
        output,
        error: error.map(|it| AttemptError { kind: it.kind, message: it.message, hint: it.hint, field: it.field }),
        log: trace.log,
    };
    match entry.record {
        Record::Succeeded { step, attempt, output, trace, .. } => Some(of(step, attempt, "succeeded", trace, Some(output), None)),
        Record::Failed { step, attempt, error, trace, .. } => Some(of(step, attempt, "failed", trace, None, Some(error))),
        Record::Uncertain { step, attempt, error, trace, .. } => Some(of(step, attempt, "unknown", trace, None, Some(error))),
        _ => None,
    }
}
