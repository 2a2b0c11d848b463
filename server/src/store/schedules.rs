//! `schedule`: the next slot of each published workflow that a schedule starts. A slot is moved on only from where it was seen, so that
//! two who fire the same one don't both move it.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Object,
    ids::{WorkflowId, WorkspaceId},
};

/// A workflow's schedule.
#[derive(Clone, Debug)]
pub struct Scheduled {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub version: i32,
    /// The trigger's input.
    pub input: Object,
    /// The data base of time zones that `next_at` was worked out with.
    pub zones: String,
    /// `None`: there is no further slot.
    pub next_at: Option<DateTime<Utc>>,
    /// False while the workflow is paused.
    pub running: bool,
    /// The last slot that was fired.
    pub last_at: Option<DateTime<Utc>>,
}

/// The workflow's schedule, if it has one.
pub async fn find(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
) -> Result<Option<Scheduled>, Error> {
    let row = sqlx::query!(
        r#"select version, input as "input: Sql<Object>", zones, next_at, running, last_at from schedule
           where workspace_id = $1 and workflow_id = $2"#,
        workspace.0,
        workflow.0
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| Scheduled {
        workspace,
        workflow,
        version: row.version,
        input: row.input.0,
        zones: row.zones,
        next_at: row.next_at,
        running: row.running,
        last_at: row.last_at,
    }))
}

/// Stores a schedule in the place of what there was.
pub async fn put(connection: &mut PgConnection, scheduled: &Scheduled) -> Result<(), Error> {
    sqlx::query!(
        "insert into schedule (workflow_id, workspace_id, version, input, zones, next_at, running, last_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (workflow_id) do update set version = $3, input = $4, zones = $5, next_at = $6, running = $7, last_at = $8
         where schedule.workspace_id = $2",
        scheduled.workflow.0,
        scheduled.workspace.0,
        scheduled.version,
        Written(&scheduled.input) as _,
        scheduled.zones,
        scheduled.next_at,
        scheduled.running,
        scheduled.last_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The workflow is started by something else, or gone.
pub async fn remove(connection: &mut PgConnection, workspace: WorkspaceId, workflow: WorkflowId) -> Result<(), Error> {
    sqlx::query!("delete from schedule where workspace_id = $1 and workflow_id = $2", workspace.0, workflow.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// A slot whose time has come.
#[derive(Clone, Debug)]
pub struct DueSlot {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub version: i32,
    pub input: Object,
    pub next_at: DateTime<Utc>,
}

/// The slots of every workspace whose time has come, the oldest first, at most `most`. A workflow whose state or version has
/// changed since its row was written isn't among them.
pub async fn due(executor: impl PgExecutor<'_>, now: DateTime<Utc>, most: i64) -> Result<Vec<DueSlot>, Error> {
    let rows = sqlx::query!(
        r#"select s.workspace_id, s.workflow_id, s.version, s.input as "input: Sql<Object>", s.next_at as "next_at!"
           from schedule s join workflow w on w.id = s.workflow_id and w.workspace_id = s.workspace_id
           where s.running and s.next_at <= $1 and w.state = 'published' and w.published_version = s.version
           order by s.next_at limit $2"#,
        now,
        most
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DueSlot {
            workspace: WorkspaceId(row.workspace_id),
            workflow: WorkflowId(row.workflow_id),
            version: row.version,
            input: row.input.0,
            next_at: row.next_at,
        })
        .collect())
}

/// When the next slot of all comes.
pub async fn next(executor: impl PgExecutor<'_>) -> Result<Option<DateTime<Utc>>, Error> {
    let row = sqlx::query_scalar!(
        r#"select s.next_at as "next_at!" from schedule s join workflow w on w.id = s.workflow_id and w.workspace_id = s.workspace_id
           where s.running and s.next_at is not null and w.state = 'published' and w.published_version = s.version
           order by s.next_at limit 1"#
    );
    Ok(row.fetch_optional(executor).await?)
}

/// Moves slots on that were fired, each only from where it was seen.
pub async fn advance(executor: impl PgExecutor<'_>, moves: &[Move]) -> Result<u64, Error> {
    let workspaces: Vec<_> = moves.iter().map(|it| it.workspace.0).collect();
    let workflows: Vec<_> = moves.iter().map(|it| it.workflow.0).collect();
    let from: Vec<_> = moves.iter().map(|it| it.from).collect();
    let to: Vec<_> = moves.iter().map(|it| it.to).collect();
    let fired: Vec<_> = moves.iter().map(|it| it.fired).collect();
    let done = sqlx::query!(
        "update schedule s set next_at = m.target, last_at = coalesce(m.fired, s.last_at)
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[]) m(workspace_id, workflow_id, seen, target, fired)
         where s.workflow_id = m.workflow_id and s.workspace_id = m.workspace_id and s.next_at = m.seen",
        &workspaces,
        &workflows,
        &from,
        &to as &[Option<DateTime<Utc>>],
        &fired as &[Option<DateTime<Utc>>]
    )
    .execute(executor)
    .await?;
    Ok(done.rows_affected())
}

/// One schedule moves on.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub from: DateTime<Utc>,
    pub to: Option<DateTime<Utc>>,
    /// The last slot that started something.
    pub fired: Option<DateTime<Utc>>,
}

/// Schedules that don't fit their workflows any more, or that were worked out with another data base of zones than `zones`.
pub async fn stale(executor: impl PgExecutor<'_>, zones: &str) -> Result<Vec<(WorkspaceId, WorkflowId)>, Error> {
    let rows = sqlx::query!(
        "select s.workspace_id, s.workflow_id from schedule s
         join workflow w on w.id = s.workflow_id and w.workspace_id = s.workspace_id
         where s.zones <> $1 or s.running <> (w.state = 'published') or w.published_version is distinct from s.version or w.deleted_at is not null",
        zones
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), WorkflowId(row.workflow_id))).collect())
}
