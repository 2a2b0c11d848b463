//! What the pages about runs read: ids of a page by its filter, then the rows of those ids. The engine's own reads and writes
//! of the same tables are elsewhere.

use super::{
    Error,
    rounds::{self, Counts},
};
use crate::journal::operation::{OPENED, decode_journal, state_code};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use std::collections::HashMap;
use towpath_engine::{
    ids::{RunId, WorkflowId, WorkspaceId},
    record::{EndState, Entry, Record},
    workflow::{LinePath, StepPath},
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
                      and (not $6 or reason = 3)
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

/// What is kept of one run.
pub struct History {
    /// The event's stored form; absent when only the run's facts are kept.
    pub event: Option<Vec<u8>>,
    pub document: serde_json::Value,
    /// In the order in which it happened: everything outside of loops, and what happened in the round that is looked at.
    pub entries: Vec<Entry>,
    /// How the rounds of its loops ended, by the loops' paths: of those that are in no other loop.
    pub rounds: HashMap<StepPath, Counts>,
    /// The ends of rounds that travelled with the run's end, and are no rows of their own.
    pub tail: Vec<Entry>,
}

/// The event, the version's document and the records of a run; those that travelled with its end stand after the others. `looking`: the
/// round of a loop that is looked at, or a line inside it.
pub async fn history(pool: &PgPool, workspace: WorkspaceId, run: RunId, looking: Option<&LinePath>) -> Result<History, Error> {
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
    let unreadable = |error: serde_json::Error| Error::Query(sqlx::Error::Decode(error.into()));
    let journal = row.journal.as_deref().map(decode_journal).transpose().map_err(unreadable)?.unwrap_or_default();
    let loops = loops(pool, run, &journal).await?;
    let outer: Vec<String> = loops.iter().map(|step| step.0.clone()).collect();
    let records = sqlx::query!(
        r#"select at, body as "body!" from record r where run_id = $1 and body is not null
              and not exists (select 1 from unnest($2::text[]) outer_loop where starts_with(r.step_path, outer_loop || '['))
            order by seq, at"#,
        run.0,
        &outer
    )
    .fetch_all(pool)
    .await?;
    let mut entries = Vec::with_capacity(records.len());
    for row in records {
        entries.push(rounds::entry(row.at, &row.body)?);
    }
    let mut counts = HashMap::new();
    for step in &loops {
        counts.insert(step.clone(), rounds::counts(pool, workspace, run, step).await?);
    }
    let shown = looking.and_then(|line| round_of(&loops, line));
    if let Some(round) = &shown {
        entries.extend(rounds::of_line(pool, workspace, run, round).await?);
    }
    let mut tail = Vec::new();
    for entry in journal {
        let place = LinePath(entry.record.place().to_owned());
        if let Record::LineEnded { line, end, .. } = &entry.record
            && let Some(counts) = line.opener().and_then(|(step, _)| counts.get_mut(&step))
        {
            counts.add(end);
            tail.push(entry.clone());
        }
        let inside = loops.iter().any(|step| place.is_opened_by(step));
        if !inside || shown.as_ref().is_some_and(|round| place == *round || place.is_inside(round)) {
            entries.push(entry);
        }
    }
    Ok(History { event: row.payload, document: row.document, entries, rounds: counts, tail })
}

/// The loops of a run that are in no other loop.
async fn loops(pool: &PgPool, run: RunId, journal: &[Entry]) -> Result<Vec<StepPath>, Error> {
    // Lanes hold few lines; the lines of loops are many, and none of theirs is asked for.
    let rows = sqlx::query!(
        r#"select at, body as "body!" from record where run_id = $1 and kind = $2 and body is not null order by length(step_path) limit 2000"#,
        run.0,
        OPENED
    )
    .fetch_all(pool)
    .await?;
    let mut opened = Vec::new();
    for row in rows {
        opened.push(rounds::entry(row.at, &row.body)?);
    }
    let mut loops: Vec<StepPath> = Vec::new();
    for entry in opened.iter().chain(journal) {
        if let Record::Opened { step, kind, .. } = &entry.record
            && kind.is_loop()
            && !loops.iter().any(|outer| step == outer || step.line().is_opened_by(outer))
        {
            loops.push(step.clone());
        }
    }
    Ok(loops)
}

/// The round of one of these loops that the line is, or is inside of.
fn round_of(loops: &[StepPath], line: &LinePath) -> Option<LinePath> {
    let around = std::iter::successors(Some(line.clone()), |line| line.opener().map(|(step, _)| step.line()));
    around.take_while(|line| !line.is_run()).find(|line| line.opener().is_some_and(|(step, _)| loops.contains(&step)))
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
