//! One run in memory: its state, what expressions see, and the records that no commit has written yet. It goes on by itself over
//! everything that follows from what is there, and stops where something outside has to happen.

use super::{attempt::evaluate, resolve::resolve};
use crate::{
    clock::Clock,
    journal::{
        RunRef,
        operation::{EndRow, RecordRow, WaitRow},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{sync::Arc, time::Duration};
use towpath_engine::{
    Object,
    catalogue::{Catalogue, Effect},
    error::{ErrorKind, StepError},
    event::Event,
    expr::{Context, Roots, RunInfo, TriggerData},
    ids::RunId,
    plan::{Kind, Plan},
    planner::{Command, next},
    pure::Outcome,
    record::{Answer, End, EndState, Entry, FailedStep, Record, Trace, WaitOn, WokenBy},
    retry::idempotency_key,
    state::{RunState, Status},
    workflow::StepPath,
};

/// What a run begins with.
pub struct Start {
    pub run: RunRef,
    pub plan: Arc<Plan>,
    pub event: Event,
    pub accepted_at: DateTime<Utc>,
}

/// One run.
pub struct Progress {
    pub run: RunRef,
    pub plan: Arc<Plan>,
    accepted_at: DateTime<Utc>,
    state: RunState,
    context: Context,
    /// In order, and not on disk.
    unsaved: Vec<Entry>,
    /// The place in the history of the first unsaved entry.
    seq: i32,
    /// The time of the last thing that happened outside: what `now` means.
    now: DateTime<Utc>,
    failed_at: DateTime<Utc>,
    /// The answer that a Respond step gave since the last commit.
    answer: Option<Answer>,
    /// Is the result of an effect (not of a read) among what is unsaved? Then it goes to disk before anything else goes out.
    acted_unsaved: bool,
}

/// What has to happen outside before the run can go on.
#[derive(Debug)]
pub enum Need {
    /// Call an action, then [`Progress::acted`].
    Act(Box<Acting>),
    /// Sleep until then.
    Sleep { step: StepPath, attempt: u16, on: WaitOn },
    /// Nothing, until a person decides.
    Person { step: StepPath },
    /// The run is over.
    End(End),
}

/// A call that is about to be made.
#[derive(Debug)]
pub struct Acting {
    pub step: StepPath,
    pub attempt: u16,
    pub operation: String,
    /// The id of the step's connection, as the document says it.
    pub connection: Option<String>,
    pub input: Object,
    pub effect: Option<Effect>,
    pub timeout: Duration,
    pub key: uuid::Uuid,
    /// What is unsaved must be on disk before the call is made.
    pub commit_first: bool,
}

impl Progress {
    /// A run of which nothing has happened yet.
    pub fn new(start: Start) -> Self {
        let id: RunId = start.run.run;
        let info = RunInfo { id, key: id.0, started_at: start.accepted_at };
        let roots = Roots {
            trigger: TriggerData::Event(start.event),
            run: info,
            now: start.accepted_at,
            vars: Object::new(),
            language: start.plan.language.clone(),
        };
        Self {
            run: start.run,
            plan: start.plan,
            accepted_at: start.accepted_at,
            state: RunState::new(id),
            context: Context::new(roots),
            unsaved: Vec::new(),
            seq: 0,
            now: start.accepted_at,
            failed_at: start.accepted_at,
            answer: None,
            acted_unsaved: false,
        }
    }

    /// A run with this history on disk, as after a crash or a sleep.
    pub fn resumed(start: Start, history: &[Entry]) -> Self {
        let mut progress = Self::new(start);
        for entry in history {
            progress.fold(entry);
            progress.seq = progress.seq.saturating_add(1);
        }
        progress
    }

    /// A record that somebody else committed: a cancel request.
    pub fn heard(&mut self, entry: &Entry) {
        self.fold(entry);
        self.seq = self.seq.saturating_add(1);
    }

    pub fn is_cancelled(&self) -> bool {
        self.state.cancel_requested()
    }

    pub fn unsaved(&self) -> &[Entry] {
        &self.unsaved
    }

    /// Is something unsaved that doing again would not bring back the same?
    pub fn holds_results(&self) -> bool {
        self.plan.commits_before(Some(Effect::Keyed), self.unsaved.iter().map(|entry| &entry.record))
    }

    /// The call that was about to be made is not made: its start never happened.
    pub fn forget_start(&mut self) {
        if matches!(self.unsaved.last(), Some(Entry { record: Record::Started { .. }, .. })) {
            self.unsaved.pop();
        }
    }

    /// The answer that is not on disk yet, if the run gave one.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// The rows of what is unsaved.
    pub fn rows(&self) -> Vec<RecordRow> {
        (self.seq..).zip(&self.unsaved).map(|(seq, entry)| RecordRow::new(seq, entry)).collect()
    }

    /// What is unsaved is on disk now. Returns the answer that became true with it.
    pub fn saved(&mut self) -> Option<Answer> {
        self.seq = self.seq.saturating_add(i32::try_from(self.unsaved.len()).unwrap_or(i32::MAX));
        self.unsaved.clear();
        self.acted_unsaved = false;
        self.answer.take()
    }

    /// The row of the end; what is unsaved travels with it.
    pub fn end_row(&self, end: &End, at: DateTime<Utc>) -> EndRow {
        let attempts = usize::try_from(self.state.attempts()).unwrap_or(usize::MAX);
        EndRow::new(end, self.accepted_at, at, attempts, &self.unsaved)
    }

    /// Goes on as far as it can.
    pub fn advance(&mut self, catalogue: &dyn Catalogue, clock: &Clock) -> Need {
        loop {
            let commands = next(&self.plan, &self.state);
            if commands.is_empty()
                && let Some(need) = self.asleep(clock)
            {
                return need;
            }
            for command in commands {
                match command {
                    Command::Start { step, attempt, after: Some(after) } => {
                        let wait = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
                        let until = self.failed_at.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
                        return Need::Sleep { step, attempt: attempt.saturating_sub(1), on: WaitOn::Retry { until } };
                    }
                    Command::Start { ref step, attempt, after: None } => {
                        self.state.issued(&command);
                        if let Some(acting) = self.start(step.clone(), attempt, catalogue, clock) {
                            return Need::Act(Box::new(acting));
                        }
                    }
                    Command::End(end) => return Need::End(end),
                    command => {
                        if let Some(record) = command.record() {
                            self.record(clock.now(), record);
                        }
                    }
                }
            }
        }
    }

    /// What the run waits for. A time that has passed wakes it on the spot.
    fn asleep(&mut self, clock: &Clock) -> Option<Need> {
        let Some((step, attempt, on)) = self.state.waiting().map(|(step, attempt, on)| (step.clone(), attempt, on.clone()))
        else {
            // A planner that has nothing to say about a run that waits for nothing would hang it.
            return Some(Need::End(broken("The run came to a place where nothing follows.")));
        };
        let now = clock.now();
        match on {
            WaitOn::Timer { until } | WaitOn::Retry { until } if until <= now => {
                self.record(now, Record::Woken { step, attempt, by: WokenBy::Time });
                None
            }
            WaitOn::Timer { .. } | WaitOn::Retry { .. } => Some(Need::Sleep { step, attempt, on }),
            WaitOn::Decision => Some(Need::Person { step }),
        }
    }

    /// Starts a step: evaluates it, or says what to call.
    fn start(&mut self, step: StepPath, attempt: u16, catalogue: &dyn Catalogue, clock: &Clock) -> Option<Acting> {
        let plan = Arc::clone(&self.plan);
        self.context.at(&step, self.now);
        let Some(planned) = plan.step(&step) else {
            let error = StepError::new(ErrorKind::Internal, "The step is not in the version that this run follows.");
            self.record(clock.now(), Record::failure(step, attempt, error, None, Trace::default()));
            return None;
        };
        match &planned.kind {
            Kind::Pure(pure) | Kind::Delay(pure) => {
                let began = std::time::Instant::now();
                let result = evaluate(pure, &self.context);
                let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                let trace = Trace { micros, ..Trace::default() };
                self.evaluated(step, attempt, result, trace, matches!(planned.kind, Kind::Delay(_)), clock);
                None
            }
            Kind::Action(template) => match resolve(&planned.operation, template, &self.context, catalogue) {
                Ok(input) => {
                    let value = towpath_engine::Json::Object(input);
                    let effect = planned.effect_of(&value);
                    let towpath_engine::Json::Object(input) = value else { return None };
                    let repeated = self
                        .state
                        .step(&step)
                        .is_some_and(|state| state.attempt == attempt && matches!(state.status, Status::Started));
                    if !repeated {
                        self.record(clock.now(), Record::Started { step: step.clone(), attempt, effect });
                    }
                    let records = self.unsaved.iter().map(|entry| &entry.record);
                    let commit_first = self.acted_unsaved || (!self.unsaved.is_empty() && plan.commits_before(effect, records));
                    let key = idempotency_key(self.run.run, &step);
                    let (operation, connection) = (planned.operation.clone(), planned.connection.clone());
                    Some(Acting {
                        step,
                        attempt,
                        operation,
                        connection,
                        input,
                        effect,
                        timeout: planned.timeout,
                        key,
                        commit_first,
                    })
                }
                Err(error) => {
                    self.record(clock.now(), Record::failure(step, attempt, error, None, Trace::default()));
                    None
                }
            },
        }
    }

    fn evaluated(
        &mut self,
        step: StepPath,
        attempt: u16,
        result: Result<Outcome, StepError>,
        trace: Trace,
        is_delay: bool,
        clock: &Clock,
    ) {
        let at = clock.now();
        match result {
            Ok(Outcome::Done { output }) => self.record(at, Record::Succeeded { step, attempt, output, trace }),
            Ok(Outcome::Answered { answer, output }) => {
                // The first answer is the one the caller gets.
                if !self.state.responded() {
                    self.answer = Some(answer.clone());
                    self.record(at, Record::Responded { step: step.clone(), answer });
                }
                self.record(at, Record::Succeeded { step, attempt, output, trace });
            }
            Ok(Outcome::Wait { until, .. }) if is_delay => {
                self.record(at, Record::Waiting { step, attempt, on: WaitOn::Timer { until } });
            }
            Ok(Outcome::Wait { output, .. }) => self.record(at, Record::Succeeded { step, attempt, output, trace }),
            Ok(Outcome::Stop { state, reason }) => {
                let outcome = if state == EndState::Failed { "failed" } else { "succeeded" };
                let output = serde_json::json!({ "outcome": outcome, "reason": reason });
                self.record(at, Record::Succeeded { step, attempt, output, trace });
            }
            Err(error) => self.record(at, Record::failure(step, attempt, error, None, trace)),
        }
    }

    /// What came of a call.
    pub fn acted(&mut self, acting: &Acting, result: Result<towpath_engine::Json, StepError>, trace: Trace, at: DateTime<Utc>) {
        let (step, attempt) = (acting.step.clone(), acting.attempt);
        self.acted_unsaved |= !matches!(acting.effect, None | Some(Effect::Read));
        self.record(
            at,
            match result {
                Ok(output) => Record::Succeeded { step, attempt, output, trace },
                Err(error) => Record::failure(step, attempt, error, acting.effect, trace),
            },
        );
    }

    /// The run is let go of until then, or until a person decides: the record, if it isn't there yet, and the row.
    pub fn park(&mut self, step: StepPath, attempt: u16, on: &WaitOn, at: DateTime<Utc>) -> WaitRow {
        let waits = matches!(self.state.waiting(), Some((waiting, _, _)) if *waiting == step);
        if !waits {
            self.record(at, Record::Waiting { step: step.clone(), attempt, on: on.clone() });
        }
        WaitRow::new(step, on, at)
    }

    /// A sleep in memory is over.
    pub fn woken(&mut self, step: StepPath, attempt: u16, on: &WaitOn, at: DateTime<Utc>) {
        let waits = self.state.waiting().is_some();
        if !waits {
            self.record(at, Record::Waiting { step: step.clone(), attempt, on: on.clone() });
        }
        self.record(at, Record::Woken { step, attempt, by: WokenBy::Time });
    }

    fn record(&mut self, at: DateTime<Utc>, record: Record) {
        let entry = Entry { at, record };
        self.fold(&entry);
        self.unsaved.push(entry);
    }

    fn fold(&mut self, entry: &Entry) {
        self.state.apply(&entry.record);
        if let (Some(step), Some(output)) = (entry.record.step(), entry.record.output()) {
            self.context.set_step(step, output);
        }
        if matches!(entry.record, Record::Failed { .. }) {
            self.failed_at = entry.at;
        }
        // Only what can't be worked out again moves `now`, and all of that is on disk before an effect goes out: whoever repeats
        // the effect after a crash resolves its input to the same.
        let told = !matches!(entry.record, Record::Started { .. } | Record::Waiting { .. } | Record::Skipped { .. });
        let planned = entry.record.step().and_then(|step| self.plan.step(step));
        if told && planned.is_some_and(|step| !matches!(step.kind, Kind::Pure(_))) {
            self.now = entry.at;
        }
    }
}

/// An end for what should not happen.
pub fn broken(message: &str) -> End {
    let error = StepError::new(ErrorKind::Internal, message).hint("This is a defect of Towpath: please report it.");
    End { state: EndState::Failed, reason: None, error: Some(FailedStep { step: StepPath(String::new()), error }) }
}
