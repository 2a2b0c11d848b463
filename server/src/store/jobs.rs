//! Runs that have something to do. The engine's own table: rows are read by the shard's owner, in the order of acceptance.

use crate::journal::RunRef;
use sqlx::PgExecutor;
use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};
use uuid::Uuid;

/// A run that has a job.
pub struct Job {
    pub run: RunRef,
    pub seq: i64,
    /// How often it was started alone because processes had died before.
    pub recoveries: i16,
    /// It was running alone when a process died.
    pub marked: bool,
}

struct Row {
    run_id: Uuid,
    workspace_id: Uuid,
    workflow_id: Uuid,
    shard: i16,
    seq: i64,
    recoveries: i16,
    marked: bool,
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        let run = RunRef {
            run: row.run_id.into(),
            workspace: row.workspace_id.into(),
            workflow: row.workflow_id.into(),
            shard: row.shard,
        };
        Self { run, seq: row.seq, recoveries: row.recoveries, marked: row.marked }
    }
}

/// A workflow that has jobs.
pub struct Backlog {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub shard: i16,
}

/// The workflows that have jobs.
pub async fn workflows(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Backlog>> {
    let rows = sqlx::query!("select distinct workspace_id, workflow_id, shard from job").fetch_all(executor).await?;
    Ok(rows
        .into_iter()
        .map(|row| Backlog { workspace: row.workspace_id.into(), workflow: row.workflow_id.into(), shard: row.shard })
        .collect())
}

/// The oldest jobs of a workflow that are not among `known`. No high-water mark: the order of the sequence is not the order of
/// the commits.
pub async fn window(
    executor: impl PgExecutor<'_>,
    shard: i16,
    workflow: WorkflowId,
    known: &[Uuid],
    limit: i64,
) -> sqlx::Result<Vec<Job>> {
    let rows = sqlx::query_as!(
        Row,
        "select run_id, workspace_id, workflow_id, shard, seq, recoveries, marked from job
         where shard = $1 and workflow_id = $2 and run_id <> all($3::uuid[]) order by seq limit $4",
        shard,
        workflow.0,
        known,
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(Job::from).collect())
}

/// Those of these runs that have a job.
pub async fn of(executor: impl PgExecutor<'_>, runs: &[Uuid]) -> sqlx::Result<Vec<Job>> {
    let rows = sqlx::query_as!(
        Row,
        "select run_id, workspace_id, workflow_id, shard, seq, recoveries, marked from job where run_id = any($1::uuid[]) order by seq",
        runs
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(Job::from).collect())
}

/// The jobs that may have been under way when a process died: the marked ones, then the oldest.
pub async fn suspects(executor: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<Vec<Job>> {
    let rows = sqlx::query_as!(
        Row,
        "select run_id, workspace_id, workflow_id, shard, seq, recoveries, marked from job order by marked desc, seq limit $1",
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(Job::from).collect())
}

/// Marks a run that is about to be started alone: if the process dies now, this run was there.
pub async fn mark(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<()> {
    sqlx::query!("update job set marked = true, recoveries = recoveries + 1 where run_id = $1", run.0)
        .execute(executor)
        .await
        .map(|_| ())
}

/// The run came through: its mark says nothing any more.
pub async fn unmark(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<()> {
    sqlx::query!("update job set marked = false where run_id = $1", run.0).execute(executor).await.map(|_| ())
}
