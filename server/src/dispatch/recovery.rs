//! What an earlier process left: its jobs go on, a window at a time. When processes die in a row, their runs go one at a time and
//! marked, so that the one that kills is found and the innocent are not blamed.

use super::{
    core::Core,
    ready::{Carried, ReadyRun},
    turns,
};
use crate::{
    execute::{Progress, Start},
    journal::{Operation, RunRef, operation::Then},
    store::{jobs, records, runs},
};
use std::{sync::Arc, time::Duration};
use towpath_engine::{
    error::{ErrorKind, StepError},
    ids::RunId,
    record::{End, EndState, FailedStep},
    workflow::StepPath,
};

/// From this many deaths in a row on, recovered runs go one at a time.
const SUSPICIOUS: i16 = 2;
/// A run that was alone when this many processes died is set aside. Whoever kills a server several times within seconds meets the same
/// runs again and again: two deaths prove little.
const GUILTY: i16 = 4;
/// Runs that go one at a time; more than that were never under way at once.
const SUSPECTS: i64 = 512;

/// Takes up what is on disk.
pub async fn recover(core: Arc<Core>) {
    if core.node.deaths >= SUSPICIOUS {
        one_at_a_time(&core).await;
    }
    let workflows = persist("the workflows with jobs", || jobs::workflows(&core.parts.pool)).await;
    let mut ready = core.ready.lock();
    for workflow in &workflows {
        ready.backlog(workflow.workspace, workflow.workflow, workflow.shard);
    }
    drop(ready);
    core.news.notify_one();
}

async fn one_at_a_time(core: &Arc<Core>) {
    let suspects = persist("the recovered runs", || jobs::suspects(&core.parts.pool, SUSPECTS)).await;
    tracing::warn!(deaths = core.node.deaths, runs = suspects.len(), "processes died in a row: recovered runs go one at a time");
    {
        let mut ready = core.ready.lock();
        suspects.iter().for_each(|job| ready.hold(&job.run));
    }
    for job in suspects {
        if core.is_draining() {
            return;
        }
        if job.marked && job.recoveries >= GUILTY {
            quarantine(core, &job.run).await;
        } else {
            let _ = jobs::mark(&core.parts.pool, job.run.run)
                .await
                .inspect_err(|error| tracing::warn!(%error, "a mark was not written"));
            turns::drive_alone(core, ReadyRun { run: job.run, carried: Carried::Nothing }).await;
            let _ = jobs::unmark(&core.parts.pool, job.run.run)
                .await
                .inspect_err(|error| tracing::warn!(%error, "a mark was not taken off"));
        }
        core.ready.lock().forget(&job.run);
        core.news.notify_one();
    }
}

/// Ends a run that was alone when several processes died.
async fn quarantine(core: &Arc<Core>, run: &RunRef) {
    tracing::error!(run = %run.run, "set aside: the server died several times while this run was under way");
    let error = StepError::new(
        ErrorKind::Internal,
        "The server stopped several times while this run was under way, so it was set aside.",
    )
    .hint("Look at what its step receives and returns, then replay it.");
    let step = StepPath(String::new());
    let end = End { state: EndState::DeadLettered, reason: None, error: Some(FailedStep { step, error }) };
    end_run(core, run, &end).await;
}

/// Ends a run from outside of its own loop.
pub async fn end_run(core: &Arc<Core>, run: &RunRef, end: &End) {
    let now = core.parts.clock.now();
    let row = crate::journal::operation::EndRow::new(end, now, now, 0, &[]).after_sleep(true);
    let operation = Operation { run: *run, accept: None, records: Vec::new(), then: Then::End(Box::new(row)), reply: None };
    match core.journal.commit(operation).await {
        Ok(_) => core.callers.ended(run.run, end),
        Err(error) => tracing::error!(%error, run = %run.run, "a run could not be ended"),
    }
}

/// Fills the window of a workflow.
pub async fn refill(core: Arc<Core>, refill: super::ready::Refill) {
    let known: Vec<uuid::Uuid> = refill.known.iter().map(|run| run.0).collect();
    let limit = i64::try_from(super::ready::WINDOW / 2).unwrap_or(i64::MAX);
    let jobs = persist("ready runs", || jobs::window(&core.parts.pool, refill.shard, refill.workflow, &known, limit)).await;
    let more = i64::try_from(jobs.len()).unwrap_or(i64::MAX) >= limit;
    let runs = jobs.into_iter().map(|job| ReadyRun { run: job.run, carried: Carried::Nothing }).collect();
    core.ready.lock().refilled(refill.workflow, runs, more);
    core.news.notify_one();
}

/// Queues those of these runs that turn out to be on disk.
pub async fn look_for(core: Arc<Core>, doubtful: Vec<RunId>) {
    let ids: Vec<uuid::Uuid> = doubtful.iter().map(|run| run.0).collect();
    for job in persist("runs whose commit nobody confirmed", || jobs::of(&core.parts.pool, &ids)).await {
        core.enqueue(job.run);
    }
}

/// A run and its history from disk; `None` when there is nothing to do for it.
pub async fn load(core: &Core, run: RunId) -> Result<Option<Progress>, turns::Trouble> {
    let Some(loaded) = runs::load(&core.parts.pool, run).await? else { return Ok(None) };
    if !loaded.has_job {
        return Ok(None);
    }
    let plan = core.plans.get(loaded.run.workflow, loaded.version).await?;
    let history = records::history(&core.parts.pool, run).await?;
    let vars = core.parts.variables.of(loaded.run.workspace, loaded.event.head.variables).await?;
    let start = Start { run: loaded.run, plan, event: loaded.event, accepted_at: loaded.accepted_at, vars };
    Ok(Some(Progress::resumed(start, &history)))
}

/// Reads until the database answers.
async fn persist<T, F: Future<Output = sqlx::Result<T>>>(what: &str, mut read: impl FnMut() -> F) -> T {
    let mut pause = Duration::from_millis(100);
    loop {
        match read().await {
            Ok(rows) => return rows,
            Err(error) => tracing::warn!(%error, "{what} could not be read; trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}
