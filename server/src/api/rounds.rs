//! The rounds of a run's loop as JSON, a page at a time.

use super::{
    extract::Asked,
    page::{Page, Window},
};
use crate::{app::App, auth::Actor, pages::runs::rounds, problem::Problem, store::run_pages};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::{
    Json,
    ids::RunId,
    record::{Entry, LineEnd, Record},
    workflow::StepPath,
};

/// Which rounds are asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The path of the loop, as the run's steps have it; absent: the run's first loop.
    of: Option<String>,
    /// Only those that failed.
    #[serde(default)]
    failed: bool,
    /// The `next` of the page before.
    after: Option<i64>,
    /// How many items, from 1 to 200; 50 unless given.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// A round that is over.
#[derive(Serialize, JsonSchema)]
pub struct Round {
    /// Counted from 0.
    index: i64,
    /// `done`, `failed`, `filtered` or `cancelled`.
    state: &'static str,
    /// What it gave.
    result: Option<Json>,
    /// The path of the step that failed it.
    step: Option<String>,
    error: Option<String>,
}

/// `GET /api/v1/runs/{run}/rounds`
pub async fn get(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Body<Page<Round>>, Problem> {
    let window = Window::new(wanted.after, wanted.limit)?;
    run_pages::get(&app.pool, actor.workspace, run).await?;
    let history = run_pages::history(&app.pool, actor.workspace, run, None).await?;
    let first = || history.rounds.keys().min().cloned();
    let Some(of) = wanted.of.map(StepPath).or_else(first) else {
        return Ok(Body(window.page(Vec::new(), |_| String::new(), round)));
    };
    let after = window.after.unwrap_or(-1);
    let page = rounds::page(&app, actor.workspace, run, &history, &of, wanted.failed, after, window.rows()).await?;
    Ok(Body(window.page(page.ends, |entry| rounds::number(entry).to_string(), round)))
}

fn round(entry: Entry) -> Round {
    let index = rounds::number(&entry);
    let Record::LineEnded { end, result, .. } = entry.record else {
        return Round { index, state: "cancelled", result: None, step: None, error: None };
    };
    let (state, failed) = match end {
        LineEnd::Done => ("done", None),
        LineEnd::Filtered => ("filtered", None),
        LineEnd::Cancelled => ("cancelled", None),
        LineEnd::Failed { failed } => ("failed", Some(failed)),
    };
    let (step, error) = failed.map(|failed| (failed.step.0, failed.error.message)).unzip();
    Round { index, state, result, step, error }
}
