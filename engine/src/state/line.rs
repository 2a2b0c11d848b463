//! One line of a run: the steps that follow each other on it, and where it stands.

use super::step::{Status, StepState};
use crate::{record::LinesKind, workflow::StepPath};
use std::collections::HashMap;

/// A line: what became of its steps, and its cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// By their ids.
    pub(super) steps: HashMap<String, StepState>,
    /// The last step that did something (was not merely skipped). Steps of a line run in the document's order, so planning goes on
    /// here.
    pub(super) current: Option<StepPath>,
    /// The attempt that this process is carrying out.
    pub(super) under_way: Option<(StepPath, u16)>,
    /// Is it inside a loop? Its attempts don't count towards the run's budget.
    pub(super) is_looped: bool,
}

impl Line {
    /// A line that a step opened, of which nothing has happened yet. `parent`: the line that the step is on.
    pub(crate) fn opened_by(kind: LinesKind, parent: Option<&Self>) -> Self {
        Self { is_looped: kind.is_loop() || parent.is_some_and(|line| line.is_looped), ..Self::default() }
    }

    /// The state of the step with this id, once there is a record about it.
    pub fn step(&self, id: &str) -> Option<&StepState> {
        self.steps.get(id)
    }

    /// The last step that did something.
    pub fn current(&self) -> Option<&StepPath> {
        self.current.as_ref()
    }

    pub fn under_way(&self) -> Option<(&StepPath, u16)> {
        self.under_way.as_ref().map(|(step, attempt)| (step, *attempt))
    }

    /// Is this process carrying out that attempt of the step with this id?
    pub fn is_under_way(&self, id: &str, attempt: u16) -> bool {
        self.under_way.as_ref().is_some_and(|(step, number)| step.id() == id && *number == attempt)
    }

    pub fn is_looped(&self) -> bool {
        self.is_looped
    }

    /// Might there be something to do on it? Not while a step is under way or it sleeps.
    pub(crate) fn is_ready(&self) -> bool {
        self.under_way.is_none() && !self.at().is_some_and(|(_, state)| matches!(state.status, Status::Waiting(_)))
    }

    /// The last step that did something, with its state.
    pub(crate) fn at(&self) -> Option<(&StepPath, &StepState)> {
        let step = self.current.as_ref()?;
        Some((step, self.steps.get(step.id())?))
    }

    /// There is news about a step: it is where the line stands.
    pub(super) fn news(&mut self, step: &StepPath) {
        if self.current.as_ref() != Some(step) {
            self.current = Some(step.clone());
        }
        self.rests(step);
    }

    /// Nothing of the step is under way any more.
    pub(super) fn rests(&mut self, step: &StepPath) {
        if self.under_way.as_ref().is_some_and(|(path, _)| path == step) {
            self.under_way = None;
        }
    }
}
