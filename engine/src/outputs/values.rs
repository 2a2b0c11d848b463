//! What the steps of one line gave, and where time stands on it.

use crate::{Json, Object, lines::Round, workflow::LinePath};
use chrono::{DateTime, Utc};

/// A line's own values. While the context stands on the line they are in the context.
#[derive(Debug)]
pub(super) struct Values {
    pub steps: Object,
    /// The time of the last thing that happened outside: what `now` means on this line.
    pub now: DateTime<Utc>,
    pub failed_at: DateTime<Utc>,
}

impl Values {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { steps: Object::new(), now, failed_at: now }
    }
}

/// A line on which the context stands.
#[derive(Debug)]
pub(super) struct Entered {
    pub line: LinePath,
    pub round: Option<Round>,
    /// Under which ids the line has values, and what stood there before.
    pub hidden: Vec<(String, Option<Json>)>,
}

impl Entered {
    pub fn new(line: LinePath, round: Option<Round>) -> Self {
        Self { line, round, hidden: Vec::new() }
    }

    /// The line put a value there. What the line itself had put there before is not hidden but replaced.
    pub fn hid(&mut self, id: &str, before: Option<Json>) {
        if !self.hidden.iter().any(|(hidden, _)| hidden == id) {
            self.hidden.push((id.to_owned(), before));
        }
    }
}
