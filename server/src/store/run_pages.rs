//! What the pages about runs read: ids of a page by its filter, then the rows of those ids. The engine's own reads and writes
//! of the same tables are elsewhere.

use super::Error;
use crate::journal::operation::{decode_journal, state_code};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use towpath_engine::{
    ids::{RunId, WorkflowId, WorkspaceId},
    record::{EndState, Entry},
};
use uuid::Uuid;

/// Which runs a person asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub workflow: Option<WorkflowId>,
    pub state: Option<State>,
    pub since: Option<DateTime<Utc>>,
    /// Only runs accepted before this one: the next page.
    pub before: Option<RunId>,
}

/// A run's state as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ended(EndState),
    /// Succeeded because a filter ended it.
    Filtered,
    /// Queued or running.
    Active,
    Waiting,
    /// Waiting for a person's word.
    Undecided,
}

/// One run as the list shows it.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: RunId,
    pub workflow: WorkflowId,
    pub workflow_name: String,
    pub version: u32,
    pub trigger_kind: i16,
    pub replay_of: Option<RunId>,
    pub created_at: DateTime<Utc>,
    pub ended: Option<Ended>,
    /// The reason and the time of its first sleeping lane.
    pub waits: Option<(i16, Option<DateTime<Utc>>)>,
}

#[derive(Clone, Debug)]
pub struct Ended {
    pub state: i16,
    pub reason: Option<String>,
    pub error_kind: Option<String>,
    pub at: DateTime<Utc>,
}

/// The smallest id of a moment: UUIDv7 sorts by time.
fn floor(at: DateTime<Utc>) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.timestamp_millis()).unwrap_or(0), &[0; 10]).into_uuid()
}

/// At most `limit` runs, newest first.
pub async fn list(pool: &PgPool, workspace: WorkspaceId, filter: &Filter, limit: i64) -> Result<Vec<Row>, Error> {
    let ids = ids(pool, workspace, filter, limit).await?;
    rows(pool, workspace, &ids).await
}

/// One run, or not found.
pub async fn get(pool: &PgPool, workspace: WorkspaceId, run: RunId) -> Result<Row, Error> {
    rows(pool, workspace, &[run.0]).await?.pop().ok_or(Error::NotFound)
}

async fn ids(pool: &PgPool, workspace: WorkspaceId, filter: &Filter, limit: i64) -> Result<Vec<Uuid>, Error> {
    let workflow = filter.workflow.map(|id| id.0);
    let since = filter.since.map_or(Uuid::nil(), floor);
    let before = filter.before.map_or(Uuid::max(), |id| id.0);
    let ids = match filter.state {
        None => {
            sqlx::query_scalar!(
                r#"select id from run where workspace_id = $1 and ($2::uuid is null or workflow_id = $2) and id >= $3 and id < $4
                   order by id desc limit $5"#,
                workspace.0,
                workflow,
                since,
                before,
                limit
            )
            .fetch_all(pool)
            .await?
        }
        Some(state @ (State::Ended(_) | State::Filtered)) => {
            let (state, filtered) = match state {
                State::Ended(state) => (state_code(state), false),
                _ => (state_code(EndState::Succeeded), true),
            };
            sqlx::query_scalar!(
                r#"select id from run_end
                    where workspace_id = $1 and ($2::uuid is null or workflow_id = $2) and id >= $3 and id < $4
                      and state = $6 and (not $7 or reason = 'filtered')
                    order by id desc limit $5"#,
                workspace.0,
                workflow,
                since,
                before,
                limit,
                state,
                filtered
            )
            .fetch_all(pool)
            .await?
        }
        Some(State::Active) => {
            sqlx::query_scalar!(
                r#"select run_id from job where workspace_id = $1 and ($2::uuid is null or workflow_id = $2) and run_id >= $3 and run_id < $4
                   order by run_id desc limit $5"#,
                workspace.0,
                workflow,
                since,
                before,
                limit
            )
            .fetch_all(pool)
            .await?
        }
        Some(state @ (State::Waiting | State::Undecided)) => {
            sqlx::query_scalar!(
                r#"select distinct run_id from wait
                    where workspace_id = $1 and ($2::uuid is null or workflow_id = $2) and run_id >= $3 and run_id < $4
                      and (not $6 or wake_at is null)
                    order by run_id desc limit $5"#,
                workspace.0,
                workflow,
                since,
                before,
                limit,
                state == State::Undecided
            )
            .fetch_all(pool)
            .await?
        }
    };
    Ok(ids)
}

async fn rows(pool: &PgPool, workspace: WorkspaceId, ids: &[Uuid]) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query!(
        r#"select r.id, r.workflow_id, w.name, r.version, r.trigger_kind, r.replay_of, r.created_at,
                  e.state as "state?", e.reason, e.error_kind, e.finished_at as "finished_at?", s.reason as "wait_reason?", s.wake_at
             from run r
             join workflow w on w.id = r.workflow_id and w.workspace_id = r.workspace_id
             left join run_end e on e.id = r.id
             left join lateral (select reason, wake_at from wait where run_id = r.id order by wake_at nulls first limit 1) s on true
            where r.id = any($1) and r.workspace_id = $2
            order by r.id desc"#,
        ids,
        workspace.0
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Row {
            id: RunId(row.id),
            workflow: WorkflowId(row.workflow_id),
            workflow_name: row.name,
            version: u32::try_from(row.version).unwrap_or_default(),
            trigger_kind: row.trigger_kind,
            replay_of: row.replay_of.map(RunId),
            created_at: row.created_at,
            ended: row.state.zip(row.finished_at).map(|(state, at)| Ended {
                state,
                reason: row.reason,
                error_kind: row.error_kind,
                at,
            }),
            waits: row.wait_reason.map(|reason| (reason, row.wake_at)),
        })
        .collect())
}

/// All that is kept of one run.
pub struct History {
    /// The event's stored form; absent when only the run's facts are kept.
    pub event: Option<Vec<u8>>,
    pub document: serde_json::Value,
    /// In the order in which it happened.
    pub entries: Vec<Entry>,
}

/// The event, the version's document and the records of a run; those that travelled with its end stand after the others.
pub async fn history(pool: &PgPool, workspace: WorkspaceId, run: RunId) -> Result<History, Error> {
    let row = sqlx::query!(
        r#"select r.payload, v.document, e.journal
             from run r
             join workflow_version v on v.workflow_id = r.workflow_id and v.version = r.version and v.workspace_id = r.workspace_id
             left join run_end e on e.id = r.id
            where r.id = $1 and r.workspace_id = $2"#,
        run.0,
        workspace.0
    )
    .fetch_one(pool)
    .await?;
    let records =
        sqlx::query!(r#"select at, body as "body!" from record where run_id = $1 and body is not null order by seq"#, run.0)
            .fetch_all(pool)
            .await?;
    let unreadable = |error: serde_json::Error| Error::Query(sqlx::Error::Decode(error.into()));
    let mut entries = Vec::with_capacity(records.len());
    for row in records {
        entries.push(Entry { at: row.at, record: serde_json::from_slice(&row.body).map_err(unreadable)? });
    }
    if let Some(journal) = row.journal {
        entries.extend(decode_journal(&journal).map_err(unreadable)?);
    }
    Ok(History { event: row.payload, document: row.document, entries })
}

/// The workspace's workflows by name, for a filter; deleted ones too, because their runs stay.
pub async fn workflow_names(pool: &PgPool, workspace: WorkspaceId) -> Result<Vec<(WorkflowId, String)>, Error> {
    let rows =
        sqlx::query!("select id, name from workflow where workspace_id = $1 order by lower(name), id limit 500", workspace.0)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|row| (WorkflowId(row.id), row.name)).collect())
}

/// The version that takes events now; `None` when the workflow isn't published.
pub async fn current_version(pool: &PgPool, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<u32>, Error> {
    let version = sqlx::query_scalar!(
        r#"select published_version as "version!" from workflow
            where id = $1 and workspace_id = $2 and state = 'published' and published_version is not null"#,
        workflow.0,
        workspace.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(version.and_then(|version| u32::try_from(version).ok()))
}
