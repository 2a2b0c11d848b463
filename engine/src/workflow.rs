//! The workflow document: a trigger and a tree of steps.
//!
//! There are no edges and no layout: what follows a branch runs once after it, whichever case ran. JSON in the API and YAML in
//! files are the same document, with one JSON Schema.

mod path;
mod summary;
mod text;
mod walk;

pub use path::{LinePath, StepPath};
pub use summary::{condition_words, summary};
pub use text::NotAWorkflow;
pub use walk::Placed;

use crate::{Json, Object, condition::Conditions, edit::LaneName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The version of the document format that this build writes.
pub const FORMAT: u32 = 1;
/// The most steps a workflow may have, wherever they are.
pub const MAX_STEPS: usize = 1_000;
/// How deep steps may be inside each other; a step of the workflow's own is at depth 1.
pub const MAX_DEPTH: usize = 20;
/// The largest document, in bytes of text.
pub const MAX_BYTES: usize = 1 << 20;

/// A workflow: what starts a run, and the steps that it then does in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// The version of the document's format: 1.
    pub towpath: u32,
    /// What people call it.
    #[schemars(length(max = 200), regex(pattern = r"[^\s\u0000]"))]
    pub name: String,
    /// Absent until somebody picks one; a workflow without a trigger can be saved and not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// What starts a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Always `trigger`: the root under which expressions find its data.
    #[serde(default = "Trigger::id")]
    pub id: StepId,
    /// The operation, for example `webhook`, `form` or `manual`.
    #[serde(rename = "use")]
    pub operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A connection's id; in a file, its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Json>")]
    pub input: Object,
}

impl Trigger {
    fn id() -> StepId {
        StepId("trigger".into())
    }

    pub fn new(operation: impl Into<String>) -> Self {
        Self { id: Self::id(), operation: operation.into(), title: None, connection: None, input: Object::new() }
    }
}

/// One box of the workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A stable slug, unique in the document. It never changes with the title: expressions and idempotency keys hang on it.
    pub id: StepId,
    /// The operation, for example `http.request`, `branch` or `set`.
    #[serde(rename = "use")]
    pub operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A person's note on the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A connection's id; in a file, its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The fields of the operation's form. Text may hold `{{ expressions }}`.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, Json>")]
    pub input: Object,
    /// The cases of a `branch`, tried in order; empty for every other operation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    /// What a `branch` does when no case holds. A lane without steps is the same as none.
    #[serde(default, deserialize_with = "text::lane", skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Lane>,
    /// The lanes of a `parallel`, which go on side by side; empty for every other operation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<NamedLane>,
    /// The steps that a `for_each` does for each item, or a `repeat` in each round.
    #[serde(default, deserialize_with = "text::lane", skip_serializing_if = "Option::is_none")]
    pub body: Option<Lane>,
    /// What is done instead when the step fails and `on_error` is `rescue`; the run goes on after it. The error is under
    /// `steps.<id>.error`, with `kind` and `message`.
    #[serde(default, deserialize_with = "text::lane", skip_serializing_if = "Option::is_none")]
    pub rescue: Option<Lane>,
    /// The condition of a `filter`; of a `repeat`, on which another round follows.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Conditions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    #[serde(default, skip_serializing_if = "OnError::is_fail")]
    pub on_error: OnError,
}

impl Step {
    pub fn new(id: impl Into<String>, operation: impl Into<String>) -> Self {
        Self {
            id: StepId(id.into()),
            operation: operation.into(),
            title: None,
            note: None,
            connection: None,
            input: Object::new(),
            cases: Vec::new(),
            otherwise: None,
            lanes: Vec::new(),
            body: None,
            rescue: None,
            condition: None,
            retry: None,
            timeout: None,
            on_error: OnError::Fail,
        }
    }

    /// The lanes inside this step, in the order in which they are drawn: cases, otherwise, lanes side by side, body, rescue.
    pub fn inner(&self) -> impl Iterator<Item = (LaneName, &Vec<Step>)> {
        let cases = self.cases.iter().enumerate().map(|(index, case)| (LaneName::Case(index), &case.steps));
        let lanes = self.lanes.iter().enumerate().map(|(index, lane)| (LaneName::Case(index), &lane.steps));
        cases
            .chain(named(LaneName::OTHERWISE, self.otherwise.as_ref()))
            .chain(lanes)
            .chain(named(LaneName::BODY, self.body.as_ref()))
            .chain(named(LaneName::RESCUE, self.rescue.as_ref()))
    }

    /// All steps inside this one, at whatever depth.
    pub fn within(&self) -> impl Iterator<Item = &Step> {
        let mut open: Vec<&Self> = self.inner().flat_map(|(_, lane)| lane).collect();
        std::iter::from_fn(move || {
            let step = open.pop()?;
            open.extend(step.inner().flat_map(|(_, lane)| lane));
            Some(step)
        })
    }

    /// [`Step::inner`], to be changed.
    pub fn inner_mut(&mut self) -> impl Iterator<Item = &mut Vec<Step>> {
        let cases = self.cases.iter_mut().map(|case| &mut case.steps);
        let lanes = self.lanes.iter_mut().map(|lane| &mut lane.steps);
        let (body, rescue) = (self.body.iter_mut(), self.rescue.iter_mut());
        let otherwise = self.otherwise.iter_mut().map(|lane| &mut lane.steps);
        cases.chain(otherwise).chain(lanes).chain(body.chain(rescue).map(|lane| &mut lane.steps))
    }
}

fn named(name: LaneName, lane: Option<&Lane>) -> Option<(LaneName, &Vec<Step>)> {
    lane.map(|lane| (name, &lane.steps))
}

/// One way out of a branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(default)]
    pub title: String,
    #[serde(rename = "if")]
    pub condition: Conditions,
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// Steps in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// One of the lanes of a parallel step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedLane {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// How often and how fast a failed step is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Tries in all, the first included; 1 means never again.
    pub attempts: u16,
    /// The longest wait before the second try; it doubles from there.
    #[serde(default = "Retry::default_first")]
    pub first: Span,
    /// The longest wait before any try.
    #[serde(default = "Retry::default_max")]
    pub max: Span,
}

impl Retry {
    fn default_first() -> Span {
        Span(Duration::from_secs(1))
    }
    fn default_max() -> Span {
        Span(Duration::from_secs(300))
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, first: Self::default_first(), max: Self::default_max() }
    }
}

/// What a failed step does to its run, after the last attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The run goes on; `steps.<id>` holds `{ "error": { "kind", "message" } }`.
    Continue,
    /// The steps under `rescue` are done instead, and the run goes on after them.
    Rescue,
}

impl OnError {
    pub fn is_fail(&self) -> bool {
        matches!(self, Self::Fail)
    }
}

/// A step's id: `[a-z][a-z0-9_]*`, at most 60 characters, so that it reads as `steps.<id>` in an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("pattern" = "^[a-z][a-z0-9_]{0,59}$"))]
pub struct StepId(pub String);

impl StepId {
    /// Is it a slug as the format wants it?
    pub fn is_well_formed(&self) -> bool {
        let mut chars = self.0.chars();
        let first = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        first && self.0.len() <= 60 && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }
}

impl From<&str> for StepId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A length of time written as people write it: `500ms`, `30s`, `5m`, `2h`, `3d`; one number and one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^ *[0-9]{1,10} *(ms|s|m|h|d) *$"))]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
            if millis >= size && millis.is_multiple_of(size) {
                return write!(f, "{}{unit}", millis / size);
            }
        }
        write!(f, "{millis}ms")
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || format!("\"{text}\" is not a length of time; write a number and a unit, such as 30s, 5m, 2h or 3d.");
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
        let (number, unit) = text.split_at(split);
        if number.len() > 10 {
            return Err(refuse());
        }
        let number: u64 = number.parse().map_err(|_| refuse())?;
        let millis: u64 = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(refuse()),
        };
        number.checked_mul(millis).map(Duration::from_millis).map(Self).ok_or_else(refuse)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
