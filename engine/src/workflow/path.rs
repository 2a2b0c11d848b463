//! Where something stands in a run. A run is a tree of *lines*: the run's own, one for each round of a loop and one for each lane
//! of a parallel step. Within a line steps follow each other; lines go on side by side.
//!
//! A line is named after the step that opened it and its number: `each[3]`. A step is named after its line and its id:
//! `each[3]/post`, and `post` on the run's own line. Branches and error lanes open no line, because only one of theirs is ever
//! gone through. Idempotency keys hang on these names, so they never change their form.

use super::StepId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a step stands in a run: the line it is on, then its id (`each[3]/send`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct StepPath(pub String);

/// A line of a run: empty for the run's own, else the step that opened it with the number of the round or lane, counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct LinePath(pub String);

impl StepPath {
    /// The step's id in the document.
    pub fn id(&self) -> &str {
        self.0.rfind('/').map_or(&self.0, |slash| &self.0[slash + 1..])
    }

    /// The line it is on.
    pub fn line(&self) -> LinePath {
        LinePath(self.0.rfind('/').map_or(String::new(), |slash| self.0[..slash].to_owned()))
    }

    /// Is it on the run's own line?
    pub fn is_on_the_runs_line(&self) -> bool {
        !self.0.as_bytes().contains(&b'/')
    }

    /// The line that this step opens under a number.
    pub fn opens(&self, number: u32) -> LinePath {
        LinePath(format!("{}[{number}]", self.0))
    }
}

impl LinePath {
    /// The run's own line.
    pub const RUN: Self = Self(String::new());

    pub fn is_run(&self) -> bool {
        self.0.is_empty()
    }

    /// A step on this line, by its id.
    pub fn step(&self, id: &StepId) -> StepPath {
        StepPath(if self.is_run() { id.0.clone() } else { format!("{}/{}", self.0, id.0) })
    }

    /// The step that opened it, and its number. `None`: it is the run's own, or no line's name at all.
    pub fn opener(&self) -> Option<(StepPath, u32)> {
        let (step, number) = self.0.strip_suffix(']')?.rsplit_once('[')?;
        Some((StepPath(step.to_owned()), number.parse().ok()?))
    }

    /// Is this line inside the other, at whatever depth?
    pub fn is_inside(&self, other: &Self) -> bool {
        other.is_run() && !self.is_run()
            || self.0.strip_prefix(other.0.as_str()).is_some_and(|rest| rest.starts_with('/') && !other.is_run())
    }

    /// Is this line one of those that the step opened, or inside one of them?
    pub fn is_opened_by(&self, step: &StepPath) -> bool {
        self.0.strip_prefix(step.0.as_str()).is_some_and(|rest| rest.starts_with('['))
    }
}

impl fmt::Display for StepPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LinePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&StepId> for StepPath {
    fn from(id: &StepId) -> Self {
        Self(id.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_the_line_and_the_step() {
        let nested = StepPath("each[3]/both[0]/post".into());
        assert_eq!((nested.id(), nested.line()), ("post", LinePath("each[3]/both[0]".into())));
        assert_eq!(nested.line().opener(), Some((StepPath("each[3]/both".into()), 0)));
        assert_eq!(LinePath("each[3]".into()).opener(), Some((StepPath("each".into()), 3)));
        let top = StepPath("post".into());
        assert_eq!((top.id(), top.line(), top.is_on_the_runs_line()), ("post", LinePath::RUN, true));
        assert_eq!(LinePath::RUN.opener(), None);
        assert_eq!(top.opens(7).step(&StepId("x".into())).0, "post[7]/x");
    }

    #[test]
    fn a_line_is_inside_the_lines_before_it_and_not_inside_those_that_only_begin_alike() {
        let line = |text: &str| LinePath(text.into());
        assert!(line("a[1]/b[2]").is_inside(&line("a[1]")) && line("a[1]").is_inside(&LinePath::RUN));
        assert!(!line("a[1]").is_inside(&line("a[1]")) && !line("a[12]/b[0]").is_inside(&line("a[1]")));
        assert!(!LinePath::RUN.is_inside(&LinePath::RUN));
        assert!(line("a[12]/b[0]").is_opened_by(&StepPath("a".into())) && !line("ab[1]").is_opened_by(&StepPath("a".into())));
    }
}
