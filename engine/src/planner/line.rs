//! What a single line does next: from the step at which it stands to the step after it, in the document's order, by way of the lane
//! that a branch or an error chose.

use super::{Command, Planner, STEP_BUDGET, close::is_unsafe, close::lost};
use crate::{
    error::{ErrorKind, StepError},
    ids::ConnectionId,
    plan::{Kind, PlannedStep, Role},
    record::{End, EndState, FailedStep, LineEnd, SkipReason, WaitOn},
    retry::{self, Verdict},
    state::{Line, Status, StepState, Turn, Word},
    workflow::{LinePath, OnError, StepPath},
};
use std::{ops::Range, time::Duration};

/// A line and where its steps are in the plan.
pub(super) struct Walk<'a, 'l, 'p> {
    pub planner: &'p mut Planner<'a>,
    pub path: &'l LinePath,
    pub line: &'l Line,
    pub steps: Range<usize>,
    /// The position of the step that opened it; `None` for the run's own line.
    pub opener: Option<usize>,
}

impl<'a, 'l> Walk<'a, 'l, '_> {
    fn at(&self, position: usize) -> &'a PlannedStep {
        &self.planner.plan.steps()[position]
    }

    fn name(&self, step: &PlannedStep) -> StepPath {
        self.path.step(&step.id)
    }

    fn known(&self, step: &PlannedStep) -> Option<&'l StepState> {
        self.line.step(&step.id.0)
    }

    /// Goes on from where the line stands.
    pub fn next(mut self) {
        let Some(current) = self.line.current() else { return self.go_on(self.steps.start) };
        let Some(position) = self.planner.plan.position(current) else { return self.go_on(self.steps.start) };
        let step = self.at(position);
        let Some(state) = self.line.step(current.id()) else { return self.start(step, 1, None) };
        match &state.status {
            Status::Started => self.started(step, state),
            Status::Open => {
                if let (Kind::Lines(kind), Some(lines)) = (&step.kind, &state.lines) {
                    self.planner.lines(current, state.attempt, kind, lines);
                }
            }
            Status::Waiting(_) => {}
            Status::Woken(WaitOn::Timer { until }) => {
                let (step, attempt, until) = (current.clone(), state.attempt, *until);
                self.planner.commands.push(Command::Finish { step, attempt, until });
            }
            Status::Woken(_) | Status::Decided(Word::SendAgain) => self.start(step, state.attempt.saturating_add(1), None),
            Status::Uncertain => self.ask(current, state.attempt),
            Status::Failed => match self.verdict(step, state) {
                Verdict::Retry { after } => self.start(step, state.attempt.saturating_add(1), Some(after)),
                Verdict::Uncertain => self.ask(current, state.attempt),
                // A step without a connection has nothing that could be renewed.
                Verdict::Refused => match step.connection_id() {
                    Some(connection) => self.await_connection(current, state.attempt, connection),
                    None => self.failed(position, state),
                },
                Verdict::Fail => self.failed(position, state),
            },
            Status::Decided(Word::Fail) => self.failed(position, state),
            Status::Succeeded | Status::Decided(Word::WentThrough) => self.done(position, state),
            Status::Skipped(_) => self.go_on(step.after_lines(position)),
        }
    }

    /// Started and without a result: under way in this process, or cut off by a crash.
    fn started(&mut self, step: &PlannedStep, state: &StepState) {
        if self.line.is_under_way(&step.id.0, state.attempt) {
            return;
        }
        let name = self.name(step);
        if is_unsafe(step, state) {
            let error = lost("Towpath was stopped while this step was acting");
            self.planner.commands.push(Command::MarkUncertain { step: name.clone(), attempt: state.attempt, error });
            self.ask(&name, state.attempt);
        } else {
            self.planner.commands.push(Command::Start { step: name, attempt: state.attempt, after: None });
        }
    }

    fn verdict(&self, step: &PlannedStep, state: &StepState) -> Verdict {
        let Some(error) = &state.error else { return Verdict::Fail };
        let limit = step.retry.attempts.saturating_add(state.uncounted);
        let seed = retry::seed(self.planner.state.run(), &self.name(step), state.attempt);
        retry::verdict(error, state.effect, state.attempt, limit, &step.retry, seed)
    }

    fn ask(&mut self, step: &StepPath, attempt: u16) {
        self.planner.commands.push(Command::AskPerson { step: step.clone(), attempt });
    }

    fn await_connection(&mut self, step: &StepPath, attempt: u16, connection: ConnectionId) {
        self.planner.commands.push(Command::AwaitConnection { step: step.clone(), attempt, connection });
    }

    /// The step failed for good.
    fn failed(&mut self, position: usize, state: &StepState) {
        let step = self.at(position);
        match step.on_error {
            OnError::Fail => {
                let error = state.error.clone().unwrap_or_else(|| lost("The step failed"));
                self.fail(FailedStep { step: self.name(step), error });
            }
            OnError::Continue | OnError::Rescue => self.done(position, state),
        }
    }

    /// The line fails, and with the run's own the run.
    fn fail(&mut self, failed: FailedStep) {
        if self.path.is_run() {
            self.planner.end(End { state: EndState::Failed, reason: None, error: Some(failed) });
        } else {
            self.close(LineEnd::Failed { failed });
        }
    }

    fn close(&mut self, end: LineEnd) {
        self.planner.close(self.path.clone(), end);
    }

    /// The step is done, well or not: follow the turn that it gives the line.
    fn done(&mut self, position: usize, state: &StepState) {
        let step = self.at(position);
        let turn = state.turn.as_ref().filter(|_| !state.has_failed());
        match step.role {
            Role::Branch => {
                let taken = taken_lane(step, state);
                for (lane, steps) in step.lanes.iter().enumerate().filter(|(lane, _)| Some(*lane) != taken) {
                    self.skip(steps.clone(), not_taken(step, lane));
                }
                self.go_on(
                    taken.map(|lane| step.lanes[lane].clone()).filter(|lane| !lane.is_empty()).map_or(step.end, |l| l.start),
                );
            }
            // What can't say that it passed doesn't let anything through.
            Role::Filter if !state.has_failed() && turn != Some(&Turn::Passed(true)) => self.filtered(position, step),
            Role::Filter if state.has_failed() && step.on_error != OnError::Rescue => self.filtered(position, step),
            Role::Stop if let Some(Turn::Stop { failed, reason }) = turn => {
                self.skip(position + 1..self.steps.end, SkipReason::Stopped);
                let state = if *failed { EndState::Failed } else { EndState::Succeeded };
                let reason = Some(reason.clone().unwrap_or_else(|| "stopped".into()));
                self.planner.end(End { state, reason, error: None });
            }
            Role::Filter | Role::Stop | Role::Other => self.go_on(step.after_lines(position)),
        }
    }

    /// A filter ends the lane that it is in.
    fn filtered(&mut self, position: usize, step: &PlannedStep) {
        self.skip(position + 1..step.lane_end, SkipReason::Filtered);
        if step.parent.map(|(parent, _)| parent) != self.opener {
            return self.go_on(step.lane_end);
        }
        if self.path.is_run() {
            let reason = Some("filtered".into());
            self.planner.end(End { state: EndState::Succeeded, reason, error: None });
        } else {
            self.close(LineEnd::Filtered);
        }
    }

    /// Starts the first step from here on that is to be done, or ends the line.
    pub fn go_on(&mut self, from: usize) {
        let mut position = from;
        while position < self.steps.end {
            let step = self.at(position);
            if self.known(step).is_none() {
                match self.lane_not_taken(position) {
                    None => return self.start(step, 1, None),
                    Some(reason) => self.skip(position..position + 1, reason),
                }
            }
            position = step.after_lines(position);
        }
        if self.path.is_run() {
            self.planner.end(End { state: EndState::Succeeded, reason: None, error: None });
        } else {
            self.close(LineEnd::Done);
        }
    }

    /// Why the step is not gone to: a step around it, on the same line, took another lane.
    fn lane_not_taken(&self, position: usize) -> Option<SkipReason> {
        let mut inner = self.at(position);
        while let Some((parent, lane)) = inner.parent.filter(|(parent, _)| Some(*parent) != self.opener) {
            inner = self.at(parent);
            if self.known(inner).and_then(|state| taken_lane(inner, state)) != Some(lane) {
                return Some(not_taken(inner, lane));
            }
        }
        None
    }

    /// Skips these steps of the line. What the lines inside would have done goes without saying.
    fn skip(&mut self, positions: Range<usize>, reason: SkipReason) {
        let mut position = positions.start;
        while position < positions.end {
            let step = self.at(position);
            if self.known(step).is_none() {
                self.planner.commands.push(Command::Skip { step: self.name(step), reason });
            }
            position = step.after_lines(position);
        }
    }

    fn start(&mut self, step: &PlannedStep, attempt: u16, after: Option<Duration>) {
        if self.line.is_under_way(&step.id.0, attempt) {
            return;
        }
        let name = self.name(step);
        if !self.line.is_looped() && self.planner.state.counted_attempts() >= STEP_BUDGET {
            let message = format!("The run made {STEP_BUDGET} attempts in all and was ended so that it doesn't go on for ever.");
            let error = StepError::new(ErrorKind::Forbidden, message).hint("Look at what makes its steps fail again and again.");
            let error = Some(FailedStep { step: name, error });
            return self.planner.end(End { state: EndState::Failed, reason: None, error });
        }
        self.planner.commands.push(Command::Start { step: name, attempt, after });
    }
}

/// Which lane on the same line follows the step: the one for its error, the case that it chose, else the otherwise lane.
pub(super) fn taken_lane(step: &PlannedStep, state: &StepState) -> Option<usize> {
    if state.has_failed() {
        return step.rescue.filter(|_| step.on_error == OnError::Rescue);
    }
    match &state.turn {
        Some(Turn::Case(Some(case))) if step.role == Role::Branch => Some(*case).filter(|case| *case < step.cases),
        Some(Turn::Case(None)) if step.role == Role::Branch => step.otherwise,
        _ => None,
    }
}

fn not_taken(step: &PlannedStep, lane: usize) -> SkipReason {
    if step.rescue == Some(lane) { SkipReason::NotNeeded } else { SkipReason::OtherCase }
}
