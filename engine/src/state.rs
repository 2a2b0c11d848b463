//! The state of a run: the fold of its records, and nothing else. It knows no plan and no clock, and keeps no outputs beyond
//! what decides where the run goes.
//!
//! A run is a tree of lines (see [`crate::workflow::LinePath`]): its own, and those that loops and parallel steps opened. On a line
//! steps follow each other, so a line has a cursor; the cursors of the live lines are the run's frontier. Which line a record is
//! about stands in its path. A line comes into being with its first record and leaves memory with its last, [`Record::LineEnded`];
//! what is left of it is a number in its opener's [`Lines`].

mod line;
mod lines;
mod step;

pub use line::Line;
pub use lines::Lines;
pub use step::{Status, StepState, Turn, Word};

use crate::{
    Json,
    ids::RunId,
    planner::Command,
    record::{Decision, End, LineEnd, Record, WaitOn},
    retry,
    workflow::{LinePath, StepPath},
};
use std::collections::{BTreeMap, BTreeSet};

/// What the planner needs to know of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    run: RunId,
    /// The run's own line.
    own: Line,
    /// The other live lines. A line comes before those inside it.
    inner: BTreeMap<LinePath, Line>,
    /// Those of them on which there may be something to do.
    ready: BTreeSet<LinePath>,
    attempts: u32,
    /// Of these, the ones outside of loops.
    counted: u32,
    rounds: u32,
    cancel_requested: bool,
    responded: bool,
    end: Option<End>,
}

impl RunState {
    /// A run of which nothing has happened yet.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            own: Line::default(),
            inner: BTreeMap::new(),
            ready: BTreeSet::new(),
            attempts: 0,
            counted: 0,
            rounds: 0,
            cancel_requested: false,
            responded: false,
            end: None,
        }
    }

    /// The fold of a history.
    pub fn fold<'a>(run: RunId, history: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut state = Self::new(run);
        history.into_iter().for_each(|record| state.apply(record));
        state
    }

    /// Folds one more record in. A record that is already in changes nothing, nor does one that contradicts an earlier one (a
    /// second result of an attempt, anything on a line that is over, anything after the end). The work doesn't grow with the
    /// history.
    pub fn apply(&mut self, record: &Record) {
        if self.end.is_some() {
            return;
        }
        match record {
            Record::LineEnded { line, end, result } => self.close(line, end, result.as_ref()),
            Record::Responded { .. } => self.responded = true,
            Record::CancelRequested { .. } => self.cancel_requested = true,
            Record::Ended { end } => {
                self.end = Some(end.clone());
                self.own.under_way = None;
                self.inner.clear();
                self.ready.clear();
            }
            record => {
                let Some(step) = record.step() else { return };
                if step.is_on_the_runs_line() {
                    let new = about_step(&mut self.own, step, record);
                    self.attempts += u32::from(new);
                    self.counted += u32::from(new);
                    return self.cut_off(step);
                }
                let path = step.line();
                let Some(line) = self.line_mut(&path) else { return };
                let new = about_step(line, step, record);
                let counts = new && !line.is_looped;
                let ready = line.is_ready();
                self.attempts += u32::from(new);
                self.counted += u32::from(counts);
                self.is_ready(path, ready);
                self.cut_off(step);
            }
        }
    }

    /// A step that isn't open any more has no lines.
    fn cut_off(&mut self, step: &StepPath) {
        if self.inner.is_empty() || self.step(step).is_some_and(|state| state.lines.is_some()) {
            return;
        }
        self.drop_lines(|path| path.is_opened_by(step), step);
    }

    fn close(&mut self, path: &LinePath, end: &LineEnd, result: Option<&Json>) {
        let Some((step, number)) = path.opener() else { return };
        let again = result.and_then(Json::as_bool).unwrap_or(false);
        let opener = step.line();
        let Some(lines) = self.lines_mut(&opener, &step).filter(|lines| lines.admits(number)) else { return };
        lines.close(number, end, again);
        let is_round = lines.kind.is_loop();
        self.rounds += u32::from(is_round);
        self.inner.remove(path);
        self.ready.remove(path);
        self.drop_lines(|inner| inner.is_inside(path), &StepPath(path.0.clone()));
        if !opener.is_run() {
            self.is_ready(opener, true);
        }
    }

    /// Lets go of the lines whose paths begin with this one and fit.
    fn drop_lines(&mut self, fits: impl Fn(&LinePath) -> bool, from: &StepPath) {
        let begin = LinePath(from.0.clone());
        let gone: Vec<LinePath> = self
            .inner
            .range(begin..)
            .map(|(path, _)| path)
            .take_while(|path| path.0.starts_with(&from.0))
            .filter(|path| fits(path))
            .cloned()
            .collect();
        for path in gone {
            self.inner.remove(&path);
            self.ready.remove(&path);
        }
    }

    fn is_ready(&mut self, path: LinePath, ready: bool) {
        if ready {
            self.ready.insert(path);
        } else {
            self.ready.remove(&path);
        }
    }

    /// The lines of an open step.
    fn lines_mut(&mut self, line: &LinePath, step: &StepPath) -> Option<&mut Lines> {
        let line = if line.is_run() { &mut self.own } else { self.inner.get_mut(line)? };
        line.steps.get_mut(step.id())?.lines.as_deref_mut()
    }

    /// A live line, or one that may come into being.
    fn line_mut(&mut self, path: &LinePath) -> Option<&mut Line> {
        if path.is_run() {
            return Some(&mut self.own);
        }
        if !self.inner.contains_key(path) {
            let (step, number) = path.opener()?;
            let opener = step.line();
            let lines = self.lines_mut(&opener, &step).filter(|lines| lines.admits(number))?;
            lines.open(number);
            let kind = lines.kind;
            let line = Line::opened_by(kind, self.line(&opener));
            self.inner.insert(path.clone(), line);
        }
        self.inner.get_mut(path)
    }

    /// Notes that a command is being carried out, so that planning again doesn't say it again. Only [`Command::Start`] takes time;
    /// for all others the records come at once. This is memory of the process, not of the run: after a crash nothing is under way.
    pub fn issued(&mut self, command: &Command) {
        let Command::Start { step, attempt, .. } = command else { return };
        if step.is_on_the_runs_line() {
            self.own.under_way = Some((step.clone(), *attempt));
            return;
        }
        let path = step.line();
        if let Some(line) = self.line_mut(&path) {
            line.under_way = Some((step.clone(), *attempt));
            self.ready.remove(&path);
        }
    }

    /// Takes [`RunState::issued`] back: the step was not begun. A line of which nothing else happened has not been opened.
    pub fn not_begun(&mut self, step: &StepPath) {
        let path = step.line();
        let Some(line) = (if path.is_run() { Some(&mut self.own) } else { self.inner.get_mut(&path) }) else { return };
        line.rests(step);
        if path.is_run() {
            return;
        }
        if line.steps.is_empty() {
            self.inner.remove(&path);
            if let Some((step, number)) = path.opener()
                && let Some(lines) = self.lines_mut(&step.line(), &step)
            {
                lines.forget(number);
            }
        } else {
            self.ready.insert(path);
        }
    }

    pub fn run(&self) -> RunId {
        self.run
    }

    /// A live line.
    pub fn line(&self, path: &LinePath) -> Option<&Line> {
        if path.is_run() { Some(&self.own) } else { self.inner.get(path) }
    }

    /// The line that the step is on, as long as it is live.
    fn line_of(&self, step: &StepPath) -> Option<&Line> {
        if step.is_on_the_runs_line() { Some(&self.own) } else { self.inner.get(&step.line()) }
    }

    /// The run's own line.
    pub fn own_line(&self) -> &Line {
        &self.own
    }

    /// All live lines but the run's own; a line before those inside it.
    pub fn inner_lines(&self) -> impl Iterator<Item = (&LinePath, &Line)> {
        self.inner.iter()
    }

    /// Those of them on which there may be something to do.
    pub(crate) fn ready_lines(&self) -> impl Iterator<Item = (&LinePath, &Line)> {
        self.ready.iter().filter_map(|path| Some((path, self.inner.get(path)?)))
    }

    /// The step's state, once there is a record about it and as long as its line is live.
    pub fn step(&self, step: &StepPath) -> Option<&StepState> {
        self.line_of(step)?.step(step.id())
    }

    /// What the run's lines sleep on: step, attempt, and what for.
    pub fn waits(&self) -> impl Iterator<Item = (&StepPath, u16, &WaitOn)> {
        std::iter::once(&self.own).chain(self.inner.values()).filter_map(|line| match line.at()? {
            (step, StepState { status: Status::Waiting(on), attempt, .. }) => Some((step, *attempt, on)),
            _ => None,
        })
    }

    /// The attempts that this process is carrying out.
    pub fn under_way(&self) -> impl Iterator<Item = (&StepPath, u16)> {
        std::iter::once(&self.own).chain(self.inner.values()).filter_map(Line::under_way)
    }

    /// Is this process carrying out that attempt?
    pub fn is_under_way(&self, step: &StepPath, attempt: u16) -> bool {
        self.line_of(step).is_some_and(|line| line.is_under_way(step.id(), attempt))
    }

    /// How many attempts the run has made, over all steps.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many of these were outside of loops.
    pub fn counted_attempts(&self) -> u32 {
        self.counted
    }

    /// How many rounds of loops are over.
    pub fn rounds(&self) -> u32 {
        self.rounds
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

/// Folds a record about a step into its line. True: it began a new attempt.
fn about_step(line: &mut Line, step: &StepPath, record: &Record) -> bool {
    let mut new = false;
    match record {
        Record::Started { attempt, effect, .. } => {
            if let Some(state) = open(line, step, *attempt, &mut new, |_, new| new) {
                state.effect = *effect;
                line.current = Some(step.clone());
            }
        }
        Record::Opened { attempt, kind, lines, .. } => {
            if let Some(state) = open(line, step, *attempt, &mut new, |status, _| matches!(status, Status::Started)) {
                state.status = Status::Open;
                state.lines = Some(Box::new(Lines::new(*kind, *lines)));
                line.news(step);
            }
        }
        Record::Succeeded { attempt, output, .. } => {
            if let Some(state) = open(line, step, *attempt, &mut new, |status, _| status.is_open()) {
                state.status = Status::Succeeded;
                state.turn = Turn::of(output);
                state.lines = None;
                line.news(step);
            }
        }
        Record::Failed { attempt, error, effect, .. } => {
            if let Some(state) = open(line, step, *attempt, &mut new, |status, _| status.is_open()) {
                state.effect = effect.or(state.effect);
                state.error = Some(error.clone());
                state.lines = None;
                let uncertain = retry::is_uncertain(error.kind, state.effect);
                state.status = if uncertain { Status::Uncertain } else { Status::Failed };
                line.news(step);
            }
        }
        Record::Uncertain { attempt, error, .. } => {
            if let Some(state) = open(line, step, *attempt, &mut new, |status, _| status.is_open()) {
                state.error = Some(error.clone());
                state.status = Status::Uncertain;
                line.news(step);
            }
        }
        Record::Waiting { attempt, on, .. } => {
            let fits = |status: &Status, new: bool| match on {
                WaitOn::Timer { .. } | WaitOn::Run { .. } => matches!(status, Status::Started),
                WaitOn::Retry { .. } | WaitOn::Connection { .. } => matches!(status, Status::Failed) && !new,
                WaitOn::Decision => matches!(status, Status::Uncertain) && !new,
            };
            if let Some(state) = open(line, step, *attempt, &mut new, fits) {
                state.status = Status::Waiting(on.clone());
                line.news(step);
            }
        }
        Record::Woken { attempt, .. } => {
            if let Some(state) = line.steps.get_mut(step.id())
                && state.attempt == *attempt
                && let Status::Waiting(on @ (WaitOn::Timer { .. } | WaitOn::Retry { .. } | WaitOn::Connection { .. })) =
                    &state.status
            {
                state.uncounted += u16::from(matches!(on, WaitOn::Connection { .. }));
                state.status = Status::Woken(on.clone());
                line.news(step);
            }
        }
        Record::Decided { attempt, decision, .. } => {
            if let Some(state) = line.steps.get_mut(step.id())
                && state.attempt == *attempt
                && matches!(state.status, Status::Uncertain | Status::Waiting(WaitOn::Decision | WaitOn::Connection { .. }))
            {
                state.status = Status::Decided(match decision {
                    Decision::WentThrough { .. } => Word::WentThrough,
                    Decision::SendAgain => Word::SendAgain,
                    Decision::Fail => Word::Fail,
                });
                state.uncounted += u16::from(*decision == Decision::SendAgain);
                line.news(step);
            }
        }
        Record::Skipped { reason, .. } => {
            let state = line.steps.entry(step.id().to_owned()).or_insert_with(StepState::new);
            if !state.is_over() {
                state.status = Status::Skipped(*reason);
                state.lines = None;
                line.rests(step);
            }
        }
        Record::LineEnded { .. } | Record::Responded { .. } | Record::CancelRequested { .. } | Record::Ended { .. } => {}
    }
    new
}

/// The step's state for a record of `attempt`: made when the attempt is new, and `None` when the record is old or doesn't fit.
/// `fits` is asked about the attempt's status and whether it is new.
fn open<'a>(
    line: &'a mut Line,
    step: &StepPath,
    attempt: u16,
    is_new: &mut bool,
    fits: impl Fn(&Status, bool) -> bool,
) -> Option<&'a mut StepState> {
    let (status, new) = match line.steps.get(step.id()) {
        Some(state) if state.is_over() || attempt < state.attempt => return None,
        Some(state) if state.attempt == attempt => (&state.status, false),
        _ => (&Status::Started, true),
    };
    if !fits(status, new) {
        return None;
    }
    *is_new = new;
    if new && !line.steps.contains_key(step.id()) {
        line.steps.insert(step.id().to_owned(), StepState::new());
    }
    let state = line.steps.get_mut(step.id())?;
    if new {
        state.attempt = attempt;
        state.status = Status::Started;
        state.effect = None;
    }
    Some(state)
}

#[cfg(test)]
mod tests;
