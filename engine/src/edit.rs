//! The operations by which a workflow is changed: the builder sends them, the server applies them, and each can be undone.
//!
//! An operation is JSON with its name under `op`, for example `{"op": "set_input", "step": "http_request", "field": "url", "value":
//! "https://example.com"}`. It names steps by id, and lanes by the id of the step that they are inside and the index of the case or lane (or `"otherwise"`, `"body"`,
//! `"rescue"`):
//!
//! ```json
//! {"op": "add_step", "at": {"parent": {"step": "big", "lane": 0}, "index": 1}, "step": {"id": "", "use": "delay"}}
//! {"op": "move_step", "step": "answer", "to": {"index": 0}}
//! {"op": "remove_case", "step": "big", "index": 2}
//! ```
//!
//! A field that is left out (`title`, `value`, `condition`, …) is removed. Nothing here checks whether the workflow makes sense, that
//! is [`crate::validate`]'s; but an operation never makes a tree that can't be addressed: ids stay unique, and sizes are bounded.

mod describe;
mod lanes;
mod tree;

pub use describe::describe;
pub use tree::fresh_id;

use crate::{
    Json, Object,
    condition::Conditions,
    workflow::{Case, NamedLane, OnError, Retry, Span, Step, StepId, Trigger, Workflow},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tree::step_mut;

/// The longest name or title, in characters.
pub const MAX_TITLE: usize = 200;
/// The longest note, in characters.
pub const MAX_NOTE: usize = 5_000;

/// One change of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    SetName {
        name: String,
    },
    /// Chooses the trigger, or replaces it with all its input.
    SetTrigger {
        trigger: Trigger,
    },
    RemoveTrigger {},
    SetTriggerTitle {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    SetTriggerInput {
        field: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        value: Option<Json>,
    },
    /// Adds a step with all that is inside it. An empty id asks for a fresh one.
    AddStep {
        at: Place,
        step: Box<Step>,
    },
    /// Removes a step with all that is inside it.
    RemoveStep {
        step: StepId,
    },
    MoveStep {
        step: StepId,
        /// Counted as if the step were not there.
        to: Place,
    },
    /// Puts a copy with fresh ids right after the step. Expressions inside the copy that named a copied step name its copy.
    DuplicateStep {
        step: StepId,
    },
    SetInput {
        step: StepId,
        field: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        value: Option<Json>,
    },
    SetTitle {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    SetNote {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The condition of a filter, or of a repeat.
    SetCondition {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<Conditions>,
    },
    AddCase {
        step: StepId,
        /// Absent: after the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<usize>,
        case: Case,
    },
    /// Removes a case with all the steps in it.
    RemoveCase {
        step: StepId,
        index: usize,
    },
    MoveCase {
        step: StepId,
        from: usize,
        to: usize,
    },
    SetCaseTitle {
        step: StepId,
        index: usize,
        title: String,
    },
    SetCaseCondition {
        step: StepId,
        index: usize,
        condition: Conditions,
    },
    /// Adds a lane to a parallel step.
    AddLane {
        step: StepId,
        /// Absent: after the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<usize>,
        lane: NamedLane,
    },
    /// Removes a lane of a parallel step with all the steps in it.
    RemoveLane {
        step: StepId,
        index: usize,
    },
    MoveLane {
        step: StepId,
        from: usize,
        to: usize,
    },
    SetLaneTitle {
        step: StepId,
        index: usize,
        title: String,
    },
    SetRetry {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
    SetTimeout {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<Span>,
    },
    SetOnError {
        step: StepId,
        on_error: OnError,
    },
    /// Chooses the connection that a step works through; `trigger` names the trigger.
    SetConnection {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
    },
}

/// A value that is there counts, null as well.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// A place between steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Absent: the workflow's own steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// How many steps of the lane come before it.
    pub index: usize,
}

/// A lane inside a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    pub step: StepId,
    pub lane: LaneName,
}

/// Which lane of a step: the index of a case or of a lane side by side, or one that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LaneName {
    Case(usize),
    Named(LaneWord),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneWord {
    /// What a branch does when no case holds.
    Otherwise,
    /// What a loop does in each round.
    Body,
    /// What is done instead when the step fails.
    Rescue,
}

impl LaneName {
    /// The lane for when no case holds.
    pub const OTHERWISE: Self = Self::Named(LaneWord::Otherwise);
    /// What a loop does in each round.
    pub const BODY: Self = Self::Named(LaneWord::Body);
    /// What is done instead when the step fails.
    pub const RESCUE: Self = Self::Named(LaneWord::Rescue);
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The operation as it was carried out, with fresh ids filled in: applying it to the same document gives the same.
    pub done: Operation,
    /// The operation that takes it back.
    pub undo: Operation,
}

/// An operation that can't be applied; the workflow is as it was. A sentence for the person who edits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EditError(pub String);

impl EditError {
    fn new<T>(message: impl Into<String>) -> Result<T, Self> {
        Err(Self(message.into()))
    }
}

/// Applies one operation. On an error the workflow is untouched.
pub fn apply(workflow: &mut Workflow, operation: &Operation) -> Result<Applied, EditError> {
    use Operation as Op;
    let mut done = operation.clone();
    let undo = match &mut done {
        Op::SetName { name } => {
            *name = checked_text("name", name, MAX_TITLE)?;
            if name.is_empty() {
                return EditError::new("A workflow needs a name.");
            }
            Op::SetName { name: std::mem::replace(&mut workflow.name, name.clone()) }
        }
        Op::SetTrigger { trigger } => {
            trigger.id = Trigger::new("").id;
            match workflow.trigger.replace(trigger.clone()) {
                Some(trigger) => Op::SetTrigger { trigger },
                None => Op::RemoveTrigger {},
            }
        }
        Op::RemoveTrigger {} => match workflow.trigger.take() {
            Some(trigger) => Op::SetTrigger { trigger },
            None => return EditError::new("The workflow has no trigger that could be removed."),
        },
        Op::SetTriggerTitle { title } => {
            tidy(title, "title", MAX_TITLE)?;
            Op::SetTriggerTitle { title: std::mem::replace(&mut trigger_mut(workflow)?.title, title.clone()) }
        }
        Op::SetTriggerInput { field, value } => {
            let value = put(&mut trigger_mut(workflow)?.input, field, value.clone());
            Op::SetTriggerInput { field: field.clone(), value }
        }
        Op::AddStep { at, step } => {
            tree::name_afresh(workflow, step)?;
            tree::insert(workflow, at, (**step).clone())?;
            Op::RemoveStep { step: step.id.clone() }
        }
        Op::RemoveStep { step } => {
            let (at, step) = tree::remove(workflow, step)?;
            Op::AddStep { at, step: Box::new(step) }
        }
        Op::MoveStep { step, to } => Op::MoveStep { step: step.clone(), to: tree::move_step(workflow, step, to)? },
        Op::DuplicateStep { step } => Op::RemoveStep { step: tree::duplicate(workflow, step)? },
        Op::SetInput { step, field, value } => {
            let value = put(&mut step_mut(workflow, step)?.input, field, value.clone());
            Op::SetInput { step: step.clone(), field: field.clone(), value }
        }
        Op::SetTitle { step, title } => {
            tidy(title, "title", MAX_TITLE)?;
            let title = std::mem::replace(&mut step_mut(workflow, step)?.title, title.clone());
            Op::SetTitle { step: step.clone(), title }
        }
        Op::SetNote { step, note } => {
            tidy(note, "note", MAX_NOTE)?;
            Op::SetNote { step: step.clone(), note: std::mem::replace(&mut step_mut(workflow, step)?.note, note.clone()) }
        }
        Op::SetCondition { step, condition } => {
            let found = step_mut(workflow, step)?;
            if !matches!(found.operation.as_str(), "filter" | "repeat") {
                return EditError::new(format!(
                    "Only a filter and a repeat have a condition of their own, and \"{step}\" is none."
                ));
            }
            Op::SetCondition { step: step.clone(), condition: std::mem::replace(&mut found.condition, condition.clone()) }
        }
        Op::AddCase { step, index, case } => {
            case.title = checked_text("title", &case.title, MAX_TITLE)?;
            let index = tree::add_case(workflow, step, *index, case)?;
            Op::RemoveCase { step: step.clone(), index }
        }
        Op::RemoveCase { step, index } => {
            let case = tree::case_mut(workflow, step, *index).map(|(cases, index)| cases.remove(index))?;
            Op::AddCase { step: step.clone(), index: Some(*index), case }
        }
        Op::MoveCase { step, from, to } => {
            let (cases, _) = tree::case_mut(workflow, step, *to)?;
            if *from >= cases.len() {
                return EditError::new(format!("The branch \"{step}\" has no case {}.", *from + 1));
            }
            let case = cases.remove(*from);
            cases.insert(*to, case);
            Op::MoveCase { step: step.clone(), from: *to, to: *from }
        }
        Op::SetCaseTitle { step, index, title } => {
            *title = checked_text("title", title, MAX_TITLE)?;
            let (cases, index) = tree::case_mut(workflow, step, *index)?;
            let title = std::mem::replace(&mut cases[index].title, title.clone());
            Op::SetCaseTitle { step: step.clone(), index, title }
        }
        Op::SetCaseCondition { step, index, condition } => {
            let (cases, index) = tree::case_mut(workflow, step, *index)?;
            let condition = std::mem::replace(&mut cases[index].condition, condition.clone());
            Op::SetCaseCondition { step: step.clone(), index, condition }
        }
        Op::AddLane { step, index, lane } => {
            lane.title = checked_text("title", &lane.title, MAX_TITLE)?;
            let index = lanes::add_lane(workflow, step, *index, lane)?;
            Op::RemoveLane { step: step.clone(), index }
        }
        Op::RemoveLane { step, index } => {
            let lane = lanes::lane_at(workflow, step, *index).map(|(lanes, index)| lanes.remove(index))?;
            Op::AddLane { step: step.clone(), index: Some(*index), lane }
        }
        Op::MoveLane { step, from, to } => {
            let (lanes, _) = lanes::lane_at(workflow, step, *to)?;
            if *from >= lanes.len() {
                return EditError::new(format!("The step \"{step}\" has no lane {}.", *from + 1));
            }
            let lane = lanes.remove(*from);
            lanes.insert(*to, lane);
            Op::MoveLane { step: step.clone(), from: *to, to: *from }
        }
        Op::SetLaneTitle { step, index, title } => {
            *title = checked_text("title", title, MAX_TITLE)?;
            let (lanes, index) = lanes::lane_at(workflow, step, *index)?;
            let title = std::mem::replace(&mut lanes[index].title, title.clone());
            Op::SetLaneTitle { step: step.clone(), index, title }
        }
        Op::SetRetry { step, retry } => {
            Op::SetRetry { step: step.clone(), retry: std::mem::replace(&mut step_mut(workflow, step)?.retry, retry.clone()) }
        }
        Op::SetTimeout { step, timeout } => {
            Op::SetTimeout { step: step.clone(), timeout: std::mem::replace(&mut step_mut(workflow, step)?.timeout, *timeout) }
        }
        Op::SetOnError { step, on_error } => {
            Op::SetOnError { step: step.clone(), on_error: std::mem::replace(&mut step_mut(workflow, step)?.on_error, *on_error) }
        }
        Op::SetConnection { step, connection } => {
            let place = match step.0.as_str() {
                "trigger" => &mut trigger_mut(workflow)?.connection,
                _ => &mut step_mut(workflow, step)?.connection,
            };
            let connection = std::mem::replace(place, connection.clone());
            Op::SetConnection { step: step.clone(), connection }
        }
    };
    Ok(Applied { done, undo })
}

fn trigger_mut(workflow: &mut Workflow) -> Result<&mut Trigger, EditError> {
    workflow.trigger.as_mut().ok_or_else(|| EditError("The workflow has no trigger yet. Choose one first.".into()))
}

/// Sets or removes a field and says what was there.
fn put(input: &mut Object, field: &str, value: Option<Json>) -> Option<Json> {
    match value {
        Some(value) => input.insert(field.to_owned(), value),
        None => input.shift_remove(field),
    }
}

/// A text without space around it. NUL can't be stored.
fn checked_text(what: &str, text: &str, most: usize) -> Result<String, EditError> {
    let text = text.trim().replace('\0', "");
    match text.chars().count() {
        length if length > most => EditError::new(format!("This {what} has {length} characters; at most {most} are possible.")),
        _ => Ok(text),
    }
}

/// A text without space around it, and none at all when nothing is left.
fn tidy(text: &mut Option<String>, what: &str, most: usize) -> Result<(), EditError> {
    if let Some(some) = text {
        let tidied = checked_text(what, some, most)?;
        *text = Some(tidied).filter(|text| !text.is_empty());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
