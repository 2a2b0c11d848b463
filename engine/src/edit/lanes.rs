//! The lanes inside a step: which there are for which operation, and putting in, taking out and naming those that lie side by side.

use super::{EditError, LaneName, LaneWord, Parent, tree};
use crate::{
    lines::MAX_LANES,
    workflow::{Lane, NamedLane, Step, StepId, Workflow},
};

/// The steps of a lane. One with a name that isn't there is made; [`tidy`] takes it away if it stays empty.
pub(super) fn lane_mut<'a>(workflow: &'a mut Workflow, parent: Option<&Parent>) -> Result<&'a mut Vec<Step>, EditError> {
    let Some(parent) = parent else { return Ok(&mut workflow.steps) };
    let step = tree::step_mut(workflow, &parent.step)?;
    let operation = step.operation.clone();
    let made = |lane: &'a mut Option<Lane>| Ok(&mut lane.get_or_insert_with(Lane::default).steps);
    match (parent.lane, operation.as_str()) {
        (LaneName::Named(LaneWord::Rescue), _) => made(&mut step.rescue),
        (LaneName::Named(LaneWord::Body), "for_each" | "repeat") => made(&mut step.body),
        (LaneName::Named(LaneWord::Otherwise), "branch") => made(&mut step.otherwise),
        (LaneName::Case(index), "branch") => match step.cases.get_mut(index) {
            Some(case) => Ok(&mut case.steps),
            None => EditError::new(format!("The branch \"{}\" has no case {}.", parent.step, index + 1)),
        },
        (LaneName::Case(index), "parallel") => match step.lanes.get_mut(index) {
            Some(lane) => Ok(&mut lane.steps),
            None => EditError::new(format!("The step \"{}\" has no lane {}.", parent.step, index + 1)),
        },
        _ => EditError::new(format!(
            "Only a branch, a loop or a parallel step has such steps inside, and \"{}\" is none.",
            parent.step
        )),
    }
}

/// An empty lane that isn't one of several is none.
pub(super) fn tidy(workflow: &mut Workflow, parent: Option<&Parent>) {
    let Some(Parent { step, lane: LaneName::Named(word) }) = parent else { return };
    let Ok(step) = tree::step_mut(workflow, step) else { return };
    let lane = match word {
        LaneWord::Otherwise => &mut step.otherwise,
        LaneWord::Body => &mut step.body,
        LaneWord::Rescue => &mut step.rescue,
    };
    if lane.as_ref().is_some_and(|lane| lane.steps.is_empty()) {
        *lane = None;
    }
}

/// The lanes of a parallel step, and `index` if there is such a lane.
pub(super) fn lane_at<'a>(
    workflow: &'a mut Workflow,
    step: &StepId,
    index: usize,
) -> Result<(&'a mut Vec<NamedLane>, usize), EditError> {
    let lanes = lanes_mut(workflow, step)?;
    if index >= lanes.len() {
        return EditError::new(format!("The step \"{step}\" has no lane {}.", index + 1));
    }
    Ok((lanes, index))
}

fn lanes_mut<'a>(workflow: &'a mut Workflow, id: &StepId) -> Result<&'a mut Vec<NamedLane>, EditError> {
    let step = tree::step_mut(workflow, id)?;
    if step.operation != "parallel" {
        return EditError::new(format!("Only a parallel step has lanes side by side, and \"{id}\" is none."));
    }
    Ok(&mut step.lanes)
}

pub(super) fn add_lane(
    workflow: &mut Workflow,
    id: &StepId,
    index: Option<usize>,
    lane: &mut NamedLane,
) -> Result<usize, EditError> {
    let count = lanes_mut(workflow, id)?.len();
    let index = index.unwrap_or(count);
    if index > count {
        return EditError::new(format!("There is no place {index} among the {count} lanes of \"{id}\"."));
    }
    if count >= MAX_LANES {
        return EditError::new(format!("A parallel step has at most {MAX_LANES} lanes."));
    }
    tree::admit(workflow, id, &mut lane.steps)?;
    lanes_mut(workflow, id)?.insert(index, lane.clone());
    Ok(index)
}
