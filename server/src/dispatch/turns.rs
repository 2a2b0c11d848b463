//! Runs take their turns: into a slot, out of it while they nap, from memory or from disk. What a run does in its turn is the driver's.

use super::{
    core::Core,
    driver::Driver,
    plans::NoPlan,
    ready::{Carried, ReadyRun},
    recovery,
    signals::Ear,
};
use crate::{
    execute::{Progress, Start, broken},
    journal::RunRef,
    metrics::figures,
};
use chrono::{DateTime, Utc};
use std::{sync::Arc, time::Duration};
use towpath_engine::{
    error::{ErrorKind, StepError},
    event::Event,
    record::{End, EndState, FailedStep},
    workflow::StepPath,
};

/// How a run left its driver.
pub enum Left {
    /// It ended, sleeps in the database, or stays a job for the next process.
    Gone,
    /// It naps in memory until then.
    Nap { until: DateTime<Utc>, progress: Box<Progress>, ear: Ear },
}

/// Why a run can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Plan(#[from] NoPlan),
}

/// Takes the runs whose turn it is, as long as there are slots.
pub async fn schedule(core: Arc<Core>) {
    core.released.cancelled().await;
    loop {
        while !core.is_draining()
            && let Some(ready) = core.take_ready()
        {
            let runner = Arc::clone(&core);
            core.spawn_run(async move { in_slot(&runner, ready).await });
        }
        while let Some(refill) = core.take_refill() {
            core.spawn(recovery::refill(Arc::clone(&core), refill));
        }
        core.news.notified().await;
    }
}

async fn in_slot(core: &Arc<Core>, ready: ReadyRun) {
    let run = ready.run;
    match drive(core, ready).await {
        Left::Gone => core.ready.lock().finished(&run, true),
        Left::Nap { until, progress, mut ear } => {
            core.ready.lock().finished(&run, false);
            let napper = Arc::clone(core);
            core.spawn(async move {
                nap(&napper, until, &mut ear).await;
                let cancelled = ear.is_cancelled().is_some();
                let carried = Carried::Nap(Box::new((*progress, ear)));
                if cancelled {
                    // It has nothing left to do outside: no slot is needed.
                    drive_alone(&napper, ReadyRun { run, carried }).await;
                    napper.ready.lock().forget(&run);
                } else {
                    napper.ready.lock().again(run, carried);
                }
                napper.news.notify_one();
            });
        }
    }
    core.news.notify_one();
}

/// Drives a run to where it leaves, napping in place. For runs that go one at a time.
pub async fn drive_alone(core: &Arc<Core>, mut ready: ReadyRun) {
    let run = ready.run;
    while let Left::Nap { until, progress, mut ear } = drive(core, ready).await {
        nap(core, until, &mut ear).await;
        ready = ReadyRun { run, carried: Carried::Nap(Box::new((*progress, ear))) };
    }
}

async fn nap(core: &Core, until: DateTime<Utc>, ear: &mut Ear) {
    let length = (until - core.parts.clock.now()).to_std().unwrap_or_default();
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = ear.news() => {}
    }
}

async fn drive(core: &Arc<Core>, ready: ReadyRun) -> Left {
    let run = ready.run;
    let (progress, ear) = match ready.carried {
        Carried::Nap(carried) => {
            let (progress, ear) = *carried;
            (Some(progress), ear)
        }
        Carried::Fresh(row) => {
            let ear = core.signals.listen(run.run);
            let plan = core.plans.get(run.workflow, u32::try_from(row.version).unwrap_or_default()).await;
            let event = row.event.or_else(|| Event::from_bytes(&row.payload).ok());
            let vars = event.as_ref().and_then(|event| core.parts.variables.at_hand(run.workspace, event.head.variables));
            match (plan, event, vars) {
                (Ok(plan), Some(event), Some(vars)) => {
                    figures().start_lag(core.parts.clock.now() - row.at);
                    (Some(Progress::new(Start { run, plan, event, accepted_at: row.at, vars })), ear)
                }
                _ => (None, ear),
            }
        }
        Carried::Nothing => (None, core.signals.listen(run.run)),
    };
    let progress = match progress {
        Some(progress) => Some(progress),
        None => reload(core, &run).await,
    };
    let left = match progress {
        Some(progress) => Driver::new(core, run, progress, ear).run().await,
        None => Left::Gone,
    };
    if matches!(left, Left::Gone) {
        core.signals.hang_up(run.run);
    }
    left
}

/// Reads a run from disk, however long the database is away. One that can't be run is ended; `None`: there is nothing to do.
pub async fn reload(core: &Arc<Core>, run: &RunRef) -> Option<Progress> {
    loop {
        match recovery::load(core, run.run).await {
            Ok(progress) => return progress,
            Err(Trouble::Plan(NoPlan::NotRunnable(why))) => {
                let error = StepError::new(ErrorKind::InvalidInput, why).hint("Publish the workflow again and replay the run.");
                let step = StepPath(String::new());
                let end = End { state: EndState::Failed, reason: None, error: Some(FailedStep { step, error }) };
                recovery::end_run(core, run, &end).await;
                return None;
            }
            Err(Trouble::Database(sqlx::Error::Decode(error))) => {
                tracing::error!(%error, run = %run.run, "the run can't be read");
                recovery::end_run(core, run, &broken("What is stored about this run can't be read.")).await;
                return None;
            }
            Err(error) => {
                tracing::warn!(%error, run = %run.run, "the run could not be loaded; trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

impl Core {
    fn take_ready(&self) -> Option<ReadyRun> {
        self.ready.lock().next()
    }

    fn take_refill(&self) -> Option<super::ready::Refill> {
        self.ready.lock().refill()
    }
}
