//! Why a step failed: a closed kind that decisions branch on, and sentences for the workflow's owner.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What went wrong, as far as a decision depends on it. Retries and circuit breakers look at nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The step's own input can't work, however often it is tried.
    InvalidInput,
    /// The other side doesn't know who we are (401).
    Unauthorized,
    /// The other side knows and says no (403), or a guard of ours does.
    Forbidden,
    /// What the step names isn't there (404, 410).
    NotFound,
    /// The other side's state is against it (409, 412).
    Conflict,
    /// Too many calls (429). `retry_after` says when to come back, if the other side did.
    RateLimited,
    /// Certainly not done: no connection, no such name, or "come back later" (503 with Retry-After).
    Unavailable,
    /// No answer within the time.
    Timeout,
    /// The request left and nobody knows whether it took effect: a cut connection, or a 5xx.
    Uncertain,
    /// A defect of ours, a panic included.
    Internal,
}

/// A failed attempt, told to the person who owns the workflow. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, schemars::JsonSchema)]
#[error("{message}")]
pub struct StepError {
    pub kind: ErrorKind,
    /// What happened and, where known, why: one or two sentences.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How long the other side asked us to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// The input field the message is about, as a path such as `fields.total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl StepError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, retry_after: None, field: None }
    }

    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
