//! What became of one step, as its records say it.

use super::lines::Lines;
use crate::{
    Json,
    catalogue::Effect,
    error::StepError,
    record::{SkipReason, WaitOn},
};

/// What became of a step so far.
#[derive(Clone, Debug, PartialEq)]
pub struct StepState {
    /// The attempt that the status is about; counts from 1.
    pub attempt: u16,
    pub status: Status,
    /// What a repeat of that attempt would do, where a record said so.
    pub effect: Option<Effect>,
    /// The last failure.
    pub error: Option<StepError>,
    /// Attempts that don't count against the step's limit: a person said "send again", or the service did nothing because it did not
    /// take the connection.
    pub uncounted: u16,
    /// Where the run goes from here, if the step decides that.
    pub turn: Option<Turn>,
    /// The lines that it opened, while it is open.
    pub lines: Option<Box<Lines>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Acting, or cut off by a crash.
    Started,
    /// Its lines go on.
    Open,
    Waiting(WaitOn),
    /// The wait is over: a timer step is about to succeed, a failed one about to be tried again.
    Woken(WaitOn),
    Succeeded,
    /// The attempt failed; the planner says whether there is another.
    Failed,
    /// The effect may have happened.
    Uncertain,
    /// A person's word on it.
    Decided(Word),
    Skipped(SkipReason),
}

/// A person's word on an uncertain effect, without the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    WentThrough,
    SendAgain,
    Fail,
}

/// Where a run goes after a step that decides it, read from the step's output.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// A branch's `case`: which one, or none of them.
    Case(Option<usize>),
    /// A filter's `passed`.
    Passed(bool),
    /// A stop step's `outcome` and `reason`.
    Stop { failed: bool, reason: Option<String> },
}

/// Longer reasons are cut: they are shown in lists.
pub(super) const MAX_REASON: usize = 500;

impl Turn {
    /// Any step's output may look like a turn; only the planner knows which steps are asked.
    pub(super) fn of(output: &Json) -> Option<Self> {
        if let Some(case) = output.get("case") {
            return Some(Self::Case(case.as_u64().and_then(|index| usize::try_from(index).ok())));
        }
        if let Some(passed) = output.get("passed") {
            return Some(Self::Passed(passed.as_bool().unwrap_or(false)));
        }
        let failed = match output.get("outcome")?.as_str()? {
            "failed" => true,
            "succeeded" => false,
            _ => return None,
        };
        let reason = output.get("reason").and_then(Json::as_str).map(str::trim).filter(|reason| !reason.is_empty());
        Some(Self::Stop { failed, reason: reason.map(|reason| reason.chars().take(MAX_REASON).collect()) })
    }
}

impl StepState {
    pub(super) fn new() -> Self {
        let (error, turn, lines) = (None, None, None);
        Self { attempt: 0, status: Status::Started, effect: None, error, uncounted: 0, turn, lines }
    }

    /// Is the step done, whatever its plan says? A failed one may be, too.
    pub(super) fn is_over(&self) -> bool {
        matches!(
            self.status,
            Status::Succeeded | Status::Skipped(_) | Status::Decided(Word::WentThrough) | Status::Decided(Word::Fail)
        )
    }

    /// Did it fail for good, so far as its records say? Whether another attempt follows is the planner's to say.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Decided(Word::Fail))
    }
}

impl Status {
    /// Is the attempt still without a result?
    pub(crate) fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Started
                | Self::Open
                | Self::Waiting(WaitOn::Timer { .. } | WaitOn::Run { .. })
                | Self::Woken(WaitOn::Timer { .. })
        )
    }
}
