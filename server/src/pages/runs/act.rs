//! What a person may do about a run: cancel it, replay it, decide about an effect whose outcome nobody knows.

use crate::{
    app::App,
    auth::Actor,
    dispatch::{Accepted, NewRun, Refused, RunChange, TriggerKind},
    problem::{Code, Problem},
    store::run_pages,
};
use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use serde::Deserialize;
use towpath_engine::{Json, event::Event, ids::RunId, record::Decision, workflow::StepPath};

/// `POST /runs/{id}/cancel`
pub async fn cancel(State(app): State<App>, actor: Actor, Path(run): Path<RunId>) -> Result<Redirect, Problem> {
    changed(app.engine.cancel(actor.workspace, run, &actor.name).await?, run)
}

/// `POST /runs/{id}/replay`: a new run from the same event, by the version that is published now.
pub async fn replay(State(app): State<App>, actor: Actor, Path(run): Path<RunId>) -> Result<Redirect, Problem> {
    let accepted = start_again(&app, &actor, run).await?;
    let (Accepted::New(new) | Accepted::Duplicate(new)) = accepted;
    Ok(Redirect::to(&format!("/runs/{new}")))
}

/// Replays a run's event; also what the API does.
pub async fn start_again(app: &App, actor: &Actor, run: RunId) -> Result<Accepted, Problem> {
    let old = run_pages::get(&app.pool, actor.workspace, run).await?;
    let history = run_pages::history(&app.pool, actor.workspace, run, None).await?;
    let version = run_pages::current_version(&app.pool, actor.workspace, old.workflow).await?.ok_or_else(|| {
        Problem::new(Code::Conflict, "The workflow isn't published, so nothing can take the event. Publish it, then replay.")
    })?;
    let mut event = history
        .event
        .as_deref()
        .and_then(|bytes| Event::from_bytes(bytes).ok())
        .ok_or_else(|| Problem::new(Code::Conflict, "The event of this run is no longer kept, so it can't be replayed."))?;
    // Nobody waits for a replay.
    event.head.caller = None;
    event.head.meta.insert("replayed_by".into(), Json::String(actor.name.clone()));
    let new = NewRun {
        workspace: actor.workspace,
        workflow: old.workflow,
        version,
        kind: TriggerKind::Replay,
        event,
        delivery: None,
        event_key: None,
        replay_of: Some(run),
    };
    Ok(app.engine.accept(new).await?)
}

#[derive(Deserialize)]
pub struct Decided {
    step: String,
    decision: String,
}

/// `POST /runs/{id}/decide`
pub async fn decide(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
    Form(decided): Form<Decided>,
) -> Result<Redirect, Problem> {
    let decision = match decided.decision.as_str() {
        "went_through" => Decision::WentThrough { output: Json::Null },
        "send_again" => Decision::SendAgain,
        "fail" => Decision::Fail,
        _ => return Err(Problem::invalid("decision", "Say whether it went through, is to be sent again, or is given up.")),
    };
    changed(app.engine.decide(actor.workspace, run, &StepPath(decided.step), &actor.name, decision).await?, run)
}

fn changed(change: RunChange, run: RunId) -> Result<Redirect, Problem> {
    match change {
        RunChange::Done | RunChange::AlreadyEnded(_) => Ok(Redirect::to(&format!("/runs/{run}"))),
        RunChange::NotWaiting => {
            Err(Problem::new(Code::Conflict, "There is nothing to decide any more: somebody was quicker, or the run ended."))
        }
        RunChange::NotFound => Err(Problem::not_found()),
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self { retry_after: Some(2), ..Self::new(Code::Unavailable, refused.to_string()) }
    }
}
