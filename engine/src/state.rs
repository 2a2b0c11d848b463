//! The state of a run: the fold of its records, and nothing else.

use crate::record::Record;

/// What the planner needs to know of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunState {}

impl RunState {
    /// Folds one more record in. A record that is already in changes nothing.
    pub fn apply(&mut self, record: &Record) {
        let _ = record;
    }
}
