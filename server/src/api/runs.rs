//! Runs as JSON: one run with the state of each step, and a workflow's runs as they move.

use super::{extract::Sent, run_list};
use crate::{
    app::App,
    auth::Actor,
    dispatch::{Accepted, RunChange},
    live::{Change, Heard},
    pages::runs::{act, list, picture, show},
    problem::{Code, Problem},
    store::{
        run_pages::{self, Filter, History, Row},
        workflows,
    },
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
    response::sse::{Event, KeepAlive, Sse},
};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, convert::Infallible, time::Duration};
use towpath_engine::{
    ids::{RunId, WorkflowId},
    record::Decision,
    workflow::{StepPath, Workflow},
};
use towpath_web::runs::show::{Badge, Node};

/// A run as programs see it.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Run")]
pub struct RunView {
    id: RunId,
    workflow: WorkflowId,
    version: u32,
    #[schemars(with = "run_list::RunState")]
    state: &'static str,
    /// The same for a person, for example "waits until 9 May 2026 10:00 UTC".
    label: String,
    reason: Option<String>,
    #[schemars(with = "DateTime<Utc>")]
    started_at: String,
    #[schemars(with = "Option<DateTime<Utc>>")]
    ended_at: Option<String>,
    replay_of: Option<RunId>,
    /// The run whose step called this one.
    called_by: Option<RunId>,
    steps: Vec<StepView>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "RunStep")]
pub struct StepView {
    path: String,
    /// `ok`, `bad`, `busy`, `wait` or `off` (skipped, or not reached).
    tone: &'static str,
    label: String,
    duration: Option<String>,
    attempts: usize,
    error: Option<String>,
    hint: Option<String>,
    /// A person has to say what became of its effect.
    undecided: bool,
    /// The run that it called.
    child: Option<String>,
    /// The connection that it waits for, because its service refuses it.
    waits_for: Option<String>,
    /// Of a loop that began: how far it has come, for a person.
    rounds: Option<String>,
}

/// `GET /api/v1/runs/{id}`
pub async fn get(State(app): State<App>, actor: Actor, Path(run): Path<RunId>) -> Result<Body<RunView>, Problem> {
    load(&app, &actor, run).await.map(Body)
}

async fn load(app: &App, actor: &Actor, run: RunId) -> Result<RunView, Problem> {
    let row = run_pages::get(&app.pool, actor.workspace, run).await?;
    let history = run_pages::history(&app.pool, actor.workspace, run, None).await?;
    Ok(view(app, &row, &history))
}

fn view(app: &App, row: &Row, history: &History) -> RunView {
    let badge = list::state(row);
    let state = run_list::state(row);
    let mut steps = Vec::new();
    if let Ok(workflow) = serde_json::from_value::<Workflow>(history.document.clone()) {
        let id = row.id.to_string();
        let drawing = picture::Drawing {
            run: &id,
            workflow: &workflow,
            catalogue: &*app.registry,
            entries: &history.entries,
            ended: row.ended.is_some(),
            rounds: &history.rounds,
            pages: None,
            round: None,
        };
        flatten(picture::nodes(&drawing), &mut steps);
    }
    RunView {
        id: row.id,
        workflow: row.workflow,
        version: row.version,
        state,
        label: in_full(badge),
        reason: row.ended.as_ref().and_then(|ended| ended.reason.clone()),
        started_at: row.created_at.to_rfc3339(),
        ended_at: row.ended.as_ref().map(|ended| ended.at.to_rfc3339()),
        replay_of: row.replay_of,
        called_by: show::event(history).head.caller.map(|caller| caller.run),
        steps,
    }
}

/// A badge with the moment that it ends with, which pages show by the reader's own clock.
fn in_full(badge: Badge) -> String {
    match badge.at.as_deref().and_then(|at| at.parse::<DateTime<Utc>>().ok()) {
        Some(at) => format!("{} {}", badge.label, at.format("%-d %b %Y %H:%M UTC")),
        None => badge.label,
    }
}

fn flatten(nodes: Vec<Node>, into: &mut Vec<StepView>) {
    for Node { step, lanes, rounds } in nodes {
        let error = step.attempts.iter().rev().find_map(|attempt| attempt.error.as_ref());
        into.push(StepView {
            tone: step.state.tone,
            label: in_full(step.state),
            duration: step.duration,
            attempts: step.attempts.len(),
            error: error.map(|it| it.message.clone()),
            hint: error.and_then(|it| it.hint.clone()),
            undecided: step.undecided,
            child: step.child,
            waits_for: step.refused,
            rounds: rounds.map(|rounds| rounds.words),
            path: step.path,
        });
        for lane in lanes {
            flatten(lane.nodes, into);
        }
    }
}

/// `GET /api/v1/workflows/{id}/runs/live`: an event `run` with a [`RunView`] for every run of the workflow that moves from now on;
/// the last one there is comes first.
pub async fn live(
    State(app): State<App>,
    actor: Actor,
    Path(workflow): Path<WorkflowId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    const GATHER: Duration = Duration::from_millis(80);
    // Another workspace's workflow is not there, also for a stream that would stay silent.
    workflows::find(&app.pool, actor.workspace, workflow).await?;
    let mut watcher = app.live.subscribe();
    let filter = Filter { workflow: Some(workflow), ..Filter::default() };
    let mut moved: HashSet<RunId> =
        run_pages::list(&app.pool, actor.workspace, &filter, 1).await?.into_iter().map(|row| row.id).collect();
    let stream = async_stream::stream! {
        loop {
            // Of a storm of runs only a few are looked at: nobody could follow more.
            for run in moved.drain().take(5) {
                if let Ok(view) = load(&app, &actor, run).await
                    && let Ok(event) = Event::default().event("run").json_data(&view)
                {
                    yield Ok(event);
                }
            }
            loop {
                let heard = if moved.is_empty() {
                    watcher.next().await
                } else {
                    match tokio::time::timeout(GATHER, watcher.next()).await {
                        Ok(heard) => heard,
                        Err(_) => break,
                    }
                };
                match heard {
                    None => return,
                    Some(Heard::Change(Change::Run { workflow: of, run, .. })) if of == workflow => {
                        moved.insert(run);
                        if moved.len() >= 64 {
                            break;
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// It was done.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Done {
    done: bool,
}

/// The new run.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ReplayedRun")]
pub struct Replayed {
    run: RunId,
}

/// `POST /api/v1/runs/{id}/cancel`
pub async fn cancel(State(app): State<App>, actor: Actor, Path(run): Path<RunId>) -> Result<Body<Done>, Problem> {
    answer(app.engine.cancel(actor.workspace, run, &actor.name).await?)
}

/// `POST /api/v1/runs/{id}/replay`: 201 with the new run's id.
pub async fn replay(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
) -> Result<(StatusCode, Body<Replayed>), Problem> {
    let (Accepted::New(new) | Accepted::Duplicate(new)) = act::start_again(&app, &actor, run).await?;
    Ok((StatusCode::CREATED, Body(Replayed { run: new })))
}

#[derive(Deserialize, schemars::JsonSchema)]
pub struct Decided {
    step: StepPath,
    #[serde(flatten)]
    decision: Decision,
}

/// `POST /api/v1/runs/{id}/decide`: `{ "step", "decision": "went_through" (with "output") | "send_again" | "fail" }`.
pub async fn decide(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
    Sent(decided): Sent<Decided>,
) -> Result<Body<Done>, Problem> {
    answer(app.engine.decide(actor.workspace, run, &decided.step, &actor.name, decided.decision).await?)
}

fn answer(change: RunChange) -> Result<Body<Done>, Problem> {
    match change {
        RunChange::Done => Ok(Body(Done { done: true })),
        RunChange::AlreadyEnded(state) => Err(Problem::new(Code::Conflict, format!("The run had ended before: {state}."))),
        RunChange::NotWaiting => Err(Problem::new(Code::Conflict, "There is nothing to decide any more.")),
        RunChange::NotFound => Err(Problem::not_found()),
    }
}
