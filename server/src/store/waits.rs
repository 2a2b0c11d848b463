//! Sleeping runs: timers, retries and decisions. A row leaves by the journal only: whoever takes it away has woken the run.

use crate::journal::operation::WaitReason;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::{
    ids::{RunId, WorkspaceId},
    workflow::StepPath,
};

/// A time at which a run is to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    pub at: DateTime<Utc>,
    pub run: RunId,
}

/// The next alarms before `until`, of the shards that `node` owns.
pub async fn due(executor: impl PgExecutor<'_>, node: i64, until: DateTime<Utc>, limit: i64) -> sqlx::Result<Vec<Alarm>> {
    let rows = sqlx::query!(
        r#"select w.wake_at as "at!", w.run_id from wait w
           where w.shard in (select id from shard where owner = $1) and w.wake_at < $2
           order by w.wake_at limit $3"#,
        node,
        until,
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| Alarm { at: row.at, run: row.run_id.into() }).collect())
}

/// Why a run sleeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Sleeping {
    pub run: RunId,
    pub step: StepPath,
    pub reason: WaitReason,
    pub wake_at: Option<DateTime<Utc>>,
    pub since: DateTime<Utc>,
}

/// What the run sleeps on, if it does.
pub async fn of_run(executor: impl PgExecutor<'_>, workspace: WorkspaceId, run: RunId) -> sqlx::Result<Option<Sleeping>> {
    let row = sqlx::query!(
        "select step_path, reason, wake_at, since from wait where workspace_id = $1 and run_id = $2 order by since limit 1",
        workspace.0,
        run.0
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.and_then(|row| {
        let reason = WaitReason::from_code(row.reason)?;
        Some(Sleeping { run, step: StepPath(row.step_path), reason, wake_at: row.wake_at, since: row.since })
    }))
}

pub async fn count(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from wait"#).fetch_one(executor).await
}
