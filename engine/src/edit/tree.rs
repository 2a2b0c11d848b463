//! Finding, putting in and taking out of steps in the tree. It keeps ids unique and refuses places that don't exist.

use super::{
    EditError, Place,
    lanes::{lane_mut, tidy},
};
use crate::{
    Json,
    workflow::{Case, Lane, MAX_DEPTH, MAX_STEPS, Step, StepId, Workflow},
};
use std::collections::{HashMap, HashSet};

fn no_step<T>(id: &StepId) -> Result<T, EditError> {
    EditError::new(format!("There is no step \"{id}\" any more. Somebody may have removed it; reload the workflow."))
}

pub(super) fn step_mut<'a>(workflow: &'a mut Workflow, id: &StepId) -> Result<&'a mut Step, EditError> {
    fn find<'a>(steps: &'a mut [Step], id: &StepId) -> Option<&'a mut Step> {
        for step in steps {
            if step.id == *id {
                return Some(step);
            }
            for lane in step.inner_mut() {
                if let Some(found) = find(lane, id) {
                    return Some(found);
                }
            }
        }
        None
    }
    match find(&mut workflow.steps, id) {
        Some(step) => Ok(step),
        None => no_step(id),
    }
}

pub(super) fn insert(workflow: &mut Workflow, at: &Place, step: Step) -> Result<(), EditError> {
    check_room(workflow, at, &step)?;
    let lane = lane_mut(workflow, at.parent.as_ref())?;
    let length = lane.len();
    if at.index <= length {
        lane.insert(at.index, step);
        return Ok(());
    }
    tidy(workflow, at.parent.as_ref());
    EditError::new(format!("There is no place {} here: the lane has {length} steps.", at.index))
}

pub(super) fn remove(workflow: &mut Workflow, id: &StepId) -> Result<(Place, Step), EditError> {
    let Some(at) = place(workflow, id) else { return no_step(id) };
    let step = lane_mut(workflow, at.parent.as_ref())?.remove(at.index);
    tidy(workflow, at.parent.as_ref());
    Ok((at, step))
}

/// Moves a step and says where it was.
pub(super) fn move_step(workflow: &mut Workflow, id: &StepId, to: &Place) -> Result<Place, EditError> {
    let (from, step) = remove(workflow, id)?;
    let within = to.parent.as_ref().is_some_and(|parent| subtree(&step).any(|inner| inner.id == parent.step));
    let moved = if within { EditError::new("A step can't be moved into itself.") } else { insert(workflow, to, step.clone()) };
    if let Err(error) = moved {
        // Back to where it was; that place exists and has room.
        insert(workflow, &from, step)?;
        return Err(error);
    }
    Ok(from)
}

/// Where the step stands.
pub(super) fn place(workflow: &Workflow, id: &StepId) -> Option<Place> {
    workflow.placed().find(|placed| placed.step.id == *id).map(|placed| placed.place)
}

/// The steps of this one and of all that is inside it, in document order.
fn subtree(step: &Step) -> impl Iterator<Item = &Step> {
    let mut open = vec![step];
    std::iter::from_fn(move || {
        let step = open.pop()?;
        let inner: Vec<&Step> = step.inner().flat_map(|(_, lane)| lane).collect();
        open.extend(inner.into_iter().rev());
        Some(step)
    })
}

fn subtree_mut(step: &mut Step, change: &mut impl FnMut(&mut Step)) {
    change(step);
    step.inner_mut().flatten().for_each(|inner| subtree_mut(inner, change));
}

fn height(step: &Step) -> usize {
    1 + step.inner().flat_map(|(_, lane)| lane).map(height).max().unwrap_or(0)
}

/// Would the tree stay within its bounds?
fn check_room(workflow: &Workflow, at: &Place, step: &Step) -> Result<(), EditError> {
    let steps = workflow.placed().count() + subtree(step).count();
    if steps > MAX_STEPS {
        return EditError::new(format!("A workflow has at most {MAX_STEPS} steps; with this it would have {steps}."));
    }
    let outer = match &at.parent {
        None => 0,
        Some(parent) => workflow.placed().find(|placed| placed.step.id == parent.step).map_or(0, |placed| placed.depth),
    };
    if outer + height(step) > MAX_DEPTH {
        return EditError::new(format!(
            "Steps can be inside each other at most {MAX_DEPTH} deep. Put some of these steps outside."
        ));
    }
    Ok(())
}

/// An id that no step has: made from the operation's name, and from its number where that is taken.
pub fn fresh_id(workflow: &Workflow, operation: &str) -> StepId {
    let taken: HashSet<&str> = workflow.placed().map(|placed| placed.step.id.0.as_str()).collect();
    fresh(&taken, operation)
}

fn fresh(taken: &HashSet<&str>, base: &str) -> StepId {
    let slug: String = base.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let slug: String = slug.trim_matches('_').chars().skip_while(|c| !c.is_ascii_lowercase()).take(50).collect();
    let slug = if slug.is_empty() { "step".to_owned() } else { slug };
    let numbered = (2..).map(|number: usize| format!("{slug}_{number}"));
    let mut ids = std::iter::once(slug.clone()).chain(numbered).filter(|id| !taken.contains(id.as_str()));
    StepId(ids.next().unwrap_or(slug))
}

/// Gives steps with an empty id one of their own, and refuses ids that are malformed or taken.
pub(super) fn name_afresh(workflow: &Workflow, step: &mut Step) -> Result<(), EditError> {
    name_all_afresh(workflow, std::slice::from_mut(step))
}

fn name_all_afresh(workflow: &Workflow, steps: &mut [Step]) -> Result<(), EditError> {
    let mut taken: HashSet<String> = workflow.placed().map(|placed| placed.step.id.0.clone()).collect();
    let mut wrong = None;
    for step in steps.iter_mut() {
        subtree_mut(step, &mut |step| {
            if !step.id.0.is_empty() {
                if !step.id.is_well_formed() {
                    wrong =
                        Some(format!("\"{}\" can't be a step's id: lower-case letters, digits and underscores only.", step.id));
                } else if !taken.insert(step.id.0.clone()) {
                    wrong = Some(format!("There is already a step with the id \"{}\".", step.id));
                }
            }
        });
    }
    if let Some(wrong) = wrong {
        return EditError::new(wrong);
    }
    for step in steps.iter_mut() {
        subtree_mut(step, &mut |step| {
            if step.id.0.is_empty() {
                step.id = fresh(&taken.iter().map(String::as_str).collect(), &step.operation);
                taken.insert(step.id.0.clone());
            }
        });
    }
    Ok(())
}

/// Puts a copy after the step and says its id.
pub(super) fn duplicate(workflow: &mut Workflow, id: &StepId) -> Result<StepId, EditError> {
    let Some(mut at) = place(workflow, id) else { return no_step(id) };
    let mut copy = step_mut(workflow, id)?.clone();
    let mut taken: HashSet<String> = workflow.placed().map(|placed| placed.step.id.0.clone()).collect();
    let mut renamed = HashMap::new();
    subtree_mut(&mut copy, &mut |step| {
        // `create_invoice_2` is copied as `create_invoice_3`.
        let base = step.id.0.trim_end_matches(|c: char| c.is_ascii_digit());
        let base = base.strip_suffix('_').filter(|_| base.len() < step.id.0.len()).unwrap_or(&step.id.0).to_owned();
        let id = fresh(&taken.iter().map(String::as_str).collect(), &base);
        taken.insert(id.0.clone());
        renamed.insert(step.id.0.clone(), id.0.clone());
        step.id = id;
    });
    if renamed.len() > 1 {
        subtree_mut(&mut copy, &mut |step| rename_in(step, &renamed));
    }
    let id = copy.id.clone();
    at.index += 1;
    insert(workflow, &at, copy)?;
    Ok(id)
}

/// Lets the expressions of a step name the copies of the steps that they named.
fn rename_in(step: &mut Step, renamed: &HashMap<String, String>) {
    step.input.values_mut().for_each(|value| rename_in_value(value, renamed));
    let mut conditions: Vec<&mut crate::condition::Conditions> = step.cases.iter_mut().map(|case| &mut case.condition).collect();
    conditions.extend(step.condition.as_mut());
    for condition in conditions {
        if let Ok(mut value) = serde_json::to_value(&*condition) {
            rename_in_value(&mut value, renamed);
            rename_in_bare(&mut value, renamed);
            if let Ok(renamed) = serde_json::from_value(value) {
                *condition = renamed;
            }
        }
    }
}

fn rename_in_value(value: &mut Json, renamed: &HashMap<String, String>) {
    match value {
        Json::String(text) if text.contains("{{") => *text = rename_in_text(text, renamed),
        Json::Array(items) => items.iter_mut().for_each(|item| rename_in_value(item, renamed)),
        Json::Object(fields) => fields.values_mut().for_each(|value| rename_in_value(value, renamed)),
        _ => {}
    }
}

/// An advanced condition's expression has no braces.
fn rename_in_bare(value: &mut Json, renamed: &HashMap<String, String>) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| rename_in_bare(item, renamed)),
        Json::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Json::String(text) if name == "expression" && !text.contains("{{") => *text = rename_in_text(text, renamed),
                    other if name == "all" || name == "any" => rename_in_bare(other, renamed),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Replaces `steps.<old>` by `steps.<new>` wherever it stands as a whole path.
fn rename_in_text(text: &str, renamed: &HashMap<String, String>) -> String {
    const ROOT: &str = "steps.";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ROOT) {
        let is_root = !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        out.push_str(&rest[..at + ROOT.len()]);
        rest = &rest[at + ROOT.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let id = &rest[..end];
        out.push_str(renamed.get(id).filter(|_| is_root).map_or(id, String::as_str));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// The cases of a branch, and `index` if there is such a case.
pub(super) fn case_mut<'a>(
    workflow: &'a mut Workflow,
    step: &StepId,
    index: usize,
) -> Result<(&'a mut Vec<Case>, usize), EditError> {
    let cases = cases_mut(workflow, step)?;
    if index >= cases.len() {
        return EditError::new(format!("The branch \"{step}\" has no case {}.", index + 1));
    }
    Ok((cases, index))
}

fn cases_mut<'a>(workflow: &'a mut Workflow, id: &StepId) -> Result<&'a mut Vec<Case>, EditError> {
    let step = step_mut(workflow, id)?;
    if step.operation != "branch" {
        return EditError::new(format!("Only a branch has cases, and \"{id}\" is none."));
    }
    Ok(&mut step.cases)
}

pub(super) fn add_case(workflow: &mut Workflow, id: &StepId, index: Option<usize>, case: &mut Case) -> Result<usize, EditError> {
    let count = cases_mut(workflow, id)?.len();
    let index = index.unwrap_or(count);
    if index > count {
        return EditError::new(format!("There is no place {index} among the {count} cases of \"{id}\"."));
    }
    admit(workflow, id, &mut case.steps)?;
    cases_mut(workflow, id)?.insert(index, case.clone());
    Ok(index)
}

/// Names the steps of a new lane of a step, and refuses them where there is no room.
pub(super) fn admit(workflow: &Workflow, id: &StepId, steps: &mut [Step]) -> Result<(), EditError> {
    name_all_afresh(workflow, steps)?;
    let mut as_step = Step::new("lane", "branch");
    as_step.otherwise = Some(Lane { steps: steps.to_vec() });
    let depth = workflow.placed().find(|placed| placed.step.id == *id).map_or(0, |placed| placed.depth);
    if workflow.placed().count() + subtree(&as_step).count() - 1 > MAX_STEPS || depth + height(&as_step) - 1 > MAX_DEPTH {
        return EditError::new(format!(
            "A workflow has at most {MAX_STEPS} steps, {MAX_DEPTH} deep; with this it would have more."
        ));
    }
    Ok(())
}
