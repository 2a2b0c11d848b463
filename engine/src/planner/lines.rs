//! What a step with lines of its own does next: opens lines as there is room, and is done when its lines say so.

use super::{Command, Planner, line::Walk};
use crate::{
    error::{ErrorKind, StepError},
    lines::{Join, LinesStep},
    record::{FailedStep, LineEnd},
    state::{Line, Lines},
    workflow::StepPath,
};
use serde_json::json;

/// How many rounds of loops a run may go through, over all its loops.
pub const ROUND_BUDGET: u32 = 1_000_000;

/// What the ends of the lines mean for their step.
enum Standing {
    GoesOn,
    Done,
    Failed(StepError),
}

impl Planner<'_> {
    /// Goes on with the lines that this step opened.
    pub(super) fn lines(&mut self, step: &StepPath, attempt: u16, kind: &LinesStep, lines: &Lines) {
        match standing(kind, lines, self.state.rounds()) {
            Standing::GoesOn => self.open(step, kind, lines),
            Standing::Done => {
                self.cut_off(step, lines);
                let output = counts(kind, lines);
                self.commands.push(Command::Join { step: step.clone(), attempt, output });
            }
            Standing::Failed(error) => {
                self.cut_off(step, lines);
                self.commands.push(Command::Fail { step: step.clone(), attempt, error });
            }
        }
    }

    /// Begins as many lines as there is room for.
    fn open(&mut self, step: &StepPath, kind: &LinesStep, lines: &Lines) {
        let fresh = Line::opened_by(lines.kind, self.state.line(&step.line()));
        for number in lines.openable(kind.at_once()) {
            let path = step.opens(number);
            let Some((steps, opener)) = self.plan.line(&path) else { return };
            Walk { planner: self, path: &path, line: &fresh, steps: steps.clone(), opener }.go_on(steps.start);
            if self.is_closing || self.is_over {
                return;
            }
        }
    }

    /// Ends the lines that are under way: their step is decided without them.
    fn cut_off(&mut self, step: &StepPath, lines: &Lines) {
        self.is_closing = true;
        self.commands.clear();
        let state = self.state;
        let inside: Vec<_> = state.inner_lines().filter(|(path, _)| path.is_opened_by(step)).collect();
        for (_, line) in inside.iter().rev() {
            self.abandon(line, "This step was cut off while it was acting");
        }
        for number in lines.live() {
            self.commands.push(Command::CloseLine { line: step.opens(number), end: LineEnd::Cancelled });
        }
    }
}

fn standing(kind: &LinesStep, lines: &Lines, rounds: u32) -> Standing {
    let over = lines.over() == lines.total;
    if lines.kind.is_loop() && !over && rounds >= ROUND_BUDGET {
        let message =
            format!("The run went through {ROUND_BUDGET} rounds in all and was ended so that it doesn't go on for ever.");
        return Standing::Failed(StepError::new(ErrorKind::Forbidden, message));
    }
    match kind {
        LinesStep::Each(each) => match &lines.failure {
            Some(failure) if each.stops => Standing::Failed(because("Item", failure)),
            _ if over => Standing::Done,
            _ => Standing::GoesOn,
        },
        LinesStep::Parallel { lanes, join } => {
            let needed = match join {
                Join::All => *lanes,
                Join::Some(needed) => *needed,
            };
            // A lane that its filter ended has done what it was to do.
            if lines.done + lines.filtered >= needed {
                return Standing::Done;
            }
            match &lines.failure {
                Some(failure) if lines.total - lines.failed < needed => Standing::Failed(because("Lane", failure)),
                _ => Standing::GoesOn,
            }
        }
        LinesStep::Repeat { most, .. } => match &lines.failure {
            Some(failure) => Standing::Failed(because("Round", failure)),
            None if lines.over() > 0 && !lines.again => Standing::Done,
            None if over => {
                let message = format!("After {most} rounds the condition for another one still held.");
                let hint = "Look at why the condition never stops holding, or allow more rounds.";
                Standing::Failed(StepError::new(ErrorKind::Forbidden, message).hint(hint))
            }
            None => Standing::GoesOn,
        },
    }
}

/// The error of a step whose line failed.
fn because(what: &str, failure: &(u32, FailedStep)) -> StepError {
    let (number, FailedStep { step, error }) = failure;
    let message = format!("{what} {} failed at “{}”: {}", number + 1, step.id(), error.message);
    let mut outer = StepError::new(error.kind, message);
    outer.hint.clone_from(&error.hint);
    outer
}

/// The output of a step whose lines are over, without what its rounds gave: that is in their own records.
fn counts(kind: &LinesStep, lines: &Lines) -> crate::Json {
    match kind {
        LinesStep::Each(_) => json!({
            "count": lines.total, "succeeded": lines.done, "filtered": lines.filtered, "failed": lines.failed,
        }),
        LinesStep::Parallel { .. } => json!({ "done": lines.done + lines.filtered, "failed": lines.failed }),
        LinesStep::Repeat { .. } => json!({ "rounds": lines.over() }),
    }
}
