//! `poll`: what is looked at for workflows whose trigger asks a service for news: the cursor, the time of the next look, what came
//! of the last ones. A cursor moves on only from the look that it was read for.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Json, Object,
    ids::{ConnectionId, WorkflowId, WorkspaceId},
};

/// A workflow's poll.
#[derive(Clone, Debug)]
pub struct Polled {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub version: i32,
    pub operation: String,
    pub connection: Option<ConnectionId>,
    /// The trigger's input.
    pub input: Object,
    /// Where the last look ended; `None` before the first.
    pub cursor: Option<Json>,
    /// SHA-256 of what is looked at.
    pub source: Vec<u8>,
    /// False while the workflow is paused.
    pub running: bool,
    pub next_at: DateTime<Utc>,
    pub last_at: Option<DateTime<Utc>>,
    /// The last look that went well.
    pub worked_at: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: i32,
    pub error: Option<String>,
    pub hint: Option<String>,
    pub looks: i64,
    pub quiet: i64,
    pub seen: i64,
    pub fresh: i64,
    pub duplicate: i64,
}

struct Row {
    workspace_id: uuid::Uuid,
    workflow_id: uuid::Uuid,
    version: i32,
    operation: String,
    connection_id: Option<uuid::Uuid>,
    input: Sql<Object>,
    cursor: Option<Sql<Json>>,
    source: Vec<u8>,
    running: bool,
    next_at: DateTime<Utc>,
    last_at: Option<DateTime<Utc>>,
    worked_at: Option<DateTime<Utc>>,
    failures: i32,
    error: Option<String>,
    hint: Option<String>,
    looks: i64,
    quiet: i64,
    seen: i64,
    fresh: i64,
    duplicate: i64,
}

impl From<Row> for Polled {
    fn from(row: Row) -> Self {
        Self {
            workspace: WorkspaceId(row.workspace_id),
            workflow: WorkflowId(row.workflow_id),
            version: row.version,
            operation: row.operation,
            connection: row.connection_id.map(ConnectionId),
            input: row.input.0,
            cursor: row.cursor.map(|cursor| cursor.0),
            source: row.source,
            running: row.running,
            next_at: row.next_at,
            last_at: row.last_at,
            worked_at: row.worked_at,
            failures: row.failures,
            error: row.error,
            hint: row.hint,
            looks: row.looks,
            quiet: row.quiet,
            seen: row.seen,
            fresh: row.fresh,
            duplicate: row.duplicate,
        }
    }
}

/// The workflow's poll, if it has one.
pub async fn find(executor: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<Polled>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select workspace_id, workflow_id, version, operation, connection_id, input as "input: Sql<Object>", cursor as "cursor: Sql<Json>",
               source, running, next_at, last_at, worked_at, failures, error, hint, looks, quiet, seen, fresh, duplicate
           from poll where workspace_id = $1 and workflow_id = $2"#,
        workspace.0,
        workflow.0
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(Polled::from))
}

/// Stores a poll in the place of what there was.
pub async fn put(connection: &mut PgConnection, poll: &Polled) -> Result<(), Error> {
    sqlx::query!(
        "insert into poll (workflow_id, workspace_id, version, operation, connection_id, input, cursor, source, running, next_at,
             last_at, worked_at, failures, error, hint, looks, quiet, seen, fresh, duplicate)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         on conflict (workflow_id) do update set version = $3, operation = $4, connection_id = $5, input = $6, cursor = $7, source = $8,
             running = $9, next_at = $10, last_at = $11, worked_at = $12, failures = $13, error = $14, hint = $15, looks = $16, quiet = $17,
             seen = $18, fresh = $19, duplicate = $20
         where poll.workspace_id = $2",
        poll.workflow.0,
        poll.workspace.0,
        poll.version,
        poll.operation,
        poll.connection.map(|id| id.0),
        Written(&poll.input) as _,
        poll.cursor.as_ref().map(Sql) as _,
        poll.source,
        poll.running,
        poll.next_at,
        poll.last_at,
        poll.worked_at,
        poll.failures,
        poll.error,
        poll.hint,
        poll.looks,
        poll.quiet,
        poll.seen,
        poll.fresh,
        poll.duplicate
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The workflow is started by something else, or gone.
pub async fn remove(connection: &mut PgConnection, workspace: WorkspaceId, workflow: WorkflowId) -> Result<(), Error> {
    sqlx::query!("delete from poll where workspace_id = $1 and workflow_id = $2", workspace.0, workflow.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// The polls of every workspace whose time has come, the longest due first, at most `most`, without those that are looked at already.
pub async fn due(
    executor: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    busy: &[uuid::Uuid],
    most: i64,
) -> Result<Vec<Polled>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select p.workspace_id, p.workflow_id, p.version, p.operation, p.connection_id, p.input as "input: Sql<Object>",
               p.cursor as "cursor: Sql<Json>", p.source, p.running, p.next_at, p.last_at, p.worked_at, p.failures, p.error, p.hint,
               p.looks, p.quiet, p.seen, p.fresh, p.duplicate
           from poll p join workflow w on w.id = p.workflow_id and w.workspace_id = p.workspace_id
           where p.running and p.next_at <= $1 and w.state = 'published' and w.published_version = p.version and p.workflow_id <> all($2)
           order by p.next_at limit $3"#,
        now,
        busy,
        most
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(Polled::from).collect())
}

/// When the next look of all comes, without those that are under way.
pub async fn next(executor: impl PgExecutor<'_>, busy: &[uuid::Uuid]) -> Result<Option<DateTime<Utc>>, Error> {
    let at = sqlx::query_scalar!(
        r#"select p.next_at from poll p join workflow w on w.id = p.workflow_id and w.workspace_id = p.workspace_id
           where p.running and w.state = 'published' and w.published_version = p.version and p.workflow_id <> all($1)
           order by p.next_at limit 1"#,
        busy
    );
    Ok(at.fetch_optional(executor).await?)
}

/// One page of a look that went well.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    pub cursor: Option<&'a Json>,
    pub next_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
    /// Is it the first page of its look? Looks are counted by those.
    pub first: bool,
    pub seen: i64,
    pub fresh: i64,
    pub duplicate: i64,
}

/// Stores what a page found, once its items are on disk. False when the poll was changed since `from` was read: the page is looked at
/// again then, and its items are known.
pub async fn advance(executor: impl PgExecutor<'_>, from: &Polled, page: &Page<'_>) -> Result<bool, Error> {
    let quiet = page.first && page.seen == 0;
    let done = sqlx::query!(
        "update poll set cursor = $4, next_at = $5, last_at = $6, worked_at = $6, failures = 0, error = null, hint = null,
             looks = looks + $7, quiet = quiet + $8, seen = seen + $9, fresh = fresh + $10, duplicate = duplicate + $11
         where workspace_id = $1 and workflow_id = $2 and source = $3 and cursor::text is not distinct from ($12::json)::text",
        from.workspace.0,
        from.workflow.0,
        from.source,
        page.cursor.map(Sql) as _,
        page.next_at,
        page.now,
        i64::from(page.first),
        i64::from(quiet),
        page.seen,
        page.fresh,
        page.duplicate,
        from.cursor.as_ref().map(Sql) as _
    )
    .execute(executor)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Stores why a look failed. The cursor stays.
pub async fn fail(
    executor: impl PgExecutor<'_>,
    from: &Polled,
    now: DateTime<Utc>,
    next_at: DateTime<Utc>,
    error: &str,
    hint: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        "update poll set next_at = $4, last_at = $5, failures = failures + 1, error = $6, hint = $7, looks = looks + 1
         where workspace_id = $1 and workflow_id = $2 and source = $3",
        from.workspace.0,
        from.workflow.0,
        from.source,
        next_at,
        now,
        error,
        hint
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Polls that don't fit their workflows any more.
pub async fn stale(executor: impl PgExecutor<'_>) -> Result<Vec<(WorkspaceId, WorkflowId)>, Error> {
    let rows = sqlx::query!(
        "select p.workspace_id, p.workflow_id from poll p
         join workflow w on w.id = p.workflow_id and w.workspace_id = p.workspace_id
         where p.running <> (w.state = 'published') or w.published_version is distinct from p.version or w.deleted_at is not null"
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), WorkflowId(row.workflow_id))).collect())
}
