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
//!      *A call of another workflow*: an action whose start is its call. Write `Waiting { on: Run { run } }` in place of `Succeeded` where it is
//!      waited for, and let go of the run; when that run has ended, write the `Succeeded` or `Failed` that follows from its end.
//!      *Lines*: work out what it opens, write `Opened`, or `Failed { effect: None }`.
//!      *Action*: resolve the input (what fails there is `Failed { effect: None }`), ask `plan.effect_of`, apply `Started` with that
//!      effect, commit if `plan.commits_before` says so (always when the effect is unsafe), call it with
//!      [`idempotency_key`](crate::retry::idempotency_key), write `Succeeded` or [`Record::failure`].
//!    - [`Command::CloseLine`] for a line that is done or was filtered: work out what it gives, write `LineEnded`; if that can't be
//!      worked out, the line failed.
//! 4. Ask again.
//!
//! Steps of several lines may be under way at once. A `Skip` or `MarkUncertain` of one that is means: drop its call. If the call had not
//! left yet, write `Skipped` instead of `Uncertain`.
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

mod close;
mod line;
mod lines;

pub use lines::ROUND_BUDGET;

use crate::{
    Json,
    error::StepError,
    expr::moment,
    ids::ConnectionId,
    plan::Plan,
    record::{End, LineEnd, Record, SkipReason, Trace, WaitOn},
    state::{Line, RunState},
    workflow::{LinePath, StepPath},
};
use chrono::{DateTime, Utc};
use line::Walk;
use std::time::Duration;

/// How many attempts a run may make in all, over all its steps outside of loops.
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
    /// Sleep until the connection of a refused attempt is renewed.
    AwaitConnection { step: StepPath, attempt: u16, connection: ConnectionId },
    /// A delay is over.
    Finish { step: StepPath, attempt: u16, until: DateTime<Utc> },
    /// A line is over. What a line gives that came to its end is the shell's to work out.
    CloseLine { line: LinePath, end: LineEnd },
    /// The lines of a step are over, and it is done.
    Join { step: StepPath, attempt: u16, output: Json },
    /// The lines of a step are over, and it failed.
    Fail { step: StepPath, attempt: u16, error: StepError },
    /// The run is over; this is the last command.
    End(End),
}

impl Command {
    /// The record that carrying out this command means. `None` for [`Command::Start`], whose records depend on what happens, and for
    /// a [`Command::CloseLine`] of a line that wasn't cut off or failed: what it gives is worked out first.
    pub fn record(&self) -> Option<Record> {
        Some(match self.clone() {
            Self::Start { .. } | Self::CloseLine { end: LineEnd::Done | LineEnd::Filtered, .. } => return None,
            Self::CloseLine { line, end } => Record::LineEnded { line, end, result: None },
            Self::Join { step, attempt, output } => Record::Succeeded { step, attempt, output, trace: Trace::default() },
            Self::Fail { step, attempt, error } => Record::Failed { step, attempt, error, effect: None, trace: Trace::default() },
            Self::Skip { step, reason } => Record::Skipped { step, reason },
            Self::MarkUncertain { step, attempt, error } => Record::Uncertain { step, attempt, error, trace: Trace::default() },
            Self::AskPerson { step, attempt } => Record::Waiting { step, attempt, on: WaitOn::Decision },
            Self::AwaitConnection { step, attempt, connection } => {
                Record::Waiting { step, attempt, on: WaitOn::Connection { id: connection } }
            }
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
/// The work is proportional to the lines on which something happened, not to the workflow, nor to what loops went through.
pub fn next(plan: &Plan, state: &RunState) -> Vec<Command> {
    if state.end().is_some() {
        return Vec::new();
    }
    let mut planner = Planner { plan, state, commands: Vec::new(), is_closing: false, is_over: false };
    if state.cancel_requested() {
        planner.cancel();
        return planner.commands;
    }
    if state.own_line().is_ready() {
        planner.walk(&RUN, state.own_line());
    }
    for (path, line) in state.ready_lines() {
        if planner.is_closing || planner.is_over {
            break;
        }
        planner.walk(path, line);
    }
    planner.commands
}

static RUN: LinePath = LinePath::RUN;

struct Planner<'a> {
    plan: &'a Plan,
    state: &'a RunState,
    commands: Vec<Command>,
    /// A line ends with these commands; what follows from that is asked next.
    is_closing: bool,
    /// The run ends with these commands.
    is_over: bool,
}

impl Planner<'_> {
    /// Goes on with one line.
    fn walk(&mut self, path: &LinePath, line: &Line) {
        if let Some((steps, opener)) = self.plan.line(path) {
            Walk { planner: self, path, line, steps, opener }.next();
        }
    }
}

#[cfg(test)]
mod lane_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
