//! Stopping a run, and a person's word on an uncertain effect. Both are records; whoever commits first wins.

use super::{
    RunChange,
    callers::{For, News, Waiting},
    core::Core,
    driver::change,
    ready::{Carried, ReadyRun},
    signals::CancelRequest,
    turns::drive_alone,
};
use crate::{
    journal::{Cancelled, Change, Failure, RunRef, operation::RecordRow},
    store::{records, runs},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use towpath_engine::{
    ids::{RunId, WorkspaceId},
    record::{Decision, EndState, Entry, Record, WaitOn},
    state::RunState,
    workflow::StepPath,
};

/// How long a request waits to see the run end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks by itself: a pure run tells nobody that it ended.
const LOOK: Duration = Duration::from_millis(100);

/// What a request about a run can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Asks a run to stop, and waits a while for its end.
pub async fn request(core: &Arc<Core>, workspace: WorkspaceId, run: RunId, by: &str) -> Result<RunChange, Trouble> {
    let mut news = core.callers.wait(run, For::End);
    let request = CancelRequest { by: by.to_owned(), at: core.parts.clock.now() };
    let record = Box::new(RecordRow::new(0, &request.entry()));
    let asked = change(core, |reply| Change::Cancel { workspace, run, record, reply }).await;
    match asked {
        Ok(Cancelled::NotLive) => over(core, workspace, run).await,
        Ok(Cancelled::Woken(woken)) => {
            drive(core, woken.run);
            ended(core, run, &mut news).await
        }
        Ok(Cancelled::Running(live)) => {
            core.signals.cancel(run, request);
            drive(core, live);
            let result = ended(core, run, &mut news).await;
            core.signals.forget(run);
            result
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Ends a run that nobody drives, without waiting for a slot: there is nothing left to do outside.
fn drive(core: &Arc<Core>, run: RunRef) {
    if core.ready.lock().claim(&run) {
        let driver = Arc::clone(core);
        core.spawn_run(async move {
            drive_alone(&driver, ReadyRun { run, carried: Carried::Nothing }).await;
            driver.ready.lock().forget(&run);
            driver.news.notify_one();
        });
    }
}

async fn over(core: &Core, workspace: WorkspaceId, run: RunId) -> Result<RunChange, Trouble> {
    if !runs::exists(&core.parts.pool, workspace, run).await? {
        return Ok(RunChange::NotFound);
    }
    Ok(match runs::end(&core.parts.pool, run).await? {
        Some(end) => RunChange::AlreadyEnded(word(end.state).into()),
        None => RunChange::NotFound,
    })
}

/// Waits for the end that the request leads to, or that came before it.
async fn ended(core: &Core, run: RunId, news: &mut Waiting<'_>) -> Result<RunChange, Trouble> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let end = match news.until(Instant::now() + LOOK).await {
            Some(News::Ended(end)) => Some(end),
            _ => runs::end(&core.parts.pool, run).await?,
        };
        if let Some(end) = end {
            return Ok(match end.state {
                EndState::Cancelled => RunChange::Done,
                other => RunChange::AlreadyEnded(word(other).into()),
            });
        }
    }
    // The request is on disk: the run ends when its step lets it.
    Ok(RunChange::Done)
}

/// Writes a person's word, if the run waits for one at this step, or for a connection.
pub async fn decide(
    core: &Core,
    workspace: WorkspaceId,
    run: RunId,
    step: &StepPath,
    by: &str,
    decision: Decision,
) -> Result<RunChange, Trouble> {
    if !runs::exists(&core.parts.pool, workspace, run).await? {
        return Ok(RunChange::NotFound);
    }
    let history = records::history(&core.parts.pool, run).await?;
    let state = RunState::fold(run, history.iter().map(|entry| &entry.record));
    let asks = |on: &WaitOn| matches!(on, WaitOn::Decision | WaitOn::Connection { .. });
    let mut questions = state.waits().filter(|(waiting, _, on)| *waiting == step && asks(on));
    let Some(attempt) = questions.next().map(|(_, attempt, _)| attempt) else {
        return Ok(match runs::end(&core.parts.pool, run).await? {
            Some(end) => RunChange::AlreadyEnded(word(end.state).into()),
            None => RunChange::NotWaiting,
        });
    };
    let record = Record::Decided { step: step.clone(), attempt, by: by.to_owned(), decision };
    write(core, workspace, run, &Entry { at: core.parts.clock.now(), record }).await
}

/// Writes a decision, if the table of waits still asks for it, and tells whoever drives the run.
pub async fn write(core: &Core, workspace: WorkspaceId, run: RunId, entry: &Entry) -> Result<RunChange, Trouble> {
    let Some(step) = entry.record.step().cloned() else { return Ok(RunChange::NotWaiting) };
    let record = Box::new(RecordRow::new(0, entry));
    match change(core, |reply| Change::Decide { workspace, run, step, record, reply }).await? {
        Some(woken) => {
            core.signals.decided(run, entry.clone());
            core.publish(woken.run);
            core.enqueue(woken.run);
            Ok(RunChange::Done)
        }
        None => Ok(RunChange::NotWaiting),
    }
}

/// The state's word in the API.
pub fn word(state: EndState) -> &'static str {
    match state {
        EndState::Succeeded => "succeeded",
        EndState::Failed => "failed",
        EndState::Cancelled => "cancelled",
        EndState::DeadLettered => "dead_lettered",
    }
}
