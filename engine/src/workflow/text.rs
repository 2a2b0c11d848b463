//! Workflows as JSON and YAML text. Reading says what is wrong and where; it never runs code, follows links or expands bombs.

use super::{FORMAT, MAX_BYTES, Workflow};
use serde::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

/// A text that is not a workflow. A sentence with the place, for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotAWorkflow {
    pub message: String,
    /// From 1, where known.
    pub line: Option<u64>,
    pub column: Option<u64>,
}

impl NotAWorkflow {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: None, column: None }
    }

    fn at(line: u64, column: u64, what: &str) -> Self {
        let message = format!("Line {line}, column {column}: {}", sentence(what));
        Self { message, line: Some(line), column: Some(column) }
    }
}

impl Workflow {
    /// Reads a document written as JSON.
    pub fn from_json(text: &str) -> Result<Self, NotAWorkflow> {
        check_size(text)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let workflow: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let place = error.path().to_string();
            let inner = error.into_inner();
            let (line, column) = (inner.line() as u64, inner.column() as u64);
            let what = inner.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            let what = match place.as_str() {
                _ if inner.is_eof() => "the document ends in the middle".to_owned(),
                "." | "?" => what.to_owned(),
                place => format!("at {place}: {what}"),
            };
            NotAWorkflow::at(line, column, &what)
        })?;
        reader.end().map_err(|error| {
            NotAWorkflow::at(error.line() as u64, error.column() as u64, "something follows after the end of the document")
        })?;
        workflow.check_format()
    }

    /// Reads a document written as YAML. `yes`, `no`, `on` and `off` are texts; anchors are few, and merge keys refused.
    pub fn from_yaml(text: &str) -> Result<Self, NotAWorkflow> {
        check_size(text)?;
        let workflow: Self = serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|error| {
            let error = error.without_snippet();
            let what = error.to_string();
            match error.location().filter(|at| at.line() > 0) {
                // The crate's own words end in the place, in one of several forms.
                Some(at) => {
                    let cut = [" at line ", ", line ", " (line "].iter().filter_map(|mark| what.rfind(mark)).min();
                    NotAWorkflow::at(at.line(), at.column(), &what[..cut.unwrap_or(what.len())])
                }
                None => NotAWorkflow::new(sentence(&what)),
            }
        })?;
        workflow.check_format()
    }

    /// The document as YAML, which [`Workflow::from_yaml`] reads as the same workflow.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).expect("a workflow has only texts as keys, and no other kind of value that YAML lacks")
    }

    fn check_format(self) -> Result<Self, NotAWorkflow> {
        match self.towpath {
            FORMAT => Ok(self),
            other => Err(NotAWorkflow::new(format!(
                "This document says \"towpath: {other}\", and this version of Towpath reads format {FORMAT}. Update Towpath, or \
                 export the workflow again."
            ))),
        }
    }
}

fn yaml_options() -> Options {
    let budget = serde_saphyr::budget! {
        max_nodes: 100_000,
        max_events: 300_000,
        max_depth: 128,
        max_aliases: 100,
        max_anchors: 100,
        max_recorded_anchor_events: 10_000,
        max_documents: 1,
    };
    serde_saphyr::options! {
        budget: budget,
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}

fn check_size(text: &str) -> Result<(), NotAWorkflow> {
    match text.len() {
        size if size > MAX_BYTES => {
            Err(NotAWorkflow::new(format!("This document has {size} bytes; a workflow has at most {MAX_BYTES}.")))
        }
        _ => Ok(()),
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// An otherwise lane without steps is none.
pub(super) fn lane<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<super::Lane>, D::Error> {
    Ok(Option::<super::Lane>::deserialize(deserializer)?.filter(|lane| !lane.steps.is_empty()))
}
