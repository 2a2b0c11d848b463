//! Endings: of the run, of a line, and of what is cut off by them. Nothing that may have gone through outside is passed over in
//! silence.

use super::{Command, Planner};
use crate::{
    catalogue::Effect,
    error::{ErrorKind, StepError},
    plan::{Kind, PlannedStep},
    record::{End, EndState, LineEnd, SkipReason, WaitOn},
    state::{Line, Status, StepState},
    workflow::{LinePath, StepPath},
};

/// What is said about an effect that was under way when somebody cancelled.
const CANCELLED: &str = "The run was cancelled while this step was acting";

impl Planner<'_> {
    /// The run ends, and with it every line that is still under way. What else was planned doesn't matter any more.
    pub(super) fn end(&mut self, end: End) {
        self.commands.retain(|command| matches!(command, Command::Skip { .. }));
        let state = self.state;
        for (_, line) in state.inner_lines().collect::<Vec<_>>().iter().rev() {
            self.abandon(line, "The run ended while this step was acting");
        }
        self.abandon(state.own_line(), CANCELLED);
        self.commands.push(Command::End(end));
        self.is_over = true;
    }

    /// A line ends. It is told by itself, before anything else is begun: its step may be decided by that.
    pub(super) fn close(&mut self, line: LinePath, end: LineEnd) {
        self.commands.retain(|command| matches!(command, Command::Skip { step, .. } if step.line() == line));
        self.is_closing = true;
        self.commands.push(Command::CloseLine { line, end });
    }

    /// Skips whatever is not done and ends the run.
    pub(super) fn cancel(&mut self) {
        let state = self.state;
        for (_, line) in state.inner_lines().collect::<Vec<_>>().iter().rev() {
            self.abandon(line, CANCELLED);
        }
        let own = state.own_line();
        self.abandon(own, CANCELLED);
        let mut position = own.current().and_then(|path| self.plan.position(path)).unwrap_or(0);
        while let Some(step) = self.plan.steps().get(position) {
            if own.step(&step.id.0).is_none() {
                self.commands.push(Command::Skip { step: StepPath::from(&step.id), reason: SkipReason::Cancelled });
            }
            position = step.after_lines(position);
        }
        self.commands.push(Command::End(End { state: EndState::Cancelled, reason: None, error: None }));
        self.is_over = true;
    }

    /// Tells of the step at which a line stands, which is not gone on with. An effect under way that may have gone through is
    /// recorded as that.
    pub(super) fn abandon(&mut self, line: &Line, why: &str) {
        let Some((name, state)) = line.at() else { return };
        let Some(step) = self.plan.step(name) else { return };
        match state.status {
            Status::Started if is_unsafe(step, state) => {
                let error = lost(why);
                self.commands.push(Command::MarkUncertain { step: name.clone(), attempt: state.attempt, error });
            }
            Status::Started
            | Status::Open
            | Status::Waiting(WaitOn::Timer { .. } | WaitOn::Run { .. })
            | Status::Woken(WaitOn::Timer { .. }) => {
                self.commands.push(Command::Skip { step: name.clone(), reason: SkipReason::Cancelled });
            }
            _ => {}
        }
    }
}

pub(super) fn is_unsafe(step: &PlannedStep, state: &StepState) -> bool {
    matches!(step.kind, Kind::Action(_)) && state.effect.or_else(|| step.worst_effect()) == Some(Effect::Unsafe)
}

pub(super) fn lost(what: &str) -> StepError {
    StepError::new(ErrorKind::Uncertain, format!("{what}, so nobody here knows whether it went through."))
        .hint("Look at the other service, then say whether it went through or should be sent again.")
}
