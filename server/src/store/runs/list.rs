//! Lists of runs for people: newest first, filtered, a page at a time.

use crate::journal::operation::{WaitReason, state_from_code};
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::{
    ids::{RunId, WorkflowId, WorkspaceId},
    record::EndState,
};

/// What a list may be narrowed to; `None` and empty mean everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub workflow: Option<WorkflowId>,
    pub states: Vec<RunState>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Found in the reason of the end, the failed step, the workflow's name, or as the run's whole id.
    pub text: Option<String>,
    /// As [`towpath_engine::error::ErrorKind`] is written: `timeout`, `not_found`, …
    pub error_kind: Option<String>,
}

/// The states that a list can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Queued or running.
    Running,
    Waiting,
    Succeeded,
    Filtered,
    Failed,
    Cancelled,
    DeadLettered,
}

impl RunState {
    pub const ALL: [Self; 7] =
        [Self::Running, Self::Waiting, Self::Succeeded, Self::Filtered, Self::Failed, Self::Cancelled, Self::DeadLettered];

    /// The word in addresses and statements.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Filtered => "filtered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::DeadLettered => "dead_lettered",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// It has something to do: running, or queued. `Engine::is_running` knows which.
    Queued,
    Waiting {
        reason: WaitReason,
        step: String,
        until: Option<DateTime<Utc>>,
    },
    Succeeded,
    Filtered,
    Failed,
    Cancelled,
    DeadLettered,
    /// Neither an end, nor a wait, nor a job: between two commits as this was read. Read again.
    Moving,
}

impl Status {
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Queued | Self::Waiting { .. } | Self::Moving)
    }
}

/// A run in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub run: RunId,
    pub workflow: WorkflowId,
    /// `None` when the workflow is gone.
    pub workflow_name: Option<String>,
    pub version: i32,
    /// As [`crate::dispatch::TriggerKind`] numbers them.
    pub trigger_kind: i16,
    pub replay_of: Option<RunId>,
    pub status: Status,
    /// Why it ended so: a failed step's message, "filtered", "stopped", or a stop step's words.
    pub reason: Option<String>,
    pub error_step: Option<String>,
    pub error_kind: Option<String>,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// From acceptance to the end, in microseconds.
    pub micros: Option<i64>,
    pub steps: Option<i32>,
}

/// Where the next page goes on: after this run.
pub type Cursor = Option<RunId>;

/// A page of the workspace's runs. Ask for one more than is shown to know whether there is a next page.
pub async fn list(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    filter: &Filter,
    after: Cursor,
    limit: i64,
) -> Result<Vec<Listed>, crate::store::Error> {
    rows(executor, workspace, filter, after, None, limit).await
}

pub(super) async fn one(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    run: RunId,
) -> Result<Option<Listed>, crate::store::Error> {
    Ok(rows(executor, workspace, &Filter::default(), None, Some(run), 1).await?.pop())
}

async fn rows(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    filter: &Filter,
    after: Cursor,
    only: Option<RunId>,
    limit: i64,
) -> Result<Vec<Listed>, crate::store::Error> {
    let states: Option<Vec<String>> =
        (!filter.states.is_empty()).then(|| filter.states.iter().map(|state| state.word().to_owned()).collect());
    let text = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(|text| text.replace('\0', ""));
    let rows = sqlx::query_file!(
        "sql/runs/list.sql",
        workspace.0,
        after.map(|run| run.0),
        filter.workflow.map(|workflow| workflow.0),
        filter.since,
        filter.until,
        states.as_deref(),
        filter.error_kind,
        text,
        only.map(|run| run.0),
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let ended = row.state.and_then(state_from_code);
            let waits = row.wait_reason.and_then(WaitReason::from_code).zip(row.wait_step);
            let status = match (ended, waits) {
                (Some(EndState::Succeeded), _) if row.reason.as_deref() == Some("filtered") => Status::Filtered,
                (Some(EndState::Succeeded), _) => Status::Succeeded,
                (Some(EndState::Failed), _) => Status::Failed,
                (Some(EndState::Cancelled), _) => Status::Cancelled,
                (Some(EndState::DeadLettered), _) => Status::DeadLettered,
                (None, Some((reason, step))) => Status::Waiting { reason, step, until: row.wake_at },
                (None, None) if row.has_job => Status::Queued,
                (None, None) => Status::Moving,
            };
            Listed {
                run: row.id.into(),
                workflow: row.workflow_id.into(),
                workflow_name: row.workflow_name,
                version: row.version,
                trigger_kind: row.trigger_kind,
                replay_of: row.replay_of.map(RunId),
                status,
                reason: row.reason,
                error_step: row.error_step,
                error_kind: row.error_kind,
                started_at: row.created_at,
                finished_at: row.finished_at,
                micros: row.micros,
                steps: row.steps,
            }
        })
        .collect())
}
