//! From the tree of a document to a plan's list of steps: templates compiled, effects known, lanes as ranges.

use super::{DEFAULT_TIMEOUT, Kind, NotRunnable, PlannedStep, Role};
use crate::{
    catalogue::{Catalogue, Effect, EffectRule, Operation},
    edit::LaneName,
    expr::ExprError,
    lines::LinesStep,
    pure::PureStep,
    workflow::Step,
};

pub(super) fn flatten(
    lane: &[Step],
    parent: Option<(usize, usize)>,
    catalogue: &dyn Catalogue,
    into: &mut Vec<PlannedStep>,
) -> Result<(), NotRunnable> {
    let first = into.len();
    for step in lane {
        let position = into.len();
        into.push(prepare(step, parent, catalogue)?);
        let mut lanes = Vec::new();
        let mut names = Vec::new();
        for (index, (name, inner)) in step.inner().enumerate() {
            let start = into.len();
            flatten(inner, Some((position, index)), catalogue, into)?;
            lanes.push(start..into.len());
            names.push(name);
        }
        let count = |wanted: fn(&LaneName) -> bool| names.iter().filter(|name| wanted(name)).count();
        into[position].opens = match into[position].kind {
            Kind::Lines(LinesStep::Parallel { .. }) => 0..count(|name| matches!(name, LaneName::Case(_))),
            Kind::Lines(_) => 0..count(|name| *name == LaneName::BODY),
            _ => 0..0,
        };
        into[position].otherwise = names.iter().position(|name| *name == LaneName::OTHERWISE);
        into[position].rescue = names.iter().position(|name| *name == LaneName::RESCUE);
        into[position].lanes = lanes;
        into[position].end = into.len();
    }
    let lane_end = into.len();
    let mut position = first;
    while position < lane_end {
        into[position].lane_end = lane_end;
        position = into[position].end;
    }
    Ok(())
}

fn prepare(step: &Step, parent: Option<(usize, usize)>, catalogue: &dyn Catalogue) -> Result<PlannedStep, NotRunnable> {
    let operation = catalogue
        .operation(&step.operation)
        .ok_or_else(|| NotRunnable(format!("The step \"{}\" uses \"{}\", which doesn't exist here.", step.id, step.operation)))?;
    let role = match step.operation.as_str() {
        "filter" => Role::Filter,
        "branch" => Role::Branch,
        "stop" => Role::Stop,
        _ => Role::Other,
    };
    let not_runnable = |error: ExprError| NotRunnable(format!("The step \"{}\" can't run. {error}", step.id));
    let lines = LinesStep::compile(step).map_err(not_runnable)?;
    let kind = match PureStep::compile(step).map_err(not_runnable)? {
        _ if let Some(lines) = lines => Kind::Lines(lines),
        Some(delay @ PureStep::Delay(_)) => Kind::Delay(delay),
        Some(pure) => Kind::Pure(pure),
        None => {
            let is_shown = |name: &str| operation.field(name).is_none_or(|field| operation.shows(field, &step.input));
            let shown = step.input.iter().filter(|(name, _)| is_shown(name));
            let shown = shown.map(|(name, value)| (name.clone(), value.clone())).collect();
            Kind::Action(operation.compile_input(&shown).map_err(not_runnable)?)
        }
    };
    // An action that forgot to say what a repeat does gets the care that an unsafe one needs.
    let effect = match kind {
        Kind::Action(_) => Some(operation.effect.clone().unwrap_or(EffectRule::Always(Effect::Unsafe))),
        Kind::Pure(_) | Kind::Delay(_) | Kind::Lines(_) => None,
    };
    Ok(PlannedStep {
        id: step.id.clone(),
        operation: step.operation.clone(),
        kind,
        connection: step.connection.clone(),
        retry: step.retry.clone().unwrap_or_default(),
        timeout: step.timeout.map_or(DEFAULT_TIMEOUT, |span| span.0),
        on_error: step.on_error,
        method: default_method(operation, effect.as_ref()),
        effect,
        role,
        parent,
        cases: step.cases.len(),
        lanes: Vec::new(),
        opens: 0..0,
        otherwise: None,
        rescue: None,
        end: 0,
        lane_end: 0,
    })
}

fn default_method(operation: &Operation, effect: Option<&EffectRule>) -> Option<String> {
    let EffectRule::ByMethod { method, .. } = effect? else { return None };
    let field = operation.inputs.iter().find(|field| field.name == *method)?;
    field.default.as_ref()?.as_str().map(str::to_owned)
}
