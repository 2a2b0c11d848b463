//! The planner: what a run does next. Same arguments, same answer; no clock, no I/O.

use crate::{
    plan::Plan,
    record::{End, SkipReason},
    state::RunState,
    workflow::StepPath,
};
use std::time::Duration;

/// A planned act. A batch is in order: it may skip a step and start what follows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Do the step. `after`: not before this long has passed since the failure of the attempt before (a retry).
    Start {
        step: StepPath,
        attempt: u16,
        after: Option<Duration>,
    },
    Skip {
        step: StepPath,
        reason: SkipReason,
    },
    /// Sleep until a person decides about an uncertain attempt.
    AskPerson {
        step: StepPath,
        attempt: u16,
    },
    /// The run is over; this is the last command.
    End(End),
}

/// What to do next. Replanning without news (with the same commands under way) yields nothing; a finished run yields nothing.
pub fn next(plan: &Plan, state: &RunState) -> Vec<Command> {
    let _ = (plan, state);
    Vec::new()
}
