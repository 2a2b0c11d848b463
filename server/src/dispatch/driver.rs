//! Drives one run: asks what it needs, does it, and puts on disk what has to be there. The rules are the engine's; the order in
//! which things are awaited here is what makes them true.

use super::{
    For,
    calls::{By, Calls},
    children,
    core::Core,
    recovery,
    signals::Ear,
    turns::{Left, reload},
};
use crate::{
    execute::{Acting, Need, Progress, broken},
    journal::{
        Change, Committed, Failure, Operation, RunRef,
        operation::{Then, WaitRow},
    },
    store::{runs, waits::Alarm},
};
use chrono::{DateTime, Utc};
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use towpath_engine::{
    error::StepError,
    ids::RunId,
    record::{End, Record},
};

/// A call that takes longer than this is put on disk while it runs, so that people see it.
const SHOW_AFTER: Duration = Duration::from_millis(250);
/// How long a start waits before it looks at the lease again.
const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// What a commit means for the run that asked for it.
enum Saved {
    GoOn,
    /// What is on disk is not what was in memory: it was read again.
    Reread,
    /// Nothing more to do here.
    Leave,
}

/// A run in its turn.
pub struct Driver<'a> {
    core: &'a Arc<Core>,
    run: RunRef,
    progress: Progress,
    ear: Ear,
    calls: Calls,
    /// Calls that are not begun any more, because the process is about to stop.
    left: Vec<Acting>,
    /// Since when calls go on of which nothing is on disk.
    hidden_since: Option<Instant>,
    /// Runs that it called and waits for, to be cancelled with it.
    abandoned: Vec<RunId>,
    /// Whether the connections that its lines wait for may be used again, or the runs that they called have ended, is not known yet.
    unsure: bool,
}

impl<'a> Driver<'a> {
    pub fn new(core: &'a Arc<Core>, run: RunRef, progress: Progress, ear: Ear) -> Self {
        Self {
            core,
            run,
            progress,
            ear,
            calls: Calls::default(),
            left: Vec::new(),
            hidden_since: None,
            abandoned: Vec::new(),
            unsure: true,
        }
    }

    /// Goes on with the run until it leaves.
    pub async fn run(mut self) -> Left {
        loop {
            self.hear();
            self.look_outside().await;
            let need = self.progress.advance(&*self.core.parts.registry, &self.core.parts.clock);
            let progress = &self.progress;
            self.calls.keep(|step, attempt| progress.is_under_way(step, attempt));
            let saved = match need {
                Need::Act(calls) => self.begin(calls).await,
                Need::Save => self.save(Then::GoOn).await,
                Need::Rest { until } if !self.calls.is_empty() => self.attend(until).await,
                Need::Rest { .. } if !self.left.is_empty() => self.leave().await,
                Need::Rest { until } => match self.sleep(until).await {
                    Ok(saved) => saved,
                    Err(until) => {
                        return Left::Nap { until, progress: Box::new(self.progress), ear: self.ear };
                    }
                },
                Need::End(end) => self.end(end).await,
            };
            match saved {
                Saved::GoOn => {}
                // What was under way is decided from what is on disk.
                Saved::Reread => {
                    self.unsure = true;
                    self.calls = Calls::default();
                    self.left.clear();
                }
                Saved::Leave => return Left::Gone,
            }
        }
    }

    /// Takes in what others wrote about the run.
    fn hear(&mut self) {
        if !self.progress.is_cancelled()
            && let Some(request) = self.ear.is_cancelled()
        {
            self.progress.heard(&request.entry());
        }
        for entry in self.ear.decisions() {
            self.progress.heard(&entry);
        }
        if self.progress.is_cancelled() {
            self.abandoned.extend(self.progress.called().into_iter().map(|(.., child)| child));
        }
    }

    /// Goes on with the lines whose connection may be used again, or whose called run has ended.
    async fn look_outside(&mut self) {
        self.unsure |= self.ear.is_renewed();
        if !std::mem::take(&mut self.unsure) {
            return;
        }
        for (step, attempt, connection) in self.progress.refused() {
            if self.core.parts.connections.accepts(self.run.workspace, connection).await {
                self.progress.renewed(step, attempt, self.core.parts.clock.now());
            }
        }
        for (step, attempt, child) in self.progress.called() {
            match children::outcome(self.core, child).await {
                Ok(Some(result)) => self.progress.returned(step, attempt, result, self.core.parts.clock.now()),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, run = %child, "how a called run ended could not be read; looking again");
                    self.core.awaited.expect(child);
                }
            }
        }
    }

    /// Begins calls, with everything on disk that has to be there first.
    async fn begin(&mut self, calls: Vec<Acting>) -> Saved {
        if self.core.is_draining() {
            self.left.extend(calls);
            return Saved::GoOn;
        }
        while !self.core.node.may_act() {
            tokio::time::sleep(LEASE_PAUSE).await;
        }
        let answer_awaited = self.progress.answer().is_some() && self.core.callers.expects_answer(self.run.run);
        if answer_awaited || calls.iter().any(|call| call.commit_first) {
            match self.save(Then::GoOn).await {
                Saved::GoOn => {}
                other => return other,
            }
        }
        for acting in calls {
            let whom = self.whom(&acting);
            let caller = self.progress.caller().cloned();
            self.calls.begin(self.core, By { run: self.run, caller, whom }, acting);
        }
        Saved::GoOn
    }

    /// Waits for what calls are answered, for a line to wake, and for what others say.
    async fn attend(&mut self, until: Option<DateTime<Utc>>) -> Saved {
        let now = self.core.parts.clock.now();
        let questions = self.progress.questions(now);
        if !questions.is_empty() {
            return self.ask(questions).await;
        }
        // While others go on, a result doesn't wait for them.
        if self.progress.holds_results() {
            return self.save(Then::GoOn).await;
        }
        let hides = !self.progress.unsaved().is_empty();
        let hidden_since = *self.hidden_since.get_or_insert_with(Instant::now);
        let show_in = SHOW_AFTER.saturating_sub(hidden_since.elapsed());
        let wake_in = until.map(|until| (until - now).to_std().unwrap_or_default());
        tokio::select! {
            biased;
            () = self.calls.answered() => {
                let at = self.core.parts.clock.now();
                for done in self.calls.take() {
                    self.progress.acted(&done.acting, done.result, done.trace, at);
                }
                Saved::GoOn
            }
            // The planner says what that means for the calls.
            () = self.ear.news() => Saved::GoOn,
            () = tokio::time::sleep(wake_in.unwrap_or_default()), if wake_in.is_some() => Saved::GoOn,
            () = tokio::time::sleep(show_in), if hides => self.save(Then::GoOn).await,
        }
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

    /// The next process goes on from here. What is left out is worked out again, the starts of calls that were not made included.
    async fn leave(&mut self) -> Saved {
        self.progress.forget_starts(&std::mem::take(&mut self.left));
        if self.progress.holds_results() {
            self.save(Then::GoOn).await;
        }
        Saved::Leave
    }

    /// Sleeps in the database, or says until when to nap in memory.
    async fn sleep(&mut self, until: Option<DateTime<Utc>>) -> Result<Saved, DateTime<Utc>> {
        let now = self.core.parts.clock.now();
        let short = until.filter(|until| {
            (*until - now).to_std().unwrap_or_default() <= self.core.parts.settings.sleep_in_memory && !self.core.is_draining()
        });
        let Some(until) = short else { return Ok(self.park(now).await) };
        // What failed is on disk before the next try, and people see it.
        let questions = self.progress.questions(now);
        if !self.progress.unsaved().is_empty() || !questions.is_empty() {
            match self.ask(questions).await {
                Saved::GoOn => {}
                other => return Ok(other),
            }
        }
        Err(until)
    }

    /// Puts what is unsaved on disk, and with it what waits for somebody outside.
    async fn ask(&mut self, questions: Vec<WaitRow>) -> Saved {
        let asked = Asked::of(&questions);
        let saved = self.save(if questions.is_empty() { Then::GoOn } else { Then::Ask(questions) }).await;
        asked.tell(self.core);
        saved
    }

    async fn park(&mut self, now: DateTime<Utc>) -> Saved {
        let rows = self.progress.waits(now);
        let asked = Asked::of(&rows);
        let alarms: Vec<_> = rows.iter().filter_map(|row| row.wake_at).map(|at| Alarm { at, run: self.run.run }).collect();
        let saved = self.save(Then::Park(rows)).await;
        if matches!(saved, Saved::GoOn) {
            for alarm in alarms {
                self.core.timers.add(alarm);
            }
            asked.tell(self.core);
            self.told_too_late();
            return Saved::Leave;
        }
        saved
    }

    /// What others said while the job was becoming waits found a job: wake the run again, so that it hears.
    fn told_too_late(&mut self) {
        let (core, run) = (Arc::clone(self.core), self.run);
        if let Some(request) = self.ear.is_cancelled() {
            let core = Arc::clone(&core);
            self.core.spawn(async move {
                if let Err(error) = super::cancel::request(&core, run.workspace, run.run, &request.by).await {
                    tracing::warn!(%error, run = %run.run, "a cancel request could not be repeated");
                }
            });
        }
        for entry in self.ear.decisions() {
            let core = Arc::clone(&core);
            self.core.spawn(async move {
                if let Err(error) = super::cancel::write(&core, run.workspace, run.run, &entry).await {
                    tracing::warn!(%error, run = %run.run, "a decision could not be repeated");
                }
            });
        }
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
                self.cancel_children();
                Saved::Leave
            }
            Ok(_) => self.ended_before().await,
            Err(failure) => self.failed(failure).await,
        }
    }

    /// The runs that it waited for are stopped with it.
    fn cancel_children(&mut self) {
        for child in std::mem::take(&mut self.abandoned) {
            let (core, workspace) = (Arc::clone(self.core), self.run.workspace);
            self.core.spawn(async move {
                if let Err(error) = super::cancel::request(&core, workspace, child, "the run that called it").await {
                    tracing::warn!(%error, run = %child, "a called run could not be cancelled with its caller");
                }
            });
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

    /// Commits what is unsaved. Calls go on meanwhile; what they are answered waits for this commit.
    async fn save(&mut self, then: Then) -> Saved {
        self.hidden_since = None;
        let committed = {
            let mut saving = pin!(self.core.journal.commit(self.operation(then)));
            loop {
                tokio::select! {
                    biased;
                    committed = &mut saving => break committed,
                    () = self.calls.gather() => {}
                }
            }
        };
        match committed {
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

/// What a run that sleeps waits for outside. It may have happened before its rows were there: somebody looks once.
struct Asked {
    refused: bool,
    children: Vec<RunId>,
}

impl Asked {
    fn of(rows: &[WaitRow]) -> Self {
        let refused = rows.iter().any(|row| row.connection.is_some());
        Self { refused, children: rows.iter().filter_map(|row| row.child).collect() }
    }

    fn tell(self, core: &Core) {
        if self.refused {
            core.refused.notify_one();
        }
        self.children.into_iter().for_each(|child| core.awaited.expect(child));
    }
}

/// Asks the journal for a change and waits for what became of it.
pub async fn change<T>(core: &Core, make: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Change) -> Result<T, Failure> {
    let (reply, answer) = oneshot::channel();
    core.journal.change(make(reply));
    answer.await.unwrap_or_else(|_| Err(Failure::Unavailable("The server is stopping.".into())))
}
