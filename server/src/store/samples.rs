//! Samples: the last events that a workflow's trigger saw, parked or run. Read from `parked` and `run`; nothing of its own is stored.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::{WorkflowId, WorkspaceId};
use uuid::Uuid;

/// An event that arrived.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The parked event's id or the run's.
    pub id: Uuid,
    pub is_run: bool,
    pub at: DateTime<Utc>,
    /// The event's stored form.
    pub event: Vec<u8>,
}

/// The newest `limit` events of these kinds, newest first. Replays are left out: their events were there before.
pub async fn newest(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    kinds: &[i16],
    limit: i64,
) -> Result<Vec<Sample>, Error> {
    Ok(sqlx::query_as!(
        Sample,
        r#"select id as "id!", is_run as "is_run!", at as "at!", event as "event!" from (
               (select id, false as is_run, arrived_at as at, event from parked
                where workspace_id = $1 and workflow_id = $2 and trigger_kind = any($3) order by id desc limit $4)
               union all
               (select id, true, created_at, payload from run
                where workspace_id = $1 and workflow_id = $2 and trigger_kind = any($3) and payload is not null order by id desc limit $4)
           ) both_kinds order by id desc limit $4"#,
        workspace.0,
        workflow.0,
        kinds,
        limit
    )
    .fetch_all(executor)
    .await?)
}

/// One event by its id.
pub async fn get(executor: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId, id: Uuid) -> Result<Sample, Error> {
    Ok(sqlx::query_as!(
        Sample,
        r#"select id as "id!", false as "is_run!", arrived_at as "at!", event as "event!" from parked
           where workspace_id = $1 and workflow_id = $2 and id = $3
           union all
           select id, true, created_at, payload from run
           where workspace_id = $1 and workflow_id = $2 and id = $3 and payload is not null"#,
        workspace.0,
        workflow.0,
        id
    )
    .fetch_one(executor)
    .await?)
}
