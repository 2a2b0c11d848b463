//! What an operation does, in words: for the history of a workflow and for undo.

use super::Operation;
use crate::workflow::{Step, StepId, Workflow};

/// The operation in words, for the document as it was before: `Removed the step “Create invoice”`.
pub fn describe(operation: &Operation, workflow: &Workflow) -> String {
    use Operation as Op;
    let named = |id: &StepId| {
        let step = workflow.step(id);
        quoted(step.and_then(|step| step.title.as_deref()).unwrap_or(&id.0))
    };
    let case = |id: &StepId, index: usize| {
        let title = workflow.step(id).and_then(|step| step.cases.get(index)).map_or("", |case| case.title.as_str());
        if title.is_empty() { format!("case {}", index + 1) } else { format!("the case {}", quoted(title)) }
    };
    let lane = |id: &StepId, index: usize| {
        let title = workflow.step(id).and_then(|step| step.lanes.get(index)).map_or("", |lane| lane.title.as_str());
        if title.is_empty() { format!("lane {}", index + 1) } else { format!("the lane {}", quoted(title)) }
    };
    match operation {
        Op::SetName { name } => format!("Renamed the workflow to {}", quoted(name)),
        Op::SetTrigger { trigger } => match workflow.trigger {
            Some(_) => format!("Changed the trigger to {}", quoted(&trigger.operation)),
            None => format!("Chose the trigger {}", quoted(&trigger.operation)),
        },
        Op::RemoveTrigger {} => "Removed the trigger".into(),
        Op::SetTriggerTitle { title: Some(title) } => format!("Named the trigger {}", quoted(title)),
        Op::SetTriggerTitle { title: None } => "Removed the trigger's title".into(),
        Op::SetTriggerInput { field, value } => format!("{} {} of the trigger", set_or_cleared(value.is_some()), quoted(field)),
        Op::AddStep { step, .. } => format!("Added the step {}{}", quoted(own_name(step)), with_inner(step)),
        Op::RemoveStep { step } => {
            let inner = workflow.step(step).map(with_inner).unwrap_or_default();
            format!("Removed the step {}{inner}", named(step))
        }
        Op::MoveStep { step, .. } => format!("Moved the step {}", named(step)),
        Op::DuplicateStep { step } => format!("Duplicated the step {}", named(step)),
        Op::SetInput { step, field, value } => {
            format!("{} {} of {}", set_or_cleared(value.is_some()), quoted(field), named(step))
        }
        Op::SetTitle { step, title: Some(title) } => format!("Renamed the step {} to {}", named(step), quoted(title)),
        Op::SetTitle { step, title: None } => format!("Removed the title of {}", named(step)),
        Op::SetNote { step, note } => format!("{} the note on {}", if note.is_some() { "Wrote" } else { "Removed" }, named(step)),
        Op::SetCondition { step, condition } => {
            format!("{} the condition of {}", if condition.is_some() { "Changed" } else { "Removed" }, named(step))
        }
        Op::AddCase { step, case, .. } if case.title.is_empty() => format!("Added a case to {}", named(step)),
        Op::AddCase { step, case, .. } => format!("Added the case {} to {}", quoted(&case.title), named(step)),
        Op::RemoveCase { step, index } => format!("Removed {} of {}", case(step, *index), named(step)),
        Op::MoveCase { step, from, .. } => format!("Moved {} of {}", case(step, *from), named(step)),
        Op::SetCaseTitle { step, index, title } => {
            format!("Renamed {} of {} to {}", case(step, *index), named(step), quoted(title))
        }
        Op::SetCaseCondition { step, index, .. } => format!("Changed the condition of {} of {}", case(step, *index), named(step)),
        Op::AddLane { step, lane, .. } if lane.title.is_empty() => format!("Added a lane to {}", named(step)),
        Op::AddLane { step, lane, .. } => format!("Added the lane {} to {}", quoted(&lane.title), named(step)),
        Op::RemoveLane { step, index } => format!("Removed {} of {}", lane(step, *index), named(step)),
        Op::MoveLane { step, from, .. } => format!("Moved {} of {}", lane(step, *from), named(step)),
        Op::SetLaneTitle { step, index, title } => {
            format!("Renamed {} of {} to {}", lane(step, *index), named(step), quoted(title))
        }
        Op::SetRetry { step, .. } => format!("Changed how often {} is tried", named(step)),
        Op::SetTimeout { step, .. } => format!("Changed how long {} may take", named(step)),
        Op::SetOnError { step, .. } => format!("Changed what happens when {} fails", named(step)),
        Op::SetConnection { step, .. } if step.0 == "trigger" => "Changed the connection of the trigger".into(),
        Op::SetConnection { step, .. } => format!("Changed the connection of {}", named(step)),
    }
}

fn quoted(text: &str) -> String {
    format!("“{}”", crate::expr::error::shorten(text, 80))
}

fn set_or_cleared(set: bool) -> &'static str {
    if set { "Changed" } else { "Cleared" }
}

fn own_name(step: &Step) -> &str {
    match &step.title {
        Some(title) => title,
        None if step.id.0.is_empty() => &step.operation,
        None => &step.id.0,
    }
}

/// How many steps go with it.
fn with_inner(step: &Step) -> String {
    fn count(step: &Step) -> usize {
        step.inner().flat_map(|(_, lane)| lane).map(|inner| 1 + count(inner)).sum()
    }
    match count(step) {
        0 => String::new(),
        1 => " with the step inside".into(),
        more => format!(" with the {more} steps inside"),
    }
}
