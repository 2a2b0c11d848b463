//! Sleeping runs: timers, retries, decisions, connections and called runs. A row leaves by the journal only: whoever takes it away has woken the run.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::{ConnectionId, RunId, WorkspaceId};
use uuid::Uuid;

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

/// Runs of the shards that `node` owns that wait for a run which has ended, with that run: for these runs alone, or for any; at most
/// `limit`.
pub async fn returned(
    executor: impl PgExecutor<'_>,
    node: i64,
    children: Option<&[RunId]>,
    limit: i64,
) -> sqlx::Result<Vec<(RunId, RunId)>> {
    let ids: Option<Vec<Uuid>> = children.map(|children| children.iter().map(|child| child.0).collect());
    // Scalar subqueries by id, so that no plan can read all ends.
    let rows = sqlx::query!(
        r#"select w.run_id, w.child_id as "child_id!" from wait w
           where w.child_id is not null and ($2::uuid[] is null or w.child_id = any($2))
             and w.shard in (select id from shard where owner = $1)
             and (select e.id from run_end e where e.id = w.child_id) is not null
           limit $3"#,
        node,
        ids.as_deref(),
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| (row.run_id.into(), row.child_id.into())).collect())
}

/// The runs that others wait for; at most `limit`.
pub async fn children(executor: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<Vec<RunId>> {
    let rows = sqlx::query_scalar!(r#"select child_id as "child!" from wait where child_id is not null limit $1"#, limit);
    Ok(rows.fetch_all(executor).await?.into_iter().map(RunId::from).collect())
}
