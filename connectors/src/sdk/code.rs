//! The door to users' code: it runs in a process that holds nothing of ours and reaches nothing outside. What the code prints comes
//! out line by line; what it gives back is JSON.

use super::StepTrace;
use futures_util::future::BoxFuture;
use std::time::{Duration, Instant};
use towpath_engine::{Json, Object, error::StepError};

/// Runs users' code.
pub trait Code: Send + Sync {
    /// Runs a script and answers with what it returned. A limit that was broken is an error that says which; whatever the script
    /// printed before is in the trace.
    fn run<'a>(&'a self, script: Script<'a>) -> BoxFuture<'a, Result<Json, StepError>>;
}

/// One execution of users' code.
pub struct Script<'a> {
    /// The body of a function.
    pub code: &'a str,
    /// What the body finds under the name `input`.
    pub input: &'a Object,
    /// How long it may take, once it began.
    pub limit: Duration,
    /// When the attempt is given up, whether it began or not.
    pub deadline: Instant,
    pub trace: &'a StepTrace,
}

/// Refuses all code: for places where none can run.
pub struct NoCode;

impl Code for NoCode {
    fn run<'a>(&'a self, _: Script<'a>) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(async { Err(StepError::invalid_input("Code can't be run here.")) })
    }
}
