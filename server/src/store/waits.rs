//! Sleeping runs: timers, retries, decisions and connections. A row leaves by the journal only: whoever takes it away has woken the run.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::{ConnectionId, RunId, WorkspaceId};

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

/// Runs of the shards that `node` owns whose connection may be used again, or was deleted; at most `limit`.
pub async fn renewed(executor: impl PgExecutor<'_>, node: i64, limit: i64) -> sqlx::Result<Vec<RunId>> {
    let rows = sqlx::query_scalar!(
        "select distinct w.run_id from wait w left join connection c on c.id = w.connection_id
         where w.connection_id is not null and w.shard in (select id from shard where owner = $1)
           and (c.id is null or c.health not in ('expired', 'revoked'))
         order by w.run_id limit $2",
        node,
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(RunId::from).collect())
}

/// How many runs wait for this connection.
pub async fn for_connection(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: ConnectionId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(distinct run_id) as "count!" from wait where connection_id = $2 and workspace_id = $1"#,
        workspace.0,
        id.0
    )
    .fetch_one(executor)
    .await
}
