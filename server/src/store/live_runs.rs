//! Runs that have not ended, over all workspaces: what a restored instance would take up again.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{RunId, WorkspaceId};

/// A workflow's runs that have not ended.
pub struct Live {
    pub workspace: String,
    pub workflow: String,
    /// Runs that would go on at once.
    pub runnable: i64,
    /// Runs that wait for a time.
    pub timed: i64,
    /// Runs that wait for a person.
    pub undecided: i64,
    /// Runs that wait for a connection.
    pub refused: i64,
    /// When the first of those that wait for a time goes on.
    pub next: Option<DateTime<Utc>>,
}

/// By workflow, the busiest first; at most `limit`.
pub async fn by_workflow(executor: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<Vec<Live>> {
    sqlx::query_as!(
        Live,
        r#"with live as (
             select run_id, workspace_id, workflow_id, true as runnable, null::timestamptz as wake_at, false as refused from job
             union all
             select w.run_id, w.workspace_id, w.workflow_id, false, w.wake_at, w.connection_id is not null from wait w
             where not exists (select 1 from job j where j.run_id = w.run_id))
           select s.name as "workspace!", f.name as "workflow!",
             count(distinct l.run_id) filter (where l.runnable) as "runnable!",
             count(distinct l.run_id) filter (where not l.runnable and l.wake_at is not null) as "timed!",
             count(distinct l.run_id) filter (where not l.runnable and l.wake_at is null and not l.refused) as "undecided!",
             count(distinct l.run_id) filter (where not l.runnable and l.refused) as "refused!",
             min(l.wake_at) as next
           from live l join workspace s on s.id = l.workspace_id join workflow f on f.id = l.workflow_id
           group by s.name, f.id, f.name order by count(distinct l.run_id) desc, f.name limit $1"#,
        limit
    )
    .fetch_all(executor)
    .await
}

/// Every one of them after `after`, in order of their ids; at most `limit`.
pub async fn page(executor: impl PgExecutor<'_>, after: RunId, limit: i64) -> sqlx::Result<Vec<(WorkspaceId, RunId)>> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", run_id as "run_id!" from
             (select workspace_id, run_id from job union select workspace_id, run_id from wait) live
           where run_id > $1 order by run_id limit $2"#,
        after.0,
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| (row.workspace_id.into(), row.run_id.into())).collect())
}

/// Schedules and polls of published workflows: what starts runs by itself.
pub async fn triggers(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select (select count(*) from schedule) + (select count(*) from poll) as "count!""#)
        .fetch_one(executor)
        .await
}

/// When the event of the workspace's oldest run was accepted that has not ended.
pub async fn oldest(connection: &mut PgConnection, workspace: WorkspaceId) -> sqlx::Result<Option<DateTime<Utc>>> {
    let run = sqlx::query_scalar!(
        r#"select run_id as "run_id!" from (
               (select run_id from job where workspace_id = $1 order by run_id limit 1)
               union all (select run_id from wait where workspace_id = $1 order by run_id limit 1)) live
           order by run_id limit 1"#,
        workspace.0
    )
    .fetch_optional(connection)
    .await?;
    // A run's id says when it was made.
    let made = run.and_then(|run| run.get_timestamp()).map(|made| made.to_unix());
    Ok(made.and_then(|(seconds, nanos)| DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)))
}
