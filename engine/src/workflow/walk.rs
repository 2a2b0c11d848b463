//! Going through the steps of a workflow in document order, with the place of each.

use super::{Step, StepId, Workflow};
use crate::edit::{LaneName, Parent, Place};

/// A step and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<'a> {
    pub step: &'a Step,
    pub place: Place,
    /// 1 for the workflow's own steps.
    pub depth: usize,
}

impl Workflow {
    /// An empty workflow.
    pub fn new(name: impl Into<String>) -> Self {
        Self { towpath: super::FORMAT, name: name.into(), trigger: None, steps: Vec::new() }
    }

    /// All steps in document order: a step before what is inside it, lane by lane.
    pub fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        let mut open: Vec<Placed<'_>> = Vec::new();
        push_lane(&mut open, &self.steps, None, 1);
        std::iter::from_fn(move || {
            let placed = open.pop()?;
            let step = placed.step;
            let inner: Vec<_> = step.inner().collect();
            for (name, steps) in inner.into_iter().rev() {
                push_lane(&mut open, steps, Some((&step.id, name)), placed.depth + 1);
            }
            Some(placed)
        })
    }

    /// The step with this id, wherever it is.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.placed().find(|placed| placed.step.id == *id).map(|placed| placed.step)
    }
}

fn push_lane<'a>(open: &mut Vec<Placed<'a>>, steps: &'a [Step], parent: Option<(&StepId, LaneName)>, depth: usize) {
    open.extend(steps.iter().enumerate().rev().map(|(index, step)| Placed {
        step,
        place: Place { parent: parent.map(|(step, lane)| Parent { step: step.clone(), lane }), index },
        depth,
    }));
}
