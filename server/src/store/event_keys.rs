//! `event_key`: events that started a run, by what makes them recognisable. The journal writes them in the commit of the run; here
//! they are read, and forgotten when they are old.

use super::Error;
use crate::journal::EventKey;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use std::collections::HashSet;
use towpath_engine::ids::{RunId, WorkflowId};

/// The run that this event started.
pub async fn first(executor: impl PgExecutor<'_>, workflow: WorkflowId, key: EventKey) -> sqlx::Result<Option<RunId>> {
    sqlx::query_scalar!("select run_id from event_key where workflow_id = $1 and key = $2", workflow.0, &key.0[..])
        .fetch_optional(executor)
        .await
        .map(|run| run.map(RunId))
}

/// Which of these events started a run.
pub async fn known(executor: impl PgExecutor<'_>, workflow: WorkflowId, keys: &[EventKey]) -> Result<HashSet<EventKey>, Error> {
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
    let known = sqlx::query_scalar!("select key from event_key where workflow_id = $1 and key = any($2)", workflow.0, &keys)
        .fetch_all(executor)
        .await?;
    Ok(known.into_iter().filter_map(|key| key.try_into().ok().map(EventKey)).collect())
}

/// Forgets what happened before this moment, at most `most` of them; how many were forgotten.
pub async fn forget(executor: impl PgExecutor<'_>, before: DateTime<Utc>, most: i64) -> sqlx::Result<u64> {
    let forgotten = sqlx::query!(
        "delete from event_key where (workflow_id, key) in (select workflow_id, key from event_key where at < $1 order by at limit $2)",
        before,
        most
    )
    .execute(executor)
    .await?;
    Ok(forgotten.rows_affected())
}

/// Remembers events that started nothing: what was there before anybody looked.
pub async fn remember(
    executor: impl PgExecutor<'_>,
    workflow: WorkflowId,
    keys: &[EventKey],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
    sqlx::query!(
        "insert into event_key (workflow_id, key, run_id, at) select $1, key, $3, $4 from unnest($2::bytea[]) u(key)
         on conflict do nothing",
        workflow.0,
        &keys,
        uuid::Uuid::nil(),
        now
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// These were seen again: what was last seen before `older` counts as seen now, and is remembered for longer.
pub async fn touch(
    executor: impl PgExecutor<'_>,
    workflow: WorkflowId,
    keys: &HashSet<EventKey>,
    now: DateTime<Utc>,
    older: DateTime<Utc>,
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
    sqlx::query!(
        "update event_key set at = $3 where workflow_id = $1 and key = any($2) and at < $4",
        workflow.0,
        &keys,
        now,
        older
    )
    .execute(executor)
    .await?;
    Ok(())
}
