//! Sleeping runs: timers, retries and decisions. A row leaves by the journal only: whoever takes it away has woken the run.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::RunId;

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
