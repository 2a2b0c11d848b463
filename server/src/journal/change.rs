//! Changes of who is awake: a timer that fires, a person's decision, a cancel request. Each is one fenced statement, and of two
//! that want the same lane the first commit wins.

use super::operation::{Failure, RecordRow, RunRef, WaitReason};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::sync::oneshot;
use towpath_engine::{
    ids::{RunId, WorkspaceId},
    workflow::StepPath,
};
use uuid::Uuid;

/// A change and who wants to know.
pub enum Change {
    /// The time of these runs' waits has come.
    Wake { runs: Vec<RunId>, now: DateTime<Utc>, reply: oneshot::Sender<Result<Vec<Woken>, Failure>> },
    /// These runs wait for connections that may be used again; those that still may not are left asleep.
    Renew { runs: Vec<RunId>, now: DateTime<Utc>, reply: oneshot::Sender<Result<Vec<Woken>, Failure>> },
    /// These runs wait for others that have ended.
    Return { runs: Vec<RunId>, now: DateTime<Utc>, reply: oneshot::Sender<Result<Vec<Woken>, Failure>> },
    /// A person decided about the wait of this step; the record goes in only if the wait is still there.
    Decide {
        workspace: WorkspaceId,
        run: RunId,
        step: StepPath,
        record: Box<RecordRow>,
        reply: oneshot::Sender<Result<Option<Woken>, Failure>>,
    },
    /// Somebody wants the run to stop; the record goes in only if the run is live.
    Cancel { workspace: WorkspaceId, run: RunId, record: Box<RecordRow>, reply: oneshot::Sender<Result<Cancelled, Failure>> },
}

/// A run that has a job again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Woken {
    pub run: RunRef,
    pub seq: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It slept, and has a job again.
    Woken(Woken),
    /// It has a job.
    Running(RunRef),
    /// It ended before, or never was.
    NotLive,
}

/// What a change wrote. `None`: nothing, the fence is lost.
pub enum Outcome {
    Wake(Option<Vec<Woken>>),
    Decide(Option<Option<Woken>>),
    Cancel(Option<Cancelled>),
}

impl Change {
    /// Writes the change. An error leaves everything as it was, for a repeat.
    pub async fn write(&self, node: i64, connection: &mut PgConnection) -> sqlx::Result<Outcome> {
        Ok(match self {
            Self::Wake { runs, now, .. } => Outcome::Wake(wake(node, runs, *now, connection).await?),
            Self::Renew { runs, now, .. } => Outcome::Wake(renew(node, runs, *now, connection).await?),
            Self::Return { runs, now, .. } => Outcome::Wake(returned(node, runs, *now, connection).await?),
            Self::Decide { workspace, run, step, record, .. } => {
                Outcome::Decide(decide(node, *workspace, *run, step, record, connection).await?)
            }
            Self::Cancel { workspace, run, record, .. } => {
                Outcome::Cancel(cancel(node, *workspace, *run, record, connection).await?)
            }
        })
    }

    /// Tells who asked what was written; false when the fence is lost.
    pub fn settle(self, outcome: Outcome) -> bool {
        match (self, outcome) {
            (Self::Wake { reply, .. } | Self::Renew { reply, .. } | Self::Return { reply, .. }, Outcome::Wake(answer)) => {
                settle(reply, answer)
            }
            (Self::Decide { reply, .. }, Outcome::Decide(answer)) => settle(reply, answer),
            (Self::Cancel { reply, .. }, Outcome::Cancel(answer)) => settle(reply, answer),
            (change, _) => {
                change.refuse(&Failure::Rejected("the answer belongs to another change".into()));
                true
            }
        }
    }

    pub fn refuse(self, failure: &Failure) {
        match self {
            Self::Wake { reply, .. } | Self::Renew { reply, .. } | Self::Return { reply, .. } => {
                tell(reply, Err(failure.clone()))
            }
            Self::Decide { reply, .. } => tell(reply, Err(failure.clone())),
            Self::Cancel { reply, .. } => tell(reply, Err(failure.clone())),
        }
    }
}

fn settle<T>(reply: oneshot::Sender<Result<T, Failure>>, answer: Option<T>) -> bool {
    let go = answer.is_some();
    tell(reply, answer.ok_or(Failure::Fenced));
    go
}

fn tell<T>(reply: oneshot::Sender<T>, answer: T) {
    // An error means that who asked is gone.
    let _ = reply.send(answer);
}

async fn wake(node: i64, runs: &[RunId], now: DateTime<Utc>, connection: &mut PgConnection) -> sqlx::Result<Option<Vec<Woken>>> {
    let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
    let timed = [WaitReason::Timer as i16, WaitReason::Retry as i16];
    let rows = sqlx::query_file!("sql/journal/wake.sql", node, &ids, now, &timed[..]).fetch_all(&mut *connection).await?;
    let woken: Vec<Woken> = rows
        .into_iter()
        .map(|row| Woken { run: run_ref(row.run_id, row.workspace_id, row.workflow_id, row.shard), seq: row.seq })
        .collect();
    // Nothing was woken: because everything was awake, or because this process may not.
    if woken.is_empty() && !alive(node, connection).await? {
        return Ok(None);
    }
    Ok(Some(woken))
}

async fn renew(node: i64, runs: &[RunId], now: DateTime<Utc>, connection: &mut PgConnection) -> sqlx::Result<Option<Vec<Woken>>> {
    let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
    let rows = sqlx::query_file!("sql/journal/renew.sql", node, &ids, now).fetch_all(&mut *connection).await?;
    let woken: Vec<Woken> = rows
        .into_iter()
        .map(|row| Woken { run: run_ref(row.run_id, row.workspace_id, row.workflow_id, row.shard), seq: row.seq })
        .collect();
    if woken.is_empty() && !alive(node, connection).await? {
        return Ok(None);
    }
    Ok(Some(woken))
}

async fn returned(
    node: i64,
    runs: &[RunId],
    now: DateTime<Utc>,
    connection: &mut PgConnection,
) -> sqlx::Result<Option<Vec<Woken>>> {
    let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
    let rows = sqlx::query_file!("sql/journal/returned.sql", node, &ids, now).fetch_all(&mut *connection).await?;
    let woken: Vec<Woken> = rows
        .into_iter()
        .map(|row| Woken { run: run_ref(row.run_id, row.workspace_id, row.workflow_id, row.shard), seq: row.seq })
        .collect();
    if woken.is_empty() && !alive(node, connection).await? {
        return Ok(None);
    }
    Ok(Some(woken))
}

fn run_ref(run: Uuid, workspace: Uuid, workflow: Uuid, shard: i16) -> RunRef {
    RunRef { run: run.into(), workspace: workspace.into(), workflow: workflow.into(), shard }
}

async fn decide(
    node: i64,
    workspace: WorkspaceId,
    run: RunId,
    step: &StepPath,
    record: &RecordRow,
    connection: &mut PgConnection,
) -> sqlx::Result<Option<Option<Woken>>> {
    let answered = [WaitReason::Decision as i16, WaitReason::Connection as i16];
    let row = sqlx::query_file!(
        "sql/journal/decide.sql",
        node,
        run.0,
        workspace.0,
        step.0,
        &answered[..],
        record.attempt,
        record.kind,
        record.at,
        record.body,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let woken =
        row.map(|row| Woken { run: RunRef { run, workspace, workflow: row.workflow_id.into(), shard: row.shard }, seq: row.seq });
    if woken.is_none() && !alive(node, connection).await? {
        return Ok(None);
    }
    Ok(Some(woken))
}

async fn cancel(
    node: i64,
    workspace: WorkspaceId,
    run: RunId,
    record: &RecordRow,
    connection: &mut PgConnection,
) -> sqlx::Result<Option<Cancelled>> {
    let row = sqlx::query_file!("sql/journal/cancel.sql", node, run.0, workspace.0, record.kind, record.at, record.body)
        .fetch_one(&mut *connection)
        .await?;
    if !row.go {
        return Ok(None);
    }
    let (Some(workflow), Some(shard)) = (row.workflow_id, row.shard) else { return Ok(Some(Cancelled::NotLive)) };
    let run = RunRef { run, workspace, workflow: workflow.into(), shard };
    Ok(Some(match row.seq {
        Some(seq) => Cancelled::Woken(Woken { run, seq }),
        None => Cancelled::Running(run),
    }))
}

async fn alive(node: i64, connection: &mut PgConnection) -> sqlx::Result<bool> {
    let alive = sqlx::query_scalar!("select alive from node where id = $1", node).fetch_optional(connection).await?;
    Ok(alive == Some(true))
}
