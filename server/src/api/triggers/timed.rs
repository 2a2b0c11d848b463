//! Triggers that start by themselves: the next times of a schedule, how a poll stands, and a look right now.

use super::{TriggerView, load};
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    ingest::poll::{self, Busy, Looked},
    problem::{Code, Problem},
    store::{
        self,
        polls::{self, Polled},
        schedules,
    },
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use towpath_engine::{
    Object,
    ids::{WorkflowId, WorkspaceId},
    schedule::Schedule,
};

/// How many times are shown.
const TIMES: usize = 5;
/// The longest cursor that is shown, in characters.
const CURSOR: usize = 300;

/// A published schedule.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "PublishedSchedule")]
pub struct ScheduleView {
    /// Null when no time is left.
    next_at: Option<DateTime<Utc>>,
    /// The last time that was fired.
    last_at: Option<DateTime<Utc>>,
    /// False while the workflow is paused.
    running: bool,
}

/// How a published poll stands.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "PublishedPoll")]
pub struct PollView {
    /// False while the workflow is paused: it goes on from its cursor then.
    running: bool,
    /// The pause between two looks, in seconds.
    every_seconds: u64,
    last_at: Option<DateTime<Utc>>,
    worked_at: Option<DateTime<Utc>>,
    next_at: DateTime<Utc>,
    /// Where the last look ended, as text; null before the first.
    cursor: Option<String>,
    looks: i64,
    /// Looks that found nothing at all.
    quiet: i64,
    seen: i64,
    new: i64,
    duplicate: i64,
    /// Failures in a row, why the last one failed, and what to do.
    failures: i32,
    error: Option<String>,
    hint: Option<String>,
}

impl PollView {
    fn of(app: &App, poll: Polled) -> Self {
        let own = app.registry.poll(&poll.operation).map(towpath_connectors::sdk::poll::Poll::every).unwrap_or_default();
        let cursor = poll.cursor.as_ref().map(|cursor| {
            let text = cursor.to_string();
            if text.chars().count() > CURSOR { text.chars().take(CURSOR).chain(['…']).collect() } else { text }
        });
        Self {
            running: poll.running,
            every_seconds: poll::every(&poll.input, own).as_secs(),
            last_at: poll.last_at,
            worked_at: poll.worked_at,
            next_at: poll.next_at,
            cursor,
            looks: poll.looks,
            quiet: poll.quiet,
            seen: poll.seen,
            new: poll.fresh,
            duplicate: poll.duplicate,
            failures: poll.failures,
            error: poll.error,
            hint: poll.hint,
        }
    }
}

/// The schedule that is published for a workflow.
pub async fn schedule_of(app: &App, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<ScheduleView>, store::Error> {
    let found = schedules::find(&app.pool, workspace, workflow).await?;
    Ok(found.map(|it| ScheduleView { next_at: it.next_at, last_at: it.last_at, running: it.running }))
}

/// The poll that is published for a workflow.
pub async fn poll_of(app: &App, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<PollView>, store::Error> {
    Ok(polls::find(&app.pool, workspace, workflow).await?.map(|poll| PollView::of(app, poll)))
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "SchedulePreview")]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// A schedule trigger's input.
    #[serde(default)]
    input: Object,
    /// From when on; now, unless it is said.
    #[serde(default)]
    after: Option<DateTime<Utc>>,
}

/// What a schedule means.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ScheduleInWords")]
pub struct Previewed {
    /// "Every Monday and Thursday at 09:00"; null while something is wrong.
    words: Option<String>,
    zone: Option<&'static str>,
    /// The next five times, each with what the zone's clock shows then and how far that is from UTC.
    times: Vec<Time>,
    wrong: Vec<Wrong>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ScheduledTime")]
struct Time {
    at: DateTime<Utc>,
    /// `2026-03-29T03:00:00+02:00`
    local: String,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ScheduleMistake")]
struct Wrong {
    field: &'static str,
    message: String,
}

/// `POST /api/v1/schedules/preview`: a schedule in words, and its next five times.
pub async fn preview(State(app): State<App>, Sent(preview): Sent<Preview>) -> Body<Previewed> {
    let after = preview.after.unwrap_or_else(|| app.clock.now());
    Body(match Schedule::read(&preview.input) {
        Ok(schedule) => Previewed {
            words: Some(schedule.to_string()),
            zone: Some(schedule.zone().name()),
            times: schedule
                .upcoming(after, TIMES)
                .into_iter()
                .map(|at| Time { at, local: at.with_timezone(&schedule.zone()).to_rfc3339() })
                .collect(),
            wrong: Vec::new(),
        },
        Err(wrong) => Previewed {
            words: None,
            zone: None,
            times: Vec::new(),
            wrong: wrong.into_iter().map(|it| Wrong { field: it.field, message: it.message }).collect(),
        },
    })
}

/// What a look right now found, and the trigger's card after it.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "PollChecked")]
pub struct Checked {
    #[serde(flatten)]
    looked: Looked,
    trigger: TriggerView,
}

/// `POST /api/v1/workflows/{id}/trigger/check`: looks for news at once. Of a workflow that isn't published, what is found are samples.
pub async fn check(State(app): State<App>, actor: Actor, Path(workflow): Path<WorkflowId>) -> Result<Body<Checked>, Problem> {
    let loaded = load(&app, actor.workspace, workflow).await?;
    let trigger = loaded.draft.filter(|trigger| app.registry.poll(&trigger.operation).is_some()).ok_or_else(|| {
        Problem::new(Code::Conflict, "This workflow's trigger doesn't look for news, so there is nothing to check.")
    })?;
    let published = polls::find(&app.pool, actor.workspace, workflow).await?;
    let looked = match published.filter(|poll| poll.running && poll.operation == trigger.operation) {
        Some(poll) => match app.ingest.polls.look(&app, &poll).await {
            Ok(looked) => looked?,
            Err(Busy) => {
                return Err(Problem::new(Code::Conflict, "It is being looked at just now. The result appears in a moment."));
            }
        },
        None => poll::sample(&app, &actor, workflow, &trigger).await?,
    };
    Ok(Body(Checked { looked, trigger: super::view::of(&app, &actor, workflow).await? }))
}
