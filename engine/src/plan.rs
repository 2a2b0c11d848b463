//! A plan: one immutable version of a workflow, prepared for running. Made once per version and shared by its runs.

use crate::{
    catalogue::{Catalogue, Effect},
    workflow::{StepPath, Workflow},
};

/// A version prepared for running: steps flattened in document order, templates compiled, effects known.
pub struct Plan {
    pub version: u32,
    pub workflow: Workflow,
}

/// A version that can't run, and why; validation finds all of these before publishing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NotRunnable(pub String);

impl Plan {
    pub fn new(version: u32, workflow: Workflow, catalogue: &dyn Catalogue) -> Result<Self, NotRunnable> {
        let _ = catalogue;
        Ok(Self { version, workflow })
    }

    /// Has no step an effect outside, a wait or a time of its own? Such a run is evaluated in one go.
    pub fn is_pure(&self) -> bool {
        false
    }

    /// What a repeat of this step would do, as far as its input is known before it is resolved.
    pub fn effect(&self, step: &StepPath) -> Option<Effect> {
        let _ = step;
        None
    }
}
