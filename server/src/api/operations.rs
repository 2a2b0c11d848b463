//! For whoever owns the instance: is it reached, and what becomes of what came from a backup.

use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    pages::settings::restored::{decided, in_words},
    problem::Problem,
    reachability::Report,
    store::{instance, live_runs},
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What came from a backup and waits.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Restored {
    held: bool,
    since: Option<DateTime<Utc>>,
    because: Option<String>,
    /// `run` or `cancel`, while it is being carried out.
    decision: Option<String>,
    /// Runs that had not ended, by workflow.
    runs: Vec<LiveRuns>,
    /// Schedules and polls that start again.
    triggers: i64,
}

#[derive(Serialize, schemars::JsonSchema)]
pub struct LiveRuns {
    workspace: String,
    workflow: String,
    runnable: i64,
    timed: i64,
    undecided: i64,
    /// Those that wait for a connection.
    refused: i64,
    next: Option<DateTime<Utc>>,
    /// The same in words.
    summary: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "RestoredDecision")]
#[serde(deny_unknown_fields)]
pub struct Decision {
    decision: WhatBecomes,
}

/// What becomes of what came from a backup.
#[derive(Clone, Copy, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhatBecomes {
    /// The runs go on.
    Run,
    /// The runs that had not ended are cancelled.
    Cancel,
}

/// `GET /api/v1/instance/reachability`: the last report, or a first one.
pub async fn reachability(State(app): State<App>) -> Json<Arc<Report>> {
    Json(match app.reachability.last() {
        Some(report) => report,
        None => app.reachability.look(&app).await,
    })
}

/// `POST /api/v1/instance/reachability`: looks now.
pub async fn check_reachability(State(app): State<App>) -> Json<Arc<Report>> {
    Json(app.reachability.look(&app).await)
}

/// `GET /api/v1/instance/restored`
pub async fn restored(State(app): State<App>) -> Result<Json<Restored>, Problem> {
    let hold = instance::held(&app.pool).await?;
    let runs = if hold.is_some() { live_runs::by_workflow(&app.pool, 200).await? } else { Vec::new() };
    Ok(Json(Restored {
        held: hold.is_some(),
        since: hold.as_ref().map(|hold| hold.since),
        decision: hold.as_ref().and_then(|hold| hold.decision.clone()),
        because: hold.map(|hold| hold.because),
        runs: runs
            .into_iter()
            .map(|live| LiveRuns {
                summary: in_words(&live),
                workspace: live.workspace,
                workflow: live.workflow,
                runnable: live.runnable,
                timed: live.timed,
                undecided: live.undecided,
                refused: live.refused,
                next: live.next,
            })
            .collect(),
        triggers: live_runs::triggers(&app.pool).await?,
    }))
}

/// `POST /api/v1/instance/restored`: `{"decision": "run"}` or `{"decision": "cancel"}`.
pub async fn decide_restored(
    State(app): State<App>,
    actor: Actor,
    Sent(sent): Sent<Decision>,
) -> Result<Json<Restored>, Problem> {
    let decision = match sent.decision {
        WhatBecomes::Run => "run",
        WhatBecomes::Cancel => "cancel",
    };
    decided(&app, &actor, decision).await?;
    restored(State(app)).await
}
