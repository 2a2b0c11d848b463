//! Figures over runs, for the home page. They read `run_end`, `wait` and `job`; nothing is counted that a filter of the list of runs
//! doesn't show.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::{ConnectionId, RunId, WorkflowId, WorkspaceId};
use uuid::Uuid;

/// Runs that ended within one slice of the time looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    pub succeeded: i64,
    /// Failed, and given up.
    pub failed: i64,
    pub cancelled: i64,
}

/// A failure, the last ones first.
#[derive(Clone, Debug)]
pub struct Failure {
    pub run: RunId,
    pub workflow: WorkflowId,
    pub workflow_name: String,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
}

/// What sleeps now.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    pub runs: i64,
    /// Runs that wait for a person's word.
    pub undecided: i64,
    pub oldest: Option<Oldest>,
}

#[derive(Clone, Debug)]
pub struct Oldest {
    pub run: RunId,
    pub workflow_name: String,
    pub since: DateTime<Utc>,
}

/// How the runs ended that were accepted since `since`, in slices that begin at `starts` (in order). The first of the answer is what
/// ended before the first start, so there is one more slice than there are starts.
pub async fn ended(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    since: DateTime<Utc>,
    starts: &[DateTime<Utc>],
) -> Result<Vec<Slice>, Error> {
    let rows = sqlx::query!(
        r#"select width_bucket(finished_at, $3::timestamptz[]) as "slice!", state, count(*) as "runs!"
           from run_end where workspace_id = $1 and id >= $2 group by 1, 2"#,
        workspace.0,
        first_id(since),
        starts,
    )
    .fetch_all(db)
    .await?;
    let mut slices = vec![Slice::default(); starts.len() + 1];
    for row in rows {
        let Some(slice) = usize::try_from(row.slice).ok().and_then(|at| slices.get_mut(at)) else { continue };
        match row.state {
            1 => slice.succeeded += row.runs,
            3 => slice.cancelled += row.runs,
            _ => slice.failed += row.runs,
        }
    }
    Ok(slices)
}

/// Runs that are queued or under way.
pub async fn active(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from job where workspace_id = $1"#, workspace.0).fetch_one(db).await?)
}

pub async fn waiting(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<Waiting, Error> {
    // Reason 3 is a decision: see the journal's `WaitReason`.
    let row = sqlx::query!(
        r#"select c.runs as "runs!", c.undecided as "undecided!", o.run_id as "run?", o.name as "name?", o.since as "since?"
           from (select count(distinct run_id) as runs, count(distinct run_id) filter (where reason = 3) as undecided
                 from wait where workspace_id = $1) c
           left join (select t.run_id, w.name, t.since from wait t
                      join workflow w on w.id = t.workflow_id and w.workspace_id = t.workspace_id
                      where t.workspace_id = $1 order by t.since limit 1) o on true"#,
        workspace.0,
    )
    .fetch_one(db)
    .await?;
    let oldest = match (row.run, row.name, row.since) {
        (Some(run), Some(workflow_name), Some(since)) => Some(Oldest { run: RunId(run), workflow_name, since }),
        _ => None,
    };
    Ok(Waiting { runs: row.runs, undecided: row.undecided, oldest })
}

/// How many runs of a workspace wait for each connection that its service refuses: the three that most wait for.
pub async fn refused(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<Vec<Refused>, Error> {
    let rows = sqlx::query!(
        r#"select c.id, c.name, count(distinct w.run_id) as "runs!"
           from connection c join wait w on w.connection_id = c.id
           where c.workspace_id = $1 and c.health in ('expired', 'revoked')
           group by c.id, c.name order by count(distinct w.run_id) desc, c.name limit 3"#,
        workspace.0,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| Refused { connection: ConnectionId(row.id), name: row.name, runs: row.runs }).collect())
}

/// A connection that its service refuses, and the runs that wait for it.
pub struct Refused {
    pub connection: ConnectionId,
    pub name: String,
    pub runs: i64,
}

/// The last failures among the runs accepted since `from`.
pub async fn failures(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    from: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Failure>, Error> {
    let rows = sqlx::query!(
        "select e.id, e.workflow_id, w.name, e.reason, e.finished_at
         from run_end e join workflow w on w.id = e.workflow_id and w.workspace_id = e.workspace_id
         where e.workspace_id = $1 and e.id >= $2 and e.state in (2, 4)
         order by e.finished_at desc limit $3",
        workspace.0,
        first_id(from),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Failure {
            run: RunId(row.id),
            workflow: WorkflowId(row.workflow_id),
            workflow_name: row.name,
            reason: row.reason,
            at: row.finished_at,
        })
        .collect())
}

/// Has the workspace any workflow?
pub async fn any_workflow(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from workflow where workspace_id = $1 and deleted_at is null) as "any!""#,
        workspace.0
    )
    .fetch_one(db)
    .await?)
}

/// The smallest id of a moment: UUIDv7 sorts by time.
fn first_id(at: DateTime<Utc>) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.timestamp_millis()).unwrap_or(0), &[0; 10]).into_uuid()
}
