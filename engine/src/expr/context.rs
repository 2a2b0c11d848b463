//! What expressions see: the trigger's data, the outputs of earlier steps, the run and the time of its last committed record.
//!
//! A context is made once per run and extended as steps succeed. It reads no clock and draws no random numbers, so a resumed run
//! sees the same.

use super::moment;
use crate::{Json, Object, event::Event, ids::RunId, lines::Round, workflow::StepPath};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// The trigger's data.
#[derive(Clone, Debug)]
pub enum TriggerData {
    Value(Json),
    /// A stored event; its body is parsed when something reads it, and not before.
    Event(Event),
}

impl From<Json> for TriggerData {
    fn from(value: Json) -> Self {
        Self::Value(value)
    }
}

impl From<Event> for TriggerData {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

/// What expressions may know of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunInfo {
    pub id: RunId,
    /// The run's secret-free seed: idempotency keys, `uuid()` and `random()` follow from it.
    pub key: Uuid,
    pub started_at: DateTime<Utc>,
}

/// The workspace's variables by their names, shared by the runs that see them. Cloning is cheap.
#[derive(Clone, Debug, PartialEq)]
pub struct Vars(Arc<Json>);

impl Default for Vars {
    /// None at all.
    fn default() -> Self {
        static NONE: OnceLock<Arc<Json>> = OnceLock::new();
        Self(Arc::clone(NONE.get_or_init(|| Arc::new(Json::Object(Object::new())))))
    }
}

impl From<Object> for Vars {
    fn from(vars: Object) -> Self {
        Self(Arc::new(Json::Object(vars)))
    }
}

/// What a context begins with.
#[derive(Clone, Debug)]
pub struct Roots {
    pub trigger: TriggerData,
    pub run: RunInfo,
    /// The time of the run's last committed record.
    pub now: DateTime<Utc>,
    /// The workspace's variables.
    pub vars: Vars,
    /// How numbers are written where an expression names no language (BCP 47).
    pub language: String,
}

/// Everything that expressions can see at one step of one run.
#[derive(Debug)]
pub struct Context {
    trigger: TriggerData,
    body: OnceLock<Json>,
    whole_trigger: OnceLock<Json>,
    raw: OnceLock<Json>,
    steps: Json,
    run: RunInfo,
    run_value: OnceLock<Json>,
    vars: Vars,
    now: DateTime<Utc>,
    language: String,
    step: StepPath,
    named: Object,
    /// The rounds of loops around the step, outermost first.
    rounds: Vec<Round>,
}

impl Context {
    pub fn new(roots: Roots) -> Self {
        Self {
            trigger: roots.trigger,
            body: OnceLock::new(),
            whole_trigger: OnceLock::new(),
            raw: OnceLock::new(),
            steps: Json::Object(Object::new()),
            run: roots.run,
            run_value: OnceLock::new(),
            vars: roots.vars,
            now: roots.now,
            language: roots.language,
            step: StepPath(String::new()),
            named: Object::new(),
            rounds: Vec::new(),
        }
    }

    /// What the expressions of a document see that isn't a workflow, such as a connector's manifest: values by their names, and
    /// `now`. `seed` is what `uuid()` and `random()` follow from. For templates of [`super::Template::compile_named`].
    pub fn named(roots: Object, seed: Uuid, now: DateTime<Utc>) -> Self {
        let run = RunInfo { id: RunId(Uuid::nil()), key: seed, started_at: now };
        Self {
            named: roots,
            ..Self::new(Roots { trigger: Json::Null.into(), run, now, vars: Vars::default(), language: "en".to_owned() })
        }
    }

    /// Gives a named root another value.
    pub fn set_named(&mut self, name: &str, value: Json) {
        self.named.insert(name.to_owned(), value);
    }

    /// Changes what `now` means.
    pub fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    /// Takes a named root's value out.
    pub fn take_named(&mut self, name: &str) -> Option<Json> {
        self.named.swap_remove(name)
    }

    pub(super) fn named_root(&self, name: &str) -> Option<&Json> {
        self.named.get(name)
    }

    /// Puts a step's output under `steps.<id>`, whatever line it is on. A step that was skipped has none.
    pub fn set_step(&mut self, step: &StepPath, output: Json) {
        self.put(step.id(), Some(output));
    }

    /// Changes what stands under `steps.<id>`, and says what stood there.
    pub fn put(&mut self, id: &str, output: Option<Json>) -> Option<Json> {
        let Json::Object(steps) = &mut self.steps else { return None };
        match output {
            Some(output) => match steps.get_mut(id) {
                Some(place) => Some(std::mem::replace(place, output)),
                None => steps.insert(id.to_owned(), output),
            },
            None => steps.shift_remove(id),
        }
    }

    /// Says in which rounds of loops the step stands, outermost first.
    pub fn set_rounds(&mut self, rounds: Vec<Round>) {
        self.rounds = rounds;
    }

    /// What the innermost round of a for-each is for.
    pub(super) fn item(&self) -> Option<&Json> {
        let round = self.rounds.iter().rev().find(|round| round.list.is_some())?;
        round.list.as_ref()?.get(usize::try_from(round.index).ok()?)
    }

    /// The number of the innermost round.
    pub(super) fn index(&self) -> Option<u32> {
        self.rounds.last().map(|round| round.index)
    }

    /// Moves to a step: `now` becomes `last`, the time of the last committed record, and `uuid()` and `random()` follow the path.
    pub fn at(&mut self, step: &StepPath, last: DateTime<Utc>) -> &mut Self {
        self.step.clone_from(step);
        self.now = last;
        self
    }

    /// The time of the last committed record: what `now` means.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub fn run(&self) -> &RunInfo {
        &self.run
    }

    /// The output of a step, if it has one.
    pub fn step(&self, step: &StepPath) -> Option<&Json> {
        self.steps.get(step.id())
    }

    /// Was the trigger's body parsed? Only for tests of laziness and for measurements.
    #[cfg(test)]
    pub(super) fn body_was_read(&self) -> bool {
        self.body.get().is_some() || self.whole_trigger.get().is_some()
    }

    pub(super) fn language(&self) -> &str {
        &self.language
    }

    pub(super) fn steps(&self) -> &Json {
        &self.steps
    }

    pub(super) fn vars(&self) -> &Json {
        &self.vars.0
    }

    pub(super) fn run_value(&self) -> &Json {
        self.run_value
            .get_or_init(|| json!({ "id": self.run.id, "key": self.run.key, "started": moment::write(self.run.started_at) }))
    }

    pub(super) fn now_text(&self) -> String {
        moment::write(self.now)
    }

    /// One field of the trigger, without parsing the body for any other.
    pub(super) fn trigger_field(&self, name: &str) -> Option<&Json> {
        let event = match &self.trigger {
            TriggerData::Value(value) => return value.get(name),
            TriggerData::Event(event) => event,
        };
        match name {
            "body" => match &event.head.parsed {
                Some(parsed) => Some(parsed),
                None => Some(self.body.get_or_init(|| crate::json::body(event.head.content_type.as_deref(), &event.body))),
            },
            "raw" => {
                let text = std::str::from_utf8(&event.body).ok().filter(|text| !text.is_empty())?;
                Some(self.raw.get_or_init(|| text.into()))
            }
            name => event.head.meta.get(name),
        }
    }

    pub(super) fn trigger(&self) -> &Json {
        match &self.trigger {
            TriggerData::Value(value) => value,
            TriggerData::Event(event) => self.whole_trigger.get_or_init(|| event.to_value()),
        }
    }

    /// A number that is the same whenever this place of this step of this run is evaluated.
    pub(super) fn seed(&self, place: &str, at: usize) -> Uuid {
        Uuid::new_v5(&self.run.key, format!("{}\n{place}\n{at}", self.step.0).as_bytes())
    }
}
