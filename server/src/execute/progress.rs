//! One run in memory: its state, what expressions see, and the records that no commit has written yet. It goes on by itself, on every
//! line, over everything that follows from what is there, and stops where something outside has to happen.

use super::{attempt::evaluate, resolve::resolve};
use crate::{
    clock::Clock,
    journal::{
        RunRef,
        operation::{EndRow, RecordRow, WaitRow},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{collections::HashSet, sync::Arc, time::Duration};
use towpath_engine::{
    Json, Object,
    catalogue::{Catalogue, Effect},
    error::{ErrorKind, StepError},
    event::{Caller, Event},
    expr::{Context, Roots, RunInfo, TriggerData, Vars},
    ids::{ConnectionId, RunId},
    lines::LinesStep,
    outputs::Outputs,
    plan::{Kind, Plan},
    planner::{Command, next},
    pure::Outcome,
    record::{Answer, End, EndState, Entry, FailedStep, LineEnd, Record, SkipReason, Trace, WaitOn, WokenBy},
    retry::idempotency_key,
    state::{RunState, Status},
    workflow::{LinePath, StepPath},
};

/// So many records are put on disk together, on the way through a loop in which nothing happens outside.
const CHUNK: usize = 400;

/// What a run begins with.
pub struct Start {
    pub run: RunRef,
    pub plan: Arc<Plan>,
    pub event: Event,
    pub accepted_at: DateTime<Utc>,
    /// The workspace's variables in the revision that the event names.
    pub vars: Vars,
}

/// One run.
pub struct Progress {
    pub run: RunRef,
    pub plan: Arc<Plan>,
    caller: Option<Caller>,
    accepted_at: DateTime<Utc>,
    state: RunState,
    outputs: Outputs,
    /// In order, and not on disk.
    unsaved: Vec<Entry>,
    /// The place in the history of the first unsaved entry.
    seq: i32,
    /// The answer that a Respond step gave since the last commit.
    answer: Option<Answer>,
    /// Is the result of an effect (not of a read) among what is unsaved? Then it goes to disk before anything else goes out.
    acted_unsaved: bool,
    /// Some line slept, or sleeps.
    slept: bool,
    /// The steps for which the table of waits tells whoever is outside that they can be gone on with.
    asked: HashSet<StepPath>,
}

/// What has to happen outside before the run can go on.
#[derive(Debug)]
pub enum Need {
    /// Make these calls, side by side with those under way; then [`Progress::acted`].
    Act(Vec<Acting>),
    /// Put what is unsaved on disk.
    Save,
    /// Wait for calls under way, for time, and for people. `until`: when the first of its lines wakes.
    Rest { until: Option<DateTime<Utc>> },
    /// The run is over.
    End(End),
}

/// A call that is about to be made.
#[derive(Clone, Debug)]
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
    /// It starts a run of another workflow.
    pub is_call: bool,
}

impl Progress {
    /// A run of which nothing has happened yet.
    pub fn new(start: Start) -> Self {
        let id: RunId = start.run.run;
        let caller = start.event.head.caller.clone();
        let info = RunInfo { id, key: id.0, started_at: start.accepted_at };
        let roots = Roots {
            trigger: TriggerData::Event(start.event),
            run: info,
            now: start.accepted_at,
            vars: start.vars,
            language: start.plan.language.clone(),
        };
        Self {
            run: start.run,
            plan: start.plan,
            caller,
            accepted_at: start.accepted_at,
            state: RunState::new(id),
            outputs: Outputs::new(Context::new(roots)),
            unsaved: Vec::new(),
            seq: 0,
            answer: None,
            acted_unsaved: false,
            slept: false,
            asked: HashSet::new(),
        }
    }

    /// A run with this history on disk, as after a crash or a sleep.
    pub fn resumed(start: Start, history: &[Entry]) -> Self {
        let mut progress = Self::new(start);
        for entry in history {
            progress.heard(entry);
        }
        progress
    }

    /// A record that is on disk: of an earlier process, or of somebody else, such as a cancel request.
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

    /// Is this attempt still to be carried out? Not when its line was cut off.
    pub fn is_under_way(&self, step: &StepPath, attempt: u16) -> bool {
        self.state.is_under_way(step, attempt)
    }

    /// Is something unsaved that doing again would not bring back the same?
    pub fn holds_results(&self) -> bool {
        self.plan.commits_before(Some(Effect::Keyed), self.unsaved.iter().map(|entry| &entry.record))
    }

    /// Calls that were about to be made are not made: their starts never happened.
    pub fn forget_starts(&mut self, calls: &[Acting]) {
        self.unsaved.retain(|entry| match &entry.record {
            Record::Started { step, attempt, .. } => !calls.iter().any(|call| call.step == *step && call.attempt == *attempt),
            _ => true,
        });
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
        EndRow::new(end, self.accepted_at, at, attempts, &self.unsaved).after_sleep(self.slept)
    }

    /// The rows of every line that sleeps: the run is let go of.
    pub fn waits(&self, at: DateTime<Utc>) -> Vec<WaitRow> {
        self.state.waits().map(|(step, _, on)| WaitRow::new(step.clone(), on, at)).collect()
    }

    /// The rows of what waits for a person's word, for a connection or for another run, and of which nobody outside knows yet. Counts on their being
    /// written.
    pub fn questions(&mut self, at: DateTime<Utc>) -> Vec<WaitRow> {
        let outside = |on: &WaitOn| matches!(on, WaitOn::Decision | WaitOn::Connection { .. } | WaitOn::Run { .. });
        let open = self.state.waits().filter(|(_, _, on)| outside(on));
        open.filter(|(step, ..)| self.asked.insert((*step).clone()))
            .map(|(step, _, on)| WaitRow::new(step.clone(), on, at))
            .collect()
    }

    /// The steps that wait for a connection.
    pub fn refused(&self) -> Vec<(StepPath, u16, ConnectionId)> {
        let connection = |on: &WaitOn| match on {
            WaitOn::Connection { id } => Some(*id),
            _ => None,
        };
        self.state.waits().filter_map(|(step, attempt, on)| Some((step.clone(), attempt, connection(on)?))).collect()
    }

    /// The steps that wait for the end of a run that they started.
    pub fn called(&self) -> Vec<(StepPath, u16, RunId)> {
        let child = |on: &WaitOn| match on {
            WaitOn::Run { run } => Some(*run),
            _ => None,
        };
        self.state.waits().filter_map(|(step, attempt, on)| Some((step.clone(), attempt, child(on)?))).collect()
    }

    /// The run that a step started has ended, and gave this.
    pub fn returned(&mut self, step: StepPath, attempt: u16, result: Result<Json, StepError>, at: DateTime<Utc>) {
        let trace = Trace::default();
        self.record(
            at,
            match result {
                Ok(output) => Record::Succeeded { step, attempt, output, trace },
                Err(error) => Record::failure(step, attempt, error, Some(Effect::Keyed), trace),
            },
        );
    }

    /// Who started this run, if a step of another run did.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// The connection that a step waits for may be used again.
    pub fn renewed(&mut self, step: StepPath, attempt: u16, at: DateTime<Utc>) {
        self.record(at, Record::Woken { step, attempt, by: WokenBy::Connection });
    }

    /// Goes on as far as it can.
    pub fn advance(&mut self, catalogue: &dyn Catalogue, clock: &Clock) -> Need {
        let mut calls: Vec<Acting> = Vec::new();
        loop {
            let commands = next(&self.plan, &self.state);
            if commands.is_empty() {
                if !calls.is_empty() {
                    return Need::Act(calls);
                }
                match self.rest(clock) {
                    Some(need) => return need,
                    None => continue,
                }
            }
            for command in commands {
                match command {
                    Command::Start { step, attempt, after: Some(after) } => {
                        let wait = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
                        let failed_at = self.outputs.failed_at(&step.line());
                        let until = failed_at.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
                        let (attempt, on) = (attempt.saturating_sub(1), WaitOn::Retry { until });
                        self.record(clock.now(), Record::Waiting { step, attempt, on });
                    }
                    Command::Start { ref step, attempt, after: None } => {
                        self.state.issued(&command);
                        calls.extend(self.start(step.clone(), attempt, catalogue, clock));
                    }
                    Command::CloseLine { line, end: end @ (LineEnd::Done | LineEnd::Filtered) } => self.close(line, end, clock),
                    Command::End(end) => return Need::End(end),
                    // A call that has not left yet did nothing.
                    Command::MarkUncertain { step, .. } | Command::Skip { step, .. }
                        if let Some(at) = calls.iter().position(|call| call.step == step) =>
                    {
                        calls.remove(at);
                        self.record(clock.now(), Record::Skipped { step, reason: SkipReason::Cancelled });
                    }
                    command => {
                        if let Some(record) = command.record() {
                            self.record(clock.now(), record);
                        }
                    }
                }
            }
            if calls.is_empty() && self.unsaved.len() >= CHUNK && !self.plan.is_pure() {
                return Need::Save;
            }
        }
    }

    /// What the run waits for. A time that has passed wakes its lines on the spot.
    fn rest(&mut self, clock: &Clock) -> Option<Need> {
        let now = clock.now();
        let (mut due, mut until, mut waits) = (Vec::new(), None::<DateTime<Utc>>, false);
        for (step, attempt, on) in self.state.waits() {
            waits = true;
            match on {
                WaitOn::Timer { until } | WaitOn::Retry { until } if *until <= now => due.push((step.clone(), attempt)),
                WaitOn::Timer { until: at } | WaitOn::Retry { until: at } => {
                    until = Some(until.map_or(*at, |until| until.min(*at)))
                }
                WaitOn::Decision | WaitOn::Connection { .. } | WaitOn::Run { .. } => {}
            }
        }
        if !due.is_empty() {
            for (step, attempt) in due {
                self.record(now, Record::Woken { step, attempt, by: WokenBy::Time });
            }
            return None;
        }
        if !waits && self.state.under_way().next().is_none() {
            // A planner that has nothing to say about a run that waits for nothing would hang it.
            return Some(Need::End(broken("The run came to a place where nothing follows.")));
        }
        Some(Need::Rest { until })
    }

    /// Starts a step: evaluates it, or says what to call.
    fn start(&mut self, step: StepPath, attempt: u16, catalogue: &dyn Catalogue, clock: &Clock) -> Option<Acting> {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.step(&step) else {
            let error = StepError::new(ErrorKind::Internal, "The step is not in the version that this run follows.");
            self.record(clock.now(), Record::failure(step, attempt, error, None, Trace::default()));
            return None;
        };
        match &planned.kind {
            Kind::Pure(pure) | Kind::Delay(pure) => {
                let began = std::time::Instant::now();
                let result = evaluate(pure, self.outputs.at(&step, &plan));
                let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                let trace = Trace { micros, ..Trace::default() };
                self.evaluated(step, attempt, result, trace, matches!(planned.kind, Kind::Delay(_)), clock);
                None
            }
            Kind::Lines(lines) => {
                self.open(step, attempt, lines, clock);
                None
            }
            Kind::Action(template) => match resolve(&planned.operation, template, self.outputs.at(&step, &plan), catalogue) {
                Ok(input) => {
                    let value = Json::Object(input);
                    let effect = planned.effect_of(&value);
                    let Json::Object(input) = value else { return None };
                    let repeated = self
                        .state
                        .step(&step)
                        .is_some_and(|state| state.attempt == attempt && matches!(state.status, Status::Started));
                    if !repeated {
                        self.record(clock.now(), Record::Started { step: step.clone(), attempt, effect });
                    }
                    let records = self.unsaved.iter().map(|entry| &entry.record);
                    let commit_first = self.acted_unsaved || (!self.unsaved.is_empty() && plan.commits_before(effect, records));
                    Some(Acting {
                        key: idempotency_key(self.run.run, &step),
                        step,
                        attempt,
                        operation: planned.operation.clone(),
                        connection: planned.connection.clone(),
                        input,
                        effect,
                        timeout: planned.timeout,
                        commit_first,
                        is_call: planned.is_call(),
                    })
                }
                Err(error) => {
                    self.record(clock.now(), Record::failure(step, attempt, error, None, Trace::default()));
                    None
                }
            },
        }
    }

    /// A step opens lines.
    fn open(&mut self, step: StepPath, attempt: u16, lines: &LinesStep, clock: &Clock) {
        let plan = Arc::clone(&self.plan);
        let record = match lines.open(self.outputs.at(&step, &plan)) {
            Ok(opening) => {
                if let Some(list) = opening.list {
                    self.outputs.keep_list(&step, list);
                }
                Record::Opened { step, attempt, kind: opening.kind, lines: opening.lines }
            }
            Err(error) => Record::failure(step, attempt, error, None, Trace::default()),
        };
        self.record(clock.now(), record);
    }

    /// A line came to its end: what it gives is worked out.
    fn close(&mut self, line: LinePath, end: LineEnd, clock: &Clock) {
        let plan = Arc::clone(&self.plan);
        let record = match self.outputs.gives(&line, &end, &plan) {
            Ok(result) => Record::LineEnded { line, end, result },
            Err(error) => {
                let step = line.opener().map_or_else(|| StepPath(line.0.clone()), |(step, _)| step);
                Record::LineEnded { line, end: LineEnd::Failed { failed: FailedStep { step, error } }, result: None }
            }
        };
        self.record(clock.now(), record);
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
    pub fn acted(&mut self, acting: &Acting, result: Result<Json, StepError>, trace: Trace, at: DateTime<Utc>) {
        let (step, attempt) = (acting.step.clone(), acting.attempt);
        self.acted_unsaved |= !matches!(acting.effect, None | Some(Effect::Read));
        self.record(
            at,
            match result {
                Ok(output) => match awaited(acting, &output) {
                    Some(run) => Record::Waiting { step, attempt, on: WaitOn::Run { run } },
                    None => Record::Succeeded { step, attempt, output, trace },
                },
                Err(error) => Record::failure(step, attempt, error, acting.effect, trace),
            },
        );
    }

    fn record(&mut self, at: DateTime<Utc>, record: Record) {
        let entry = Entry { at, record };
        self.fold(&entry);
        self.unsaved.push(entry);
    }

    fn fold(&mut self, entry: &Entry) {
        self.state.apply(&entry.record);
        self.outputs.apply(entry, &self.plan);
        match &entry.record {
            Record::Waiting { .. } => self.slept = true,
            Record::Decided { step, .. }
            | Record::Woken { step, .. }
            | Record::Succeeded { step, .. }
            | Record::Failed { step, .. }
                if !self.asked.is_empty() =>
            {
                self.asked.remove(step);
            }
            _ => {}
        }
    }
}

/// The run that a call started and that is waited for.
fn awaited(acting: &Acting, output: &Json) -> Option<RunId> {
    let waits = acting.is_call && acting.input.get("wait") != Some(&Json::Bool(false));
    output.get("run").filter(|_| waits).and_then(Json::as_str)?.parse().ok()
}

/// An end for what should not happen.
pub fn broken(message: &str) -> End {
    let error = StepError::new(ErrorKind::Internal, message).hint("This is a defect of Towpath: please report it.");
    End { state: EndState::Failed, reason: None, error: Some(FailedStep { step: StepPath(String::new()), error }) }
}
