//! The list of runs as JSON, with the filters of the page.

use super::{
    extract::Asked,
    page::{Page, Window},
};
use crate::{
    app::App,
    auth::Actor,
    pages::runs::{list, words},
    problem::Problem,
    store::run_pages::{self, Filter, Row},
};
use axum::{Json as Body, extract::State};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::ids::{RunId, WorkflowId};
use uuid::Uuid;

/// Which runs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Only this workflow's.
    workflow: Option<Uuid>,
    /// Only those that stand so.
    #[schemars(extend("enum" = list::STATES.iter().map(|(word, ..)| *word).collect::<Vec<_>>()))]
    state: Option<String>,
    /// Only those that started since then.
    #[schemars(extend("enum" = list::PERIODS.iter().filter(|(.., back)| back.is_some()).map(|(word, ..)| *word).collect::<Vec<_>>()))]
    period: Option<String>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// How many runs, from 1 to 200; 50 unless given.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// The states of a run.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[allow(dead_code, reason = "describes what `state` answers")]
pub enum RunState {
    Running,
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
    DeadLettered,
}

/// A run in a list.
#[derive(Serialize, JsonSchema)]
pub struct ListedRun {
    pub id: Uuid,
    pub workflow: Uuid,
    pub workflow_name: String,
    pub version: u32,
    #[schemars(with = "RunState")]
    pub state: &'static str,
    /// Why it ended so, where there is something to say.
    pub reason: Option<String>,
    /// What started it, in words.
    pub started_by: String,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// The run whose event this one took up again.
    pub replay_of: Option<Uuid>,
}

impl From<Row> for ListedRun {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            workflow: row.workflow.0,
            state: state(&row),
            workflow_name: row.workflow_name,
            version: row.version,
            reason: row.ended.as_ref().and_then(|ended| ended.reason.clone()),
            started_by: words::started_by(row.trigger_kind).to_string(),
            started_at: row.created_at,
            ended_at: row.ended.as_ref().map(|ended| ended.at),
            replay_of: row.replay_of.map(|id| id.0),
        }
    }
}

/// The state of a run, as programs read it.
pub fn state(row: &Row) -> &'static str {
    match row.ended.as_ref().map(|ended| ended.state) {
        Some(1) => "succeeded",
        Some(3) => "cancelled",
        Some(4) => "dead_lettered",
        Some(_) => "failed",
        None if row.waits.is_some() => "waiting",
        None => "running",
    }
}

/// `GET /api/v1/runs`: the newest first.
pub async fn get(State(app): State<App>, actor: Actor, Asked(wanted): Asked<Wanted>) -> Result<Body<Page<ListedRun>>, Problem> {
    let window = Window::new(wanted.after, wanted.limit)?;
    let state = match wanted.state.as_deref() {
        None => None,
        Some(word) => {
            let known = list::STATES.iter().find(|(known, ..)| *known == word).map(|(.., state)| *state);
            Some(known.ok_or_else(|| Problem::invalid("state", format!("There is no state \"{word}\".")))?)
        }
    };
    let since = match wanted.period.as_deref() {
        None => None,
        Some(word) => {
            let known = list::PERIODS.iter().find(|(known, ..)| *known == word).and_then(|(.., back)| *back);
            Some(app.clock.now() - known.ok_or_else(|| Problem::invalid("period", "Ask for \"hour\", \"day\" or \"week\"."))?)
        }
    };
    let filter = Filter { workflow: wanted.workflow.map(WorkflowId), state, since, before: window.after.map(RunId) };
    let rows = run_pages::list(&app.pool, actor.workspace, &filter, window.rows()).await?;
    Ok(Body(window.page(rows, |row| row.id.to_string(), ListedRun::from)))
}
