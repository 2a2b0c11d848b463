//! The planner: what a run does next. Same arguments, same answer; no clock, no I/O.
//!
//! The shell drives a run like this:
//!
//! 1. Fold the run's history into a [`RunState`] (a new run: [`RunState::new`]), and keep the outputs that [`Record::output`] names.
//! 2. Ask [`next`]. An empty answer means: nothing to do until there is news (a result, a wake-up, a decision, a cancel request).
//! 3. Carry out the commands in their order, and apply every record that this yields to the state:
//!    - Every command but `Start` *is* its record: [`Command::record`].
//!    - [`Command::Start`] with `after`: the attempt before failed. Write `Waiting { on: Retry { until } }` for the attempt *before* (the
//!      command's `attempt` − 1), in the same commit as its `Failed`, and let go of the run; when the time comes write `Woken`
//!      and ask again. A short wait may as well be slept in memory, without these two records; a crash then waits anew.
//!    - [`Command::Start`] without: call [`RunState::issued`], then do the step as its plan's kind says.
//!      *Pure*: evaluate, write `Succeeded` with [`Outcome::output`](crate::pure::Outcome::output), or `Failed { effect: None }`; nothing
//!      needs to be on disk for it. A respond step writes `Responded` before its `Succeeded`.
//!      *Delay*: evaluate, write `Waiting { on: Timer { until } }` and let go of the run (a moment that has passed: the same,
//!      and `Woken` at once). After `Woken` the answer is [`Command::Finish`].
//!      *Action*: resolve the input (what fails there is `Failed { effect: None }`), ask `plan.effect_of`, apply `Started` with that
//!      effect, commit if `plan.commits_before` says so (always when the effect is unsafe), call it with
//!      [`idempotency_key`](crate::retry::idempotency_key), write `Succeeded` or [`Record::failure`].
//! 4. Ask again.
//!
//! Records are committed in their order, never one without those before it. When: before an effect as `plan.commits_before` says,
//! before the run is let go of (any `Waiting`), and with `Ended`. Records made by others (`Woken`, `Decided`,
//! `CancelRequested`) are on disk before they are applied. A result of an action should be committed soon, so that people see it.
//!
//! Cancelling: apply `CancelRequested` and ask. If a step is under way, drop its call first (or wait for its result, if it comes
//! before the answer's records are committed: the first record wins). The answer ends the run.
//!
//! After a crash: fold and ask, with nothing under way. A started attempt without a result is repeated under its own number and key,
//! or, when its effect is unsafe, goes to a person.

use crate::{
    catalogue::Effect,
    error::{ErrorKind, StepError},
    expr::moment,
    plan::{Kind, Plan, PlannedStep, Role},
    record::{End, EndState, FailedStep, Record, SkipReason, Trace, WaitOn},
    retry::{self, Verdict},
    state::{RunState, Status, StepState, Turn, Word},
    workflow::{OnError, StepPath},
};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How many attempts a run may make in all, over all its steps.
pub const STEP_BUDGET: u32 = 10_000;

/// A planned act. A batch is in order: it may skip a step and start what follows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Do the step. `after`: not before this long has passed since the failure of the attempt before (a retry).
    Start { step: StepPath, attempt: u16, after: Option<Duration> },
    /// The step won't be done.
    Skip { step: StepPath, reason: SkipReason },
    /// An attempt was cut off and its effect may have happened.
    MarkUncertain { step: StepPath, attempt: u16, error: StepError },
    /// Sleep until a person decides about an uncertain attempt.
    AskPerson { step: StepPath, attempt: u16 },
    /// A delay is over.
    Finish { step: StepPath, attempt: u16, until: DateTime<Utc> },
    /// The run is over; this is the last command.
    End(End),
}

impl Command {
    /// The record that carrying out this command means; `None` for [`Command::Start`], whose records depend on what happens.
    pub fn record(&self) -> Option<Record> {
        Some(match self.clone() {
            Self::Start { .. } => return None,
            Self::Skip { step, reason } => Record::Skipped { step, reason },
            Self::MarkUncertain { step, attempt, error } => Record::Uncertain { step, attempt, error, trace: Trace::default() },
            Self::AskPerson { step, attempt } => Record::Waiting { step, attempt, on: WaitOn::Decision },
            Self::Finish { step, attempt, until } => Record::Succeeded {
                step,
                attempt,
                output: serde_json::json!({ "until": moment::write(until) }),
                trace: Trace::default(),
            },
            Self::End(end) => Record::Ended { end },
        })
    }
}

/// What to do next. Replanning without news (with the same commands under way) yields nothing; a finished run yields nothing.
///
/// The work is proportional to the steps that the answer is about, not to the workflow.
pub fn next(plan: &Plan, state: &RunState) -> Vec<Command> {
    if state.end().is_some() {
        return Vec::new();
    }
    let current = state.current().and_then(|path| plan.position(path));
    if state.cancel_requested() {
        return cancel(plan, state, current);
    }
    let mut planner = Planner { plan, state, commands: Vec::new() };
    match current {
        None => planner.go_on(0),
        Some(position) => planner.after(position),
    }
    planner.commands
}

struct Planner<'a> {
    plan: &'a Plan,
    state: &'a RunState,
    commands: Vec<Command>,
}

impl Planner<'_> {
    /// Goes on from the step that last did something.
    fn after(&mut self, position: usize) {
        let step = &self.plan.steps()[position];
        let Some(state) = self.state.step(&step.path) else { return self.start(step, 1, None) };
        match &state.status {
            Status::Started => self.started(step, state),
            Status::Waiting(_) => {}
            Status::Woken(WaitOn::Timer { until }) => {
                self.commands.push(Command::Finish { step: step.path.clone(), attempt: state.attempt, until: *until });
            }
            Status::Woken(_) | Status::Decided(Word::SendAgain) => self.start(step, state.attempt.saturating_add(1), None),
            Status::Uncertain => self.ask(step, state.attempt),
            Status::Failed => match self.verdict(step, state) {
                Verdict::Retry { after } => self.start(step, state.attempt.saturating_add(1), Some(after)),
                Verdict::Uncertain => self.ask(step, state.attempt),
                Verdict::Fail => self.failed(position, state),
            },
            Status::Decided(Word::Fail) => self.failed(position, state),
            Status::Succeeded | Status::Decided(Word::WentThrough) => self.done(position, state.turn.as_ref()),
            Status::Skipped(_) => self.go_on(position + 1),
        }
    }

    /// Started and without a result: under way in this process, or cut off by a crash.
    fn started(&mut self, step: &PlannedStep, state: &StepState) {
        if self.state.under_way() == Some((&step.path, state.attempt)) {
            return;
        }
        if is_unsafe(step, state) {
            let error = lost("Towpath was stopped while this step was acting");
            self.commands.push(Command::MarkUncertain { step: step.path.clone(), attempt: state.attempt, error });
            self.ask(step, state.attempt);
        } else {
            self.commands.push(Command::Start { step: step.path.clone(), attempt: state.attempt, after: None });
        }
    }

    fn verdict(&self, step: &PlannedStep, state: &StepState) -> Verdict {
        let Some(error) = &state.error else { return Verdict::Fail };
        let limit = step.retry.attempts.saturating_add(state.sent_again);
        let seed = retry::seed(self.state.run(), &step.path, state.attempt);
        retry::verdict(error, state.effect, state.attempt, limit, &step.retry, seed)
    }

    fn ask(&mut self, step: &PlannedStep, attempt: u16) {
        self.commands.push(Command::AskPerson { step: step.path.clone(), attempt });
    }

    fn failed(&mut self, position: usize, state: &StepState) {
        let step = &self.plan.steps()[position];
        match step.on_error {
            OnError::Fail => {
                let error = state.error.clone().unwrap_or_else(|| lost("The step failed"));
                let error = Some(FailedStep { step: step.path.clone(), error });
                self.commands.push(Command::End(End { state: EndState::Failed, reason: None, error }));
            }
            OnError::Continue => self.done(position, None),
        }
    }

    /// The step is done, well or not: follow the turn that it gives the run.
    fn done(&mut self, position: usize, turn: Option<&Turn>) {
        let step = &self.plan.steps()[position];
        match step.role {
            Role::Branch => {
                let taken = taken_lane(step, turn).map_or(0..0, |lane| step.lanes[lane].clone());
                let others = (position + 1..step.end).filter(|position| !taken.contains(position));
                self.skip(others, SkipReason::OtherCase);
                self.go_on(if taken.is_empty() { step.end } else { taken.start });
            }
            // What can't say that it passed doesn't let anything through.
            Role::Filter if turn != Some(&Turn::Passed(true)) => {
                self.skip(position + 1..step.lane_end, SkipReason::Filtered);
                if step.parent.is_none() {
                    let reason = Some("filtered".into());
                    self.commands.push(Command::End(End { state: EndState::Succeeded, reason, error: None }));
                } else {
                    self.go_on(step.lane_end);
                }
            }
            Role::Stop if let Some(Turn::Stop { failed, reason }) = turn => {
                self.skip(position + 1..self.plan.steps().len(), SkipReason::Stopped);
                let state = if *failed { EndState::Failed } else { EndState::Succeeded };
                let reason = Some(reason.clone().unwrap_or_else(|| "stopped".into()));
                self.commands.push(Command::End(End { state, reason, error: None }));
            }
            Role::Filter | Role::Stop | Role::Other => self.go_on(position + 1),
        }
    }

    /// Starts the first step from here on that is to be done, or ends the run.
    fn go_on(&mut self, from: usize) {
        for position in from..self.plan.steps().len() {
            let step = &self.plan.steps()[position];
            if self.state.step(&step.path).is_some() {
                continue;
            }
            if self.is_in_a_taken_lane(position) {
                return self.start(step, 1, None);
            }
            self.skip(position..position + 1, SkipReason::OtherCase);
        }
        self.commands.push(Command::End(End { state: EndState::Succeeded, reason: None, error: None }));
    }

    fn is_in_a_taken_lane(&self, position: usize) -> bool {
        let mut inner = &self.plan.steps()[position];
        while let Some((parent, lane)) = inner.parent {
            inner = &self.plan.steps()[parent];
            let turn = self.state.step(&inner.path).and_then(|state| state.turn.as_ref());
            if taken_lane(inner, turn) != Some(lane) {
                return false;
            }
        }
        true
    }

    fn skip(&mut self, positions: impl Iterator<Item = usize>, reason: SkipReason) {
        for position in positions {
            let step = &self.plan.steps()[position].path;
            if self.state.step(step).is_none() {
                self.commands.push(Command::Skip { step: step.clone(), reason });
            }
        }
    }

    fn start(&mut self, step: &PlannedStep, attempt: u16, after: Option<Duration>) {
        if self.state.under_way() == Some((&step.path, attempt)) {
            return;
        }
        if self.state.attempts() >= STEP_BUDGET {
            let message = format!("The run made {STEP_BUDGET} attempts in all and was ended so that it doesn't go on for ever.");
            let error = StepError::new(ErrorKind::Forbidden, message).hint("Look at what makes its steps fail again and again.");
            let error = Some(FailedStep { step: step.path.clone(), error });
            return self.commands.push(Command::End(End { state: EndState::Failed, reason: None, error }));
        }
        self.commands.push(Command::Start { step: step.path.clone(), attempt, after });
    }
}

/// Skips whatever is not done and ends the run. An effect under way that may have gone through is recorded as that.
fn cancel(plan: &Plan, state: &RunState, current: Option<usize>) -> Vec<Command> {
    let mut commands = Vec::new();
    for step in &plan.steps()[current.unwrap_or(0)..] {
        let skip = Command::Skip { step: step.path.clone(), reason: SkipReason::Cancelled };
        match state.step(&step.path) {
            None => commands.push(skip),
            Some(found) => match found.status {
                Status::Started if is_unsafe(step, found) => {
                    let error = lost("The run was cancelled while this step was acting");
                    commands.push(Command::MarkUncertain { step: step.path.clone(), attempt: found.attempt, error });
                }
                Status::Started | Status::Waiting(WaitOn::Timer { .. }) | Status::Woken(WaitOn::Timer { .. }) => {
                    commands.push(skip)
                }
                _ => {}
            },
        }
    }
    commands.push(Command::End(End { state: EndState::Cancelled, reason: None, error: None }));
    commands
}

fn is_unsafe(step: &PlannedStep, state: &StepState) -> bool {
    matches!(step.kind, Kind::Action(_)) && state.effect.or_else(|| step.worst_effect()) == Some(Effect::Unsafe)
}

fn lost(what: &str) -> StepError {
    StepError::new(ErrorKind::Uncertain, format!("{what}, so nobody here knows whether it went through."))
        .hint("Look at the other service, then say whether it went through or should be sent again.")
}

/// Which lane of a branch runs: the case that it chose, else the otherwise lane if there is one.
fn taken_lane(step: &PlannedStep, turn: Option<&Turn>) -> Option<usize> {
    match turn {
        Some(Turn::Case(Some(case))) => Some(*case).filter(|case| *case < step.cases),
        Some(Turn::Case(None)) => Some(step.cases).filter(|otherwise| *otherwise < step.lanes.len()),
        _ => None,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
