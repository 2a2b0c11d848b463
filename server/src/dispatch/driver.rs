//! Drives one run: asks what it needs, does it, and puts on disk what has to be there. The rules are the engine's; the order in
//! which things are awaited here is what makes them true.

use super::{
    For,
    core::Core,
    plans::NoPlan,
    ready::{Carried, ReadyRun},
    recovery,
    signals::Ear,
};
use crate::{
    execute::{Acting, Attempt, Need, Progress, Start, act, broken},
    journal::{
        Change, Committed, Failure, Operation, RunRef,
        operation::{Then, WaitRow},
    },
    metrics::figures,
    store::{runs, waits::Alarm},
};
use chrono::{DateTime, Utc};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::sync::oneshot;
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    event::Event,
    record::{End, EndState, FailedStep, Record, Trace, WaitOn},
    workflow::StepPath,
};

/// A call that takes longer than this is put on disk while it runs, so that people see it.
const SHOW_AFTER: Duration = Duration::from_millis(250);
/// How long a start waits before it looks at the lease again.
const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// How a run left its driver.
pub enum Left {
    /// It ended, sleeps in the database, or stays a job for the next process.
    Gone,
    /// It naps in memory until then.
    Nap { until: DateTime<Utc>, step: StepPath, attempt: u16, on: WaitOn, progress: Box<Progress>, ear: Ear },
}

/// Why a run can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Plan(#[from] NoPlan),
}

/// What a commit means for the run that asked for it.
enum Saved {
    GoOn,
    /// What is on disk is not what was in memory: it was read again.
    Reread,
    /// Nothing more to do here.
    Leave,
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
        Left::Nap { until, step, attempt, on, mut progress, mut ear } => {
            core.ready.lock().finished(&run, false);
            let napper = Arc::clone(core);
            core.spawn(async move {
                nap(&napper, until, &mut ear).await;
                if ear.is_cancelled().is_some() {
                    // It has nothing left to do outside: no slot is needed.
                    let ready = ReadyRun { run, carried: Carried::Nap(Box::new((*progress, ear))) };
                    drive_alone(&napper, ready).await;
                    napper.ready.lock().forget(&run);
                } else {
                    progress.woken(step, attempt, &on, napper.parts.clock.now());
                    napper.ready.lock().again(run, Carried::Nap(Box::new((*progress, ear))));
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
    while let Left::Nap { until, step, attempt, on, mut progress, mut ear } = drive(core, ready).await {
        nap(core, until, &mut ear).await;
        if ear.is_cancelled().is_none() {
            progress.woken(step, attempt, &on, core.parts.clock.now());
        }
        ready = ReadyRun { run, carried: Carried::Nap(Box::new((*progress, ear))) };
    }
}

async fn nap(core: &Core, until: DateTime<Utc>, ear: &mut Ear) {
    let length = (until - core.parts.clock.now()).to_std().unwrap_or_default();
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        _ = ear.cancelled() => {}
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
            match (plan, event) {
                (Ok(plan), Some(event)) => {
                    figures().start_lag(core.parts.clock.now() - row.at);
                    (Some(Progress::new(Start { run, plan, event, accepted_at: row.at })), ear)
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
        Some(progress) => Driver { core, run, progress, ear }.run().await,
        None => Left::Gone,
    };
    if matches!(left, Left::Gone) {
        core.signals.hang_up(run.run);
    }
    left
}

/// Reads a run from disk, however long the database is away. One that can't be run is ended; `None`: there is nothing to do.
async fn reload(core: &Arc<Core>, run: &RunRef) -> Option<Progress> {
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

struct Driver<'a> {
    core: &'a Arc<Core>,
    run: RunRef,
    progress: Progress,
    ear: Ear,
}

impl Driver<'_> {
    async fn run(mut self) -> Left {
        loop {
            if !self.progress.is_cancelled()
                && let Some(request) = self.ear.is_cancelled()
            {
                self.progress.heard(&request.entry());
            }
            let saved = match self.progress.advance(&*self.core.parts.registry, &self.core.parts.clock) {
                Need::Act(acting) => self.act(*acting).await,
                Need::Sleep { step, attempt, on } => match self.sleep(step, attempt, on).await {
                    Ok(saved) => saved,
                    Err((until, step, attempt, on)) => {
                        let progress = Box::new(self.progress);
                        return Left::Nap { until, step, attempt, on, progress, ear: self.ear };
                    }
                },
                Need::Person { step } => {
                    let row = WaitRow::new(step, &WaitOn::Decision, self.core.parts.clock.now());
                    self.park(row).await
                }
                Need::End(end) => self.end(end).await,
            };
            match saved {
                Saved::GoOn | Saved::Reread => {}
                Saved::Leave => return Left::Gone,
            }
        }
    }

    /// Makes a call, with everything on disk that has to be there first.
    async fn act(&mut self, acting: Acting) -> Saved {
        if self.core.is_draining() {
            return self.leave().await;
        }
        while !self.core.node.may_act() {
            tokio::time::sleep(LEASE_PAUSE).await;
        }
        let answer_awaited = self.progress.answer().is_some() && self.core.callers.expects_answer(self.run.run);
        if acting.commit_first || answer_awaited {
            match self.save(Then::GoOn).await {
                Saved::GoOn => {}
                other => return other,
            }
        }
        let whom = match self.whom(&acting) {
            Ok(whom) => whom,
            Err(error) => return self.not_acted(&acting, error),
        };
        let connections = Arc::clone(&self.core.parts.connections);
        let connected = match connections.connected(whom).await {
            Ok(connected) => connected,
            Err(error) => return self.not_acted(&acting, error),
        };
        let doors = (self.core.parts.doors)(whom);
        let registry = Arc::clone(&self.core.parts.registry);
        let with = Attempt {
            registry: &registry,
            doors: &doors,
            connection: connected.as_ref(),
            key: acting.key,
            timeout: acting.timeout,
            max_output: self.core.parts.settings.max_output,
        };
        if acting.attempt > 1 {
            figures().retry();
        }
        let mut call = pin!(act(&acting.operation, &acting.input, &with));
        let mut shown = false;
        let (result, trace) = loop {
            tokio::select! {
                biased;
                done = &mut call => break done,
                // Dropping the call cuts it off; the planner says what that means.
                _ = self.ear.cancelled(), if !self.progress.is_cancelled() => return Saved::GoOn,
                () = tokio::time::sleep(SHOW_AFTER), if !shown && !self.progress.unsaved().is_empty() => {
                    shown = true;
                    let saving = self.core.journal.commit(self.operation(Then::GoOn));
                    // The call goes on meanwhile; a result that comes first waits for this commit.
                    let mut saving = pin!(saving);
                    let (early, saved) = tokio::select! {
                        biased;
                        saved = &mut saving => (None, saved),
                        done = &mut call => (Some(done), saving.await),
                    };
                    match saved {
                        Ok(Committed::Done) => self.saved(),
                        // What is in memory is not what is on disk: what this call does is decided from there.
                        _ => return self.reread().await,
                    }
                    if let Some(done) = early {
                        break done;
                    }
                }
            }
        };
        connections.heard(whom, doors.http.used().refused, result.as_ref().map(drop)).await;
        self.progress.acted(&acting, result, trace, self.core.parts.clock.now());
        Saved::GoOn
    }

    /// For whom the doors of a call are opened.
    fn whom(&self, acting: &Acting) -> Result<For, StepError> {
        let connection = match acting.connection.as_deref().map(str::parse) {
            None => None,
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => {
                return Err(StepError::invalid_input("The step names a connection that can't be one.")
                    .hint("Open the step and choose its connection again."));
            }
        };
        Ok(For { workflow: Some(self.run.workflow), connection, ..For::workspace(self.run.workspace) })
    }

    /// The call was not made: nothing has left.
    fn not_acted(&mut self, acting: &Acting, error: StepError) -> Saved {
        let trace = Trace { input: Some(Json::Object(acting.input.clone())), ..Trace::default() };
        self.progress.acted(acting, Err(error), trace, self.core.parts.clock.now());
        Saved::GoOn
    }

    /// The next process goes on from here. What is left out is worked out again, the start of a call that was not made included.
    async fn leave(&mut self) -> Saved {
        self.progress.forget_start();
        if self.progress.holds_results() {
            self.save(Then::GoOn).await;
        }
        Saved::Leave
    }

    /// Sleeps in the database, or says how long to nap in memory.
    async fn sleep(&mut self, step: StepPath, attempt: u16, on: WaitOn) -> Result<Saved, (DateTime<Utc>, StepPath, u16, WaitOn)> {
        let now = self.core.parts.clock.now();
        let until = match &on {
            WaitOn::Timer { until } | WaitOn::Retry { until } => *until,
            WaitOn::Decision => now,
        };
        let short = (until - now).to_std().unwrap_or_default() <= self.core.parts.settings.sleep_in_memory;
        if short && !self.core.is_draining() {
            // What failed is on disk before the next try, and people see it.
            if !self.progress.unsaved().is_empty() {
                match self.save(Then::GoOn).await {
                    Saved::GoOn => {}
                    other => return Ok(other),
                }
            }
            return Err((until, step, attempt, on));
        }
        let row = self.progress.park(step, attempt, &on, now);
        Ok(self.park(row).await)
    }

    async fn park(&mut self, row: WaitRow) -> Saved {
        let alarm = row.wake_at.map(|at| Alarm { at, run: self.run.run });
        let saved = self.save(Then::Park(row)).await;
        if matches!(saved, Saved::GoOn) {
            if let Some(alarm) = alarm {
                self.core.timers.add(alarm);
            }
            // A request that came while the job was becoming a wait found a job: wake the run again, so that it hears.
            if let Some(request) = self.ear.is_cancelled() {
                let core = Arc::clone(self.core);
                let run = self.run;
                self.core.spawn(async move {
                    if let Err(error) = super::cancel::request(&core, run.workspace, run.run, &request.by).await {
                        tracing::warn!(%error, run = %run.run, "a cancel request could not be repeated");
                    }
                });
            }
            return Saved::Leave;
        }
        saved
    }

    async fn end(&mut self, end: End) -> Saved {
        let row = self.progress.end_row(&end, self.core.parts.clock.now());
        let answer = self.progress.answer().cloned();
        let operation =
            Operation { run: self.run, accept: None, records: Vec::new(), then: Then::End(Box::new(row)), reply: None };
        match self.core.journal.commit(operation).await {
            Ok(Committed::Done) => {
                if let Some(answer) = answer {
                    self.core.callers.answered(self.run.run, &answer);
                }
                self.core.callers.ended(self.run.run, &end);
                Saved::Leave
            }
            Ok(_) => self.ended_before().await,
            Err(failure) => self.failed(failure).await,
        }
    }

    /// The end was on disk before: by a commit that nobody confirmed, or by somebody else. Whoever waits hears what is there.
    async fn ended_before(&mut self) -> Saved {
        let saved = self.reread().await;
        if matches!(saved, Saved::Leave)
            && let Ok(Some((end, journal))) = runs::end_with_journal(&self.core.parts.pool, self.run.run).await
        {
            for entry in &journal {
                if let Record::Responded { answer, .. } = &entry.record {
                    self.core.callers.answered(self.run.run, answer);
                }
            }
            self.core.callers.ended(self.run.run, &end);
        }
        saved
    }

    fn operation(&self, then: Then) -> Operation {
        Operation { run: self.run, accept: None, records: self.progress.rows(), then, reply: None }
    }

    async fn save(&mut self, then: Then) -> Saved {
        match self.core.journal.commit(self.operation(then)).await {
            Ok(Committed::Done) => {
                self.saved();
                Saved::GoOn
            }
            Ok(_) => self.reread().await,
            Err(failure) => self.failed(failure).await,
        }
    }

    fn saved(&mut self) {
        if let Some(answer) = self.progress.saved() {
            self.core.callers.answered(self.run.run, &answer);
        }
    }

    async fn reread(&mut self) -> Saved {
        match reload(self.core, &self.run).await {
            Some(progress) => {
                self.progress = progress;
                Saved::Reread
            }
            None => Saved::Leave,
        }
    }

    /// The database refuses the rows for good, or nothing can be written any more.
    async fn failed(&mut self, failure: Failure) -> Saved {
        if let Failure::Rejected(_) = &failure {
            let end = broken("The database refused to store what happened in this run.");
            recovery::end_run(self.core, &self.run, &end).await;
        }
        Saved::Leave
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

/// Asks the journal for a change and waits for what became of it.
pub async fn change<T>(core: &Core, make: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Change) -> Result<T, Failure> {
    let (reply, answer) = oneshot::channel();
    core.journal.change(make(reply));
    answer.await.unwrap_or_else(|_| Err(Failure::Unavailable("The server is stopping.".into())))
}
