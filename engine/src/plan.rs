//! A plan: one immutable version of a workflow, prepared for running. Made once per version and shared by its runs; it holds no
//! run's data and does nothing by itself.

use crate::{
    Json,
    catalogue::{Catalogue, Effect, EffectRule},
    expr::Template,
    ids::ConnectionId,
    lines::LinesStep,
    pure::PureStep,
    record::Record,
    workflow::{LinePath, OnError, Retry, StepId, StepPath, Workflow},
};
use std::{collections::HashMap, ops::Range, time::Duration};

/// How long one attempt of an action may take, unless its step says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The operation that starts a run of another workflow. It is an action whose call the engine's shell makes itself.
pub const CALL: &str = "call_workflow";
/// The trigger of workflows that are started so.
pub const CALLED: &str = "called";

/// A version prepared for running: steps flattened in document order, templates compiled, effects known.
pub struct Plan {
    pub version: u32,
    pub workflow: Workflow,
    /// How its expressions write numbers where they name no language (BCP 47).
    pub language: String,
    steps: Vec<PlannedStep>,
    positions: HashMap<String, usize>,
}

/// A step prepared for running.
pub struct PlannedStep {
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
    /// How many of the lanes are cases.
    pub(crate) cases: usize,
    /// The steps of its lanes, each with all that is inside: cases, otherwise, lanes side by side, body, rescue.
    pub(crate) lanes: Vec<Range<usize>>,
    /// Which of the lanes are lines of their own: those of a parallel step, or the body of a loop.
    pub(crate) opens: Range<usize>,
    /// The lane for when no case holds.
    pub(crate) otherwise: Option<usize>,
    /// The lane that is done instead when the step fails, if it is used.
    pub(crate) rescue: Option<usize>,
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
    /// The engine: the step opens lines and joins them.
    Lines(LinesStep),
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
        prepare::flatten(&workflow.steps, None, catalogue, &mut steps)?;
        let mut positions = HashMap::with_capacity(steps.len());
        for (position, step) in steps.iter().enumerate() {
            if positions.insert(step.id.0.clone(), position).is_some() {
                return Err(NotRunnable(format!("Two steps have the id \"{}\".", step.id)));
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
        self.positions.get(path.id()).copied()
    }

    /// The steps of a line: all of the workflow's, or those of a lane of the step that opened it. With the opener's position.
    pub(crate) fn line(&self, line: &LinePath) -> Option<(Range<usize>, Option<usize>)> {
        if line.is_run() {
            return Some((0..self.steps.len(), None));
        }
        let (opener, number) = line.opener()?;
        let position = self.position(&opener)?;
        let step = &self.steps[position];
        let lane = match &step.kind {
            Kind::Lines(LinesStep::Parallel { .. }) => step.opens.start + usize::try_from(number).ok()?,
            Kind::Lines(_) => step.opens.start,
            _ => return None,
        };
        let range = step.lanes.get(lane).filter(|_| step.opens.contains(&lane)).cloned();
        Some((range.unwrap_or(position + 1..position + 1), Some(position)))
    }

    /// The steps of a lane by the number of the line, without those inside them: what a line's own steps are.
    pub fn steps_of(&self, line: &LinePath) -> impl DoubleEndedIterator<Item = &PlannedStep> {
        let range = self.line(line).map_or(0..0, |(range, _)| range);
        let mut own = Vec::new();
        let mut position = range.start;
        while position < range.end {
            own.push(&self.steps[position]);
            position = self.steps[position].end;
        }
        own.into_iter()
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
            // Which lane came first, and what a round gave, is something that happened.
            matches!(record, Record::LineEnded { .. })
                || record.step().and_then(|path| self.step(path)).is_some_and(|step| !matches!(step.kind, Kind::Pure(_)))
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
    /// Does the step start a run of another workflow?
    pub fn is_call(&self) -> bool {
        self.operation == CALL
    }

    /// The connection that the step works through; `None` also for one that can't be one.
    pub(crate) fn connection_id(&self) -> Option<ConnectionId> {
        self.connection.as_deref()?.parse().ok()
    }

    /// The position after this step and the lines it opens: what follows it on its own line, first of all its error lane.
    pub(crate) fn after_lines(&self, position: usize) -> usize {
        if self.opens.is_empty() { position + 1 } else { self.lanes[self.opens.end - 1].end }
    }

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

mod prepare;
