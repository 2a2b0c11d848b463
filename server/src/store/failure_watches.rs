//! `failure_watch`: published workflows that start when a run of another one fails.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

/// A workflow that hears of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub version: i32,
    /// False while the workflow is paused.
    pub running: bool,
    /// What failed before this moment starts nothing.
    pub since: DateTime<Utc>,
    /// Failures that ended up to here were told, but for those that were written late.
    pub told_until: DateTime<Utc>,
}

/// A failure that a workflow was not told of.
#[derive(Clone, Debug)]
pub struct Failure {
    pub watch: Watch,
    pub run: RunId,
    pub failed_workflow: WorkflowId,
    pub failed_name: String,
    pub failed_version: i32,
    pub started_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub reason: Option<String>,
    pub step: Option<String>,
    pub kind: Option<String>,
}

pub async fn find(db: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<Watch>, Error> {
    let row = sqlx::query!(
        "select version, running, since, told_until from failure_watch where workspace_id = $1 and workflow_id = $2",
        workspace.0,
        workflow.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Watch {
        workspace,
        workflow,
        version: row.version,
        running: row.running,
        since: row.since,
        told_until: row.told_until,
    }))
}

/// Stores a watch in the place of what there was.
pub async fn put(connection: &mut PgConnection, watch: &Watch) -> Result<(), Error> {
    sqlx::query!(
        "insert into failure_watch (workflow_id, workspace_id, version, running, since, told_until) values ($1, $2, $3, $4, $5, $6)
         on conflict (workflow_id) do update set version = $3, running = $4, since = $5, told_until = $6 where failure_watch.workspace_id = $2",
        watch.workflow.0,
        watch.workspace.0,
        watch.version,
        watch.running,
        watch.since,
        watch.told_until
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The workflow is started by something else, or gone.
pub async fn remove(connection: &mut PgConnection, workspace: WorkspaceId, workflow: WorkflowId) -> Result<(), Error> {
    sqlx::query!("delete from failure_watch where workspace_id = $1 and workflow_id = $2", workspace.0, workflow.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Failures of every workspace that somebody is to be told of, the oldest first, at most `most`. A run of a workflow that hears of failures
/// itself is none: it would go round in circles. `prefix` and the run's id are what the event's key is the SHA-256 of. An end may be
/// written ten minutes after it happened, because the database was away.
pub async fn due(db: impl PgExecutor<'_>, prefix: &[u8], most: i64) -> Result<Vec<Failure>, Error> {
    let rows = sqlx::query!(
        r#"select f.workspace_id, f.workflow_id, f.version, f.running, f.since, f.told_until, e.id as run, e.workflow_id as failed_workflow,
                  w.name, r.version as failed_version, r.created_at, e.finished_at, e.reason, e.error_step, e.error_kind
             from failure_watch f
             join workflow own on own.id = f.workflow_id and own.workspace_id = f.workspace_id
             join run_end e on e.workspace_id = f.workspace_id and e.finished_at > f.told_until - interval '10 minutes'
             join run r on r.id = e.id and r.workspace_id = e.workspace_id
             join workflow w on w.id = e.workflow_id and w.workspace_id = e.workspace_id
            where f.running and own.state = 'published' and own.published_version = f.version and e.state in (2, 4)
              and e.finished_at > f.since
              and not exists (select 1 from failure_watch other where other.workflow_id = e.workflow_id)
              and not exists (select 1 from event_key k where k.workflow_id = f.workflow_id
                                and k.key = sha256($1::bytea || convert_to(e.id::text, 'UTF8')))
            order by e.finished_at limit $2"#,
        prefix,
        most
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Failure {
            watch: Watch {
                workspace: WorkspaceId(row.workspace_id),
                workflow: WorkflowId(row.workflow_id),
                version: row.version,
                running: row.running,
                since: row.since,
                told_until: row.told_until,
            },
            run: RunId(row.run),
            failed_workflow: WorkflowId(row.failed_workflow),
            failed_name: row.name,
            failed_version: row.failed_version,
            started_at: row.created_at,
            ended_at: row.finished_at,
            reason: row.reason,
            step: row.error_step,
            kind: row.error_kind,
        })
        .collect())
}

/// Failures that ended up to then were told.
pub async fn advance(db: impl PgExecutor<'_>, watch: &Watch, until: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update failure_watch set told_until = $3 where workspace_id = $1 and workflow_id = $2 and told_until < $3",
        watch.workspace.0,
        watch.workflow.0,
        until
    )
    .execute(db)
    .await?;
    Ok(())
}
