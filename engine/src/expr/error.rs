//! What went wrong in an expression, said to the person who wrote it: the field, the part, the place and what was seen there.

use crate::error::StepError;
use serde::Serialize;
use std::fmt;

/// An expression that can't be compiled or has no value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExprError {
    /// The place inside the tree of values, for example `json.lines[0].name`; empty for the tree's root.
    pub field: String,
    /// The source text of the part between `{{` and `}}`; empty when the error isn't about one part.
    pub part: String,
    /// Where in the field's text the trouble is, in characters from its start.
    pub position: usize,
    /// What happened and why, in one or two sentences.
    pub message: String,
    /// What was found where something else was needed, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saw: Option<String>,
}

impl ExprError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { field: String::new(), part: String::new(), position: 0, message: message.into(), saw: None }
    }

    /// The same error with `outer` put before its field.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = match (outer.is_empty(), self.field.is_empty()) {
            (true, _) => self.field,
            (false, true) => outer.to_owned(),
            (false, false) if self.field.starts_with('[') => format!("{outer}{}", self.field),
            (false, false) => format!("{outer}.{}", self.field),
        };
        self
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.part.is_empty() {
            write!(f, "{{{{ {} }}}}: ", shorten(self.part.trim(), 120))?;
        }
        f.write_str(&self.message)?;
        match &self.saw {
            Some(saw) => write!(f, " It saw {saw}."),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExprError {}

impl From<ExprError> for StepError {
    fn from(error: ExprError) -> Self {
        let step = StepError::invalid_input(error.to_string());
        if error.field.is_empty() { step } else { step.field(error.field) }
    }
}

/// The first `most` characters of `text`, with an ellipsis when there were more.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// Why a piece of an expression has no value; the evaluator adds the part and the field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub message: String,
    pub saw: Option<String>,
    /// Byte offset inside the part; set by the innermost expression that knows it.
    pub at: Option<usize>,
}

impl Fault {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), saw: None, at: None }
    }

    pub fn at(message: impl Into<String>, at: usize) -> Self {
        Self { at: Some(at), ..Self::new(message) }
    }

    pub fn saw(mut self, saw: impl Into<String>) -> Self {
        self.saw = Some(saw.into());
        self
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
