//! The state of a run: the fold of its records, and nothing else. It knows no plan and no clock, and keeps no outputs beyond
//! what decides where the run goes.

use crate::{
    Json,
    catalogue::Effect,
    error::StepError,
    ids::RunId,
    planner::Command,
    record::{Decision, End, Record, SkipReason, WaitOn},
    retry,
    workflow::StepPath,
};
use std::collections::HashMap;

/// What the planner needs to know of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    run: RunId,
    steps: HashMap<StepPath, StepState>,
    /// The last step that did something (was not merely skipped). Steps run in the document's order, so planning goes on here.
    current: Option<StepPath>,
    attempts: u32,
    cancel_requested: bool,
    responded: bool,
    end: Option<End>,
    under_way: Option<(StepPath, u16)>,
}

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
    /// How often a person said "send again": each allows one attempt beyond the step's limit.
    pub sent_again: u16,
    /// Where the run goes from here, if the step decides that.
    pub turn: Option<Turn>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Acting, or cut off by a crash.
    Started,
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
const MAX_REASON: usize = 500;

impl Turn {
    /// Any step's output may look like a turn; only the planner knows which steps are asked.
    fn of(output: &Json) -> Option<Self> {
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
    fn new() -> Self {
        Self { attempt: 0, status: Status::Started, effect: None, error: None, sent_again: 0, turn: None }
    }

    /// Is the step done, whatever its plan says? A failed one may be, too.
    fn is_over(&self) -> bool {
        matches!(
            self.status,
            Status::Succeeded | Status::Skipped(_) | Status::Decided(Word::WentThrough) | Status::Decided(Word::Fail)
        )
    }
}

/// Is the attempt still without a result?
fn is_open(status: &Status) -> bool {
    matches!(status, Status::Started | Status::Waiting(WaitOn::Timer { .. }) | Status::Woken(WaitOn::Timer { .. }))
}

impl RunState {
    /// A run of which nothing has happened yet.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            steps: HashMap::new(),
            current: None,
            attempts: 0,
            cancel_requested: false,
            responded: false,
            end: None,
            under_way: None,
        }
    }

    /// The fold of a history.
    pub fn fold<'a>(run: RunId, history: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut state = Self::new(run);
        history.into_iter().for_each(|record| state.apply(record));
        state
    }

    /// Folds one more record in. A record that is already in changes nothing, nor does one that contradicts an earlier one (a
    /// second result of an attempt, anything after the end). The work doesn't grow with the history.
    pub fn apply(&mut self, record: &Record) {
        if self.end.is_some() {
            return;
        }
        match record {
            Record::Started { step, attempt, effect } => {
                if let Some(state) = self.open(step, *attempt, |_, new| new) {
                    state.effect = *effect;
                    self.current = Some(step.clone());
                }
            }
            Record::Succeeded { step, attempt, output, .. } => {
                if let Some(state) = self.open(step, *attempt, |status, _| is_open(status)) {
                    state.status = Status::Succeeded;
                    state.turn = Turn::of(output);
                    self.news(step);
                }
            }
            Record::Failed { step, attempt, error, effect, .. } => {
                if let Some(state) = self.open(step, *attempt, |status, _| is_open(status)) {
                    state.effect = effect.or(state.effect);
                    state.error = Some(error.clone());
                    let uncertain = retry::is_uncertain(error.kind, state.effect);
                    state.status = if uncertain { Status::Uncertain } else { Status::Failed };
                    self.news(step);
                }
            }
            Record::Uncertain { step, attempt, error, .. } => {
                if let Some(state) = self.open(step, *attempt, |status, _| is_open(status)) {
                    state.error = Some(error.clone());
                    state.status = Status::Uncertain;
                    self.news(step);
                }
            }
            Record::Waiting { step, attempt, on } => {
                let fits = |status: &Status, new: bool| match on {
                    WaitOn::Timer { .. } => matches!(status, Status::Started),
                    WaitOn::Retry { .. } => matches!(status, Status::Failed) && !new,
                    WaitOn::Decision => matches!(status, Status::Uncertain) && !new,
                };
                if let Some(state) = self.open(step, *attempt, fits) {
                    state.status = Status::Waiting(on.clone());
                    self.news(step);
                }
            }
            Record::Woken { step, attempt, .. } => {
                if let Some(state) = self.steps.get_mut(step)
                    && state.attempt == *attempt
                    && let Status::Waiting(on @ (WaitOn::Timer { .. } | WaitOn::Retry { .. })) = &state.status
                {
                    state.status = Status::Woken(on.clone());
                    self.news(step);
                }
            }
            Record::Decided { step, attempt, decision, .. } => {
                if let Some(state) = self.steps.get_mut(step)
                    && state.attempt == *attempt
                    && matches!(state.status, Status::Uncertain | Status::Waiting(WaitOn::Decision))
                {
                    state.status = Status::Decided(match decision {
                        Decision::WentThrough { .. } => Word::WentThrough,
                        Decision::SendAgain => Word::SendAgain,
                        Decision::Fail => Word::Fail,
                    });
                    state.sent_again += u16::from(*decision == Decision::SendAgain);
                    self.news(step);
                }
            }
            Record::Skipped { step, reason } => {
                let state = self.steps.entry(step.clone()).or_insert_with(StepState::new);
                if !state.is_over() {
                    state.status = Status::Skipped(*reason);
                    if self.under_way.as_ref().is_some_and(|(path, _)| path == step) {
                        self.under_way = None;
                    }
                }
            }
            Record::Responded { .. } => self.responded = true,
            Record::CancelRequested { .. } => self.cancel_requested = true,
            Record::Ended { end } => {
                self.end = Some(end.clone());
                self.under_way = None;
            }
        }
    }

    /// The step's state for a record of `attempt`: made when the attempt is new, and `None` when the record is old or doesn't fit.
    /// `fits` is asked about the attempt's status and whether it is new.
    fn open(&mut self, step: &StepPath, attempt: u16, fits: impl Fn(&Status, bool) -> bool) -> Option<&mut StepState> {
        let (status, new) = match self.steps.get(step) {
            Some(state) if state.is_over() || attempt < state.attempt => return None,
            Some(state) if state.attempt == attempt => (&state.status, false),
            _ => (&Status::Started, true),
        };
        if !fits(status, new) {
            return None;
        }
        let state = self.steps.entry(step.clone()).or_insert_with(StepState::new);
        if new {
            self.attempts += 1;
            state.attempt = attempt;
            state.status = Status::Started;
            state.effect = None;
        }
        Some(state)
    }

    fn news(&mut self, step: &StepPath) {
        if self.current.as_ref() != Some(step) {
            self.current = Some(step.clone());
        }
        if self.under_way.as_ref().is_some_and(|(path, _)| path == step) {
            self.under_way = None;
        }
    }

    /// Notes that a command is being carried out, so that planning again doesn't say it again. Only [`Command::Start`] takes time;
    /// for all others the records come at once. This is memory of the process, not of the run: after a crash nothing is under way.
    pub fn issued(&mut self, command: &Command) {
        if let Command::Start { step, attempt, .. } = command {
            self.under_way = Some((step.clone(), *attempt));
        }
    }

    /// What a crash does: whatever was under way no longer is.
    pub fn nothing_under_way(&mut self) {
        self.under_way = None;
    }

    pub fn run(&self) -> RunId {
        self.run
    }

    /// The step's state, once there is a record about it.
    pub fn step(&self, step: &StepPath) -> Option<&StepState> {
        self.steps.get(step)
    }

    /// The last step that did something.
    pub fn current(&self) -> Option<&StepPath> {
        self.current.as_ref()
    }

    /// What the run sleeps on, if it does: step, attempt, and what for.
    pub fn waiting(&self) -> Option<(&StepPath, u16, &WaitOn)> {
        let step = self.current.as_ref()?;
        let state = self.steps.get(step)?;
        match &state.status {
            Status::Waiting(on) => Some((step, state.attempt, on)),
            _ => None,
        }
    }

    /// The attempt that this process is carrying out.
    pub fn under_way(&self) -> Option<(&StepPath, u16)> {
        self.under_way.as_ref().map(|(step, attempt)| (step, *attempt))
    }

    /// How many attempts the run has made, over all steps.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    pub fn cancel_requested(&self) -> bool {
        self.cancel_requested
    }

    /// Has a Respond step answered the caller?
    pub fn responded(&self) -> bool {
        self.responded
    }

    /// How the run ended, once it has.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }
}

#[cfg(test)]
mod tests;
