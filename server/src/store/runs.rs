//! Accepted events and the runs they started, and how these ended, as the engine reads them. What pages show is read elsewhere.

use crate::journal::{
    RunRef,
    operation::{decode_journal, state_from_code},
};
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::{
    error::{ErrorKind, StepError},
    event::Event,
    ids::{RunId, WorkspaceId},
    record::{End, Entry, FailedStep},
    workflow::StepPath,
};

/// What the engine needs to run it. Its own: it names no workspace.
pub struct Loaded {
    pub run: RunRef,
    pub version: u32,
    pub event: Event,
    pub accepted_at: DateTime<Utc>,
    /// It is runnable: it neither ended nor sleeps.
    pub has_job: bool,
}

/// Loads a run by its id, whatever became of it.
pub async fn load(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<Option<Loaded>> {
    let row = sqlx::query!(
        r#"select workspace_id, workflow_id, shard, version, payload, created_at,
            exists (select 1 from job where run_id = $1) as "has_job!"
           from run where id = $1"#,
        run.0
    )
    .fetch_optional(executor)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let event =
        Event::from_bytes(row.payload.as_deref().unwrap_or_default()).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Loaded {
        run: RunRef { run, workspace: row.workspace_id.into(), workflow: row.workflow_id.into(), shard: row.shard },
        version: u32::try_from(row.version).unwrap_or_default(),
        event,
        accepted_at: row.created_at,
        has_job: row.has_job,
    }))
}

/// How a run ended, if it did. The engine's own.
pub async fn end(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<Option<End>> {
    let row = sqlx::query!("select state, reason, error_step, error_kind from run_end where id = $1", run.0)
        .fetch_optional(executor)
        .await?;
    Ok(row.and_then(|row| end_from(row.state, row.reason, row.error_step, row.error_kind)))
}

/// How a run ended, if it did, and the records that travelled with it. The engine's own.
pub async fn end_with_journal(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<Option<(End, Vec<Entry>)>> {
    let row = sqlx::query!("select state, reason, error_step, error_kind, journal from run_end where id = $1", run.0)
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let journal = row.journal.as_deref().map(decode_journal).transpose().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(end_from(row.state, row.reason, row.error_step, row.error_kind).map(|end| (end, journal.unwrap_or_default())))
}

/// An end as it was stored. The error's hint is in the records only.
fn end_from(state: i16, reason: Option<String>, step: Option<String>, kind: Option<String>) -> Option<End> {
    let state = state_from_code(state)?;
    Some(match step {
        Some(step) => {
            let kind = kind.and_then(|kind| serde_json::from_value(kind.into()).ok()).unwrap_or(ErrorKind::Internal);
            let error = FailedStep { step: StepPath(step), error: StepError::new(kind, reason.unwrap_or_default()) };
            End { state, reason: None, error: Some(error) }
        }
        None => End { state, reason, error: None },
    })
}

/// Is there such a run in the workspace?
pub async fn exists(executor: impl PgExecutor<'_>, workspace: WorkspaceId, run: RunId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from run where id = $1 and workspace_id = $2) as "exists!""#,
        run.0,
        workspace.0
    )
    .fetch_one(executor)
    .await
}
