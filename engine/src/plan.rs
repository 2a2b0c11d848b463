//! A plan: one immutable version of a workflow, prepared for running. Made once per version and shared by its runs; it holds no
//! run's data and does nothing by itself.

use crate::{
    Json,
    catalogue::{Catalogue, Effect, EffectRule, Operation},
    expr::{ExprError, Template},
    pure::PureStep,
    record::Record,
    workflow::{OnError, Retry, Step, StepId, StepPath, Workflow},
};
use std::{collections::HashMap, ops::Range, time::Duration};

/// How long one attempt of an action may take, unless its step says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A version prepared for running: steps flattened in document order, templates compiled, effects known.
pub struct Plan {
    pub version: u32,
    pub workflow: Workflow,
    /// How its expressions write numbers where they name no language (BCP 47).
    pub language: String,
    steps: Vec<PlannedStep>,
    positions: HashMap<StepPath, usize>,
}

/// A step prepared for running.
pub struct PlannedStep {
    pub path: StepPath,
    pub id: StepId,
    pub operation: String,
    pub kind: Kind,
    /// A connection's id, as the document says it.
    pub connection: Option<String>,
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Duration,
    pub on_error: OnError,
    /// How the effect of an attempt follows from its input; `None` for steps without one.
    pub effect: Option<EffectRule>,
    /// The value of the effect rule's method field where the input doesn't have one.
    method: Option<String>,
    pub(crate) role: Role,
    /// The step whose lane this one is in, and which of its lanes.
    pub(crate) parent: Option<(usize, usize)>,
    /// How many of the lanes are cases; the one after them is otherwise.
    pub(crate) cases: usize,
    /// The steps of its lanes, each with all that is inside: cases first, then otherwise.
    pub(crate) lanes: Vec<Range<usize>>,
    /// The position after this step and all that is inside it.
    pub(crate) end: usize,
    /// The position after its lane.
    pub(crate) lane_end: usize,
}

/// Who does a step.
#[derive(Debug)]
pub enum Kind {
    /// The engine, as a function of what came before: set, filter, branch, stop, respond.
    Pure(PureStep),
    /// The timer: always a [`PureStep::Delay`].
    Delay(PureStep),
    /// An operation of the registry, which acts outside. The template of its input, an object; fields that the form doesn't show
    /// are not in it.
    Action(Template),
}

/// What the planner has to know of a step's operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Filter,
    Branch,
    Stop,
    Other,
}

/// A version that can't run, and why; validation finds all of these before publishing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NotRunnable(pub String);

impl Plan {
    pub fn new(version: u32, workflow: Workflow, catalogue: &dyn Catalogue) -> Result<Self, NotRunnable> {
        let mut steps = Vec::new();
        flatten(&workflow.steps, None, catalogue, &mut steps)?;
        let mut positions = HashMap::with_capacity(steps.len());
        for (position, step) in steps.iter().enumerate() {
            if positions.insert(step.path.clone(), position).is_some() {
                return Err(NotRunnable(format!("Two steps have the id \"{}\".", step.path)));
            }
        }
        Ok(Self { version, workflow, language: "en".to_owned(), steps, positions })
    }

    /// The same plan, writing numbers as this language does.
    #[must_use]
    pub fn speaking(self, language: String) -> Self {
        Self { language, ..self }
    }

    /// All steps in document order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    pub fn step(&self, path: &StepPath) -> Option<&PlannedStep> {
        self.steps.get(self.position(path)?)
    }

    pub(crate) fn position(&self, path: &StepPath) -> Option<usize> {
        self.positions.get(path).copied()
    }

    /// Has no step an effect outside, a wait or a time of its own? Such a run is evaluated in one go.
    pub fn is_pure(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.kind, Kind::Pure(_)))
    }

    /// May a run answer the caller of a synchronous trigger?
    pub fn has_respond(&self) -> bool {
        self.steps.iter().any(|step| step.operation == "respond")
    }

    /// What a repeat of this step would do, with its input resolved. `None`: it has no effect outside.
    pub fn effect_of(&self, step: &StepPath, input: &Json) -> Option<Effect> {
        self.step(step)?.effect_of(input)
    }

    /// Do records that are not on disk yet have to be, before an attempt with this effect leaves?
    ///
    /// A change outside may only follow from what is on disk or a pure function of it: after a crash, a read might say something
    /// else and the run take another branch, and both effects would have happened. Before an unsafe effect its own `Started` is
    /// on disk too. `uncommitted` are the records since the last commit.
    pub fn commits_before<'a>(&self, effect: Option<Effect>, uncommitted: impl IntoIterator<Item = &'a Record>) -> bool {
        let acted = |record: &Record| {
            record.step().and_then(|path| self.step(path)).is_some_and(|step| !matches!(step.kind, Kind::Pure(_)))
        };
        match effect {
            None | Some(Effect::Read) => false,
            Some(Effect::Unsafe) => true,
            Some(Effect::Idempotent | Effect::Keyed) => {
                uncommitted.into_iter().any(|record| !matches!(record, Record::Started { .. }) && acted(record))
            }
        }
    }
}

impl PlannedStep {
    /// What a repeat of this step would do, with its input resolved. `None`: it has no effect outside.
    pub fn effect_of(&self, input: &Json) -> Option<Effect> {
        Some(match self.effect.as_ref()? {
            EffectRule::Always(effect) => *effect,
            EffectRule::ByMethod { method, keyed } => {
                let method = input.get(method).and_then(Json::as_str).or(self.method.as_deref()).unwrap_or_default();
                match method.trim().to_ascii_uppercase().as_str() {
                    "GET" | "HEAD" | "OPTIONS" => Effect::Read,
                    "PUT" | "DELETE" => Effect::Idempotent,
                    _ if input.get(keyed).and_then(Json::as_bool).unwrap_or(false) => Effect::Keyed,
                    _ => Effect::Unsafe,
                }
            }
        })
    }

    /// The effect to assume where no record says it: the one that asks for the most care.
    pub(crate) fn worst_effect(&self) -> Option<Effect> {
        self.effect.as_ref().map(|rule| match rule {
            EffectRule::Always(effect) => *effect,
            EffectRule::ByMethod { .. } => Effect::Unsafe,
        })
    }
}

fn flatten(
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
        for (index, inner) in step.lanes().enumerate() {
            let start = into.len();
            flatten(inner, Some((position, index)), catalogue, into)?;
            lanes.push(start..into.len());
        }
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
    let kind = match PureStep::compile(step).map_err(not_runnable)? {
        Some(delay @ PureStep::Delay(_)) => Kind::Delay(delay),
        Some(pure) => Kind::Pure(pure),
        None => {
            let is_shown = |name: &str| operation.field(name).is_none_or(|field| operation.shows(field, &step.input));
            let shown = step.input.iter().filter(|(name, _)| is_shown(name));
            let shown = shown.map(|(name, value)| (name.clone(), value.clone())).collect();
            Kind::Action(Template::compile_object(&shown).map_err(not_runnable)?)
        }
    };
    // An action that forgot to say what a repeat does gets the care that an unsafe one needs.
    let effect = match kind {
        Kind::Action(_) => Some(operation.effect.clone().unwrap_or(EffectRule::Always(Effect::Unsafe))),
        Kind::Pure(_) | Kind::Delay(_) => None,
    };
    Ok(PlannedStep {
        path: StepPath::from(&step.id),
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
        end: 0,
        lane_end: 0,
    })
}

fn default_method(operation: &Operation, effect: Option<&EffectRule>) -> Option<String> {
    let EffectRule::ByMethod { method, .. } = effect? else { return None };
    let field = operation.inputs.iter().find(|field| field.name == *method)?;
    field.default.as_ref()?.as_str().map(str::to_owned)
}
