//! Runs rehearsed without a server: a catalogue, a shell that follows the planner's contract to the letter, and a world that
//! answers as the test says. For tests only.

pub mod random;

use crate::{
    Json,
    catalogue::{Catalogue, Category, Effect, EffectRule, Field, FieldKind, Operation, Role},
    error::{ErrorKind, StepError},
    ids::RunId,
    lines::LinesStep,
    plan::{CALL, Kind, Plan, PlannedStep},
    planner::{Command, next},
    record::{Decision, End, EndState, LineEnd, Record, SkipReason, Trace, WaitOn, WokenBy},
    state::RunState,
    workflow::{LinePath, StepPath, Workflow},
};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;

pub struct Operations(Vec<Operation>);

impl Operations {
    /// Makes an operation other than it is.
    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut Operation)) {
        if let Some(operation) = self.0.iter_mut().find(|operation| operation.name == name) {
            change(operation);
        }
    }
}

impl Catalogue for Operations {
    fn operation(&self, name: &str) -> Option<&Operation> {
        self.0.iter().find(|operation| operation.name == name)
    }
    fn operations(&self) -> Box<dyn Iterator<Item = &Operation> + '_> {
        Box::new(self.0.iter())
    }
}

fn field(name: &str, kind: FieldKind) -> Field {
    let title = name.replace('_', " ");
    let (help, placeholder) = (String::new(), String::new());
    Field {
        name: name.into(),
        title,
        help,
        kind,
        required: false,
        advanced: false,
        default: None,
        placeholder,
        show_if: None,
        expressions: true,
        pick: None,
        each: None,
    }
}

fn required(name: &str, kind: FieldKind) -> Field {
    Field { required: true, ..field(name, kind) }
}

fn choice(name: &str, values: &[&str]) -> Field {
    let options = values.iter().map(|value| crate::catalogue::Choice { value: json!(value), title: (*value).into() }).collect();
    Field { default: Some(json!(values[0])), expressions: false, ..field(name, FieldKind::Choice { options }) }
}

fn shown_if(field: Field, other: &str, value: &str) -> Field {
    Field { show_if: Some(crate::catalogue::ShowIf { field: other.into(), is: vec![json!(value)] }), ..field }
}

/// The operations of the first slice, with as much of their forms as the tests need.
pub fn operations() -> Operations {
    use FieldKind as Is;
    let operation = |name: &str, role, sentence: &str, effect, inputs: Vec<Field>| Operation {
        name: name.into(),
        role,
        connector: String::new(),
        connection: None,
        title: name.replace('.', " "),
        sentence: sentence.into(),
        keywords: vec![],
        icon: "box".into(),
        category: Category::Flow,
        inputs,
        effect,
        sample: Json::Null,
        help: String::new(),
    };
    let step = |name, sentence, inputs| operation(name, Role::Action, sentence, None, inputs);
    let by_method = EffectRule::ByMethod { method: "method".into(), keyed: "keyed".into() };
    let http = vec![
        Field { required: true, ..choice("method", &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) },
        required("url", Is::Text),
        choice("body_kind", &["none", "json"]),
        shown_if(required("json", Is::Json), "body_kind", "json"),
        Field { expressions: false, ..field("keyed", Is::Boolean) },
        field("limit", Is::Number),
    ];
    Operations(vec![
        operation(
            "webhook",
            Role::Trigger,
            "When a request arrives at a URL",
            None,
            vec![choice("respond", &["at_once", "when_done"]), Field { expressions: false, ..field("methods", Is::Lines) }],
        ),
        operation(
            "form",
            Role::Trigger,
            "When somebody submits a form",
            None,
            vec![Field { expressions: false, ..required("fields", Is::FormFields) }],
        ),
        operation("manual", Role::Trigger, "When somebody starts it by hand", None, vec![field("inputs", Is::Inputs)]),
        operation(CALL, Role::Action, "Call another workflow", Some(EffectRule::Always(Effect::Keyed)), vec![]),
        operation("http.request", Role::Action, "Call a web address", Some(by_method), http),
        operation(
            "email.send",
            Role::Action,
            "Send an e-mail",
            Some(EffectRule::Always(Effect::Unsafe)),
            vec![required("to", Is::Emails), field("subject", Is::Text), field("attachments", Is::Files)],
        ),
        step("set", "Work out values for later steps", vec![required("fields", Is::Pairs)]),
        step("filter", "Go on only if a condition holds", vec![]),
        step("branch", "Do different things depending on a condition", vec![]),
        step(
            "delay",
            "Wait before going on",
            vec![
                choice("mode", &["for", "until"]),
                shown_if(required("for", Is::Span), "mode", "for"),
                shown_if(required("until", Is::DateTime), "mode", "until"),
            ],
        ),
        step("stop", "End the run", vec![choice("outcome", &["succeeded", "failed"]), field("reason", Is::Text)]),
        step(
            "for_each",
            "Do steps for each item of a list",
            vec![
                required("list", Is::Text),
                Field { expressions: false, ..field("at_once", Is::Number) },
                choice("on_failed", &["stop", "go_on"]),
                field("result", Is::Text),
            ],
        ),
        step(
            "parallel",
            "Do several things at the same time",
            vec![choice("join", &["all", "first", "some"]), Field { expressions: false, ..field("needed", Is::Number) }],
        ),
        step("repeat", "Do steps again while a condition holds", vec![Field { expressions: false, ..field("most", Is::Number) }]),
        step("respond", "Answer the caller", vec![field("status", Is::Number), field("json", Is::Json)]),
    ])
}

/// A workflow of these steps, written as YAML.
pub fn workflow(steps: &str) -> Workflow {
    let text = format!("towpath: 1\nname: Test\ntrigger: {{ use: webhook }}\nsteps:\n{steps}");
    Workflow::from_yaml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub fn plan(steps: &str) -> Plan {
    Plan::new(1, workflow(steps), &operations()).unwrap_or_else(|error| panic!("{error}"))
}

pub fn path(id: &str) -> StepPath {
    StepPath(id.into())
}

pub fn a_moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a second in range")
}

/// What an attempt comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done(Json),
    Fails(ErrorKind),
    /// The process dies while the attempt is acting.
    Crash,
    /// Somebody cancels while the attempt is acting.
    Cancel,
}

/// What surrounds a run: it says how attempts go and what people decide.
pub trait World {
    fn outcome(&mut self, step: &PlannedStep, attempt: u16) -> Outcome;
    fn decide(&mut self, step: &StepPath) -> Decision;

    /// How many items the list of a for-each has.
    fn items(&mut self, _step: &PlannedStep) -> u32 {
        2
    }

    /// Does a repeat go on for another round?
    fn again(&mut self, _line: &LinePath) -> bool {
        false
    }

    /// Which of so many calls comes to its end next.
    fn pick(&mut self, _calls: usize) -> usize {
        0
    }
}

/// A run on the bench.
pub struct Shell<'a> {
    pub plan: &'a Plan,
    pub state: RunState,
    pub history: Vec<Record>,
    /// Attempts that acted outside, in order, with their effect.
    pub acted: Vec<(StepPath, u16, Option<Effect>)>,
    /// Calls under way.
    calls: Vec<(StepPath, u16, Option<Effect>)>,
    pub asked: usize,
    /// The most calls that were under way at once.
    pub at_once: usize,
}

impl<'a> Shell<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self::resumed(plan, Vec::new())
    }

    /// A process that finds this history.
    pub fn resumed(plan: &'a Plan, history: Vec<Record>) -> Self {
        let run = RunId(uuid::Uuid::from_u128(7));
        let state = RunState::fold(run, &history);
        Self { plan, state, history, acted: Vec::new(), calls: Vec::new(), asked: 0, at_once: 0 }
    }

    pub fn record(&mut self, record: Record) {
        self.state.apply(&record);
        self.history.push(record);
        let state = &self.state;
        self.calls.retain(|(step, attempt, _)| state.is_under_way(step, *attempt));
        self.check_limits();
    }

    /// No step has more lines than it may have at once.
    fn check_limits(&self) {
        for (_, line) in self.state.inner_lines().chain([(&LinePath::RUN, self.state.own_line())]) {
            let Some((path, found)) = line.at() else { continue };
            let (Some(lines), Some(Kind::Lines(kind))) = (&found.lines, self.plan.step(path).map(|step| &step.kind)) else {
                continue;
            };
            assert!(lines.live().count() <= kind.at_once() as usize, "{path} has too many lines at once");
        }
    }

    pub fn end(&self) -> Option<&End> {
        self.state.end()
    }

    /// The ids of the steps with a `Succeeded`, in order.
    pub fn done(&self) -> Vec<&str> {
        self.history
            .iter()
            .filter_map(|record| match record {
                Record::Succeeded { step, .. } => Some(step.0.as_str()),
                _ => None,
            })
            .collect()
    }

    pub fn skipped(&self) -> Vec<(&str, SkipReason)> {
        self.history
            .iter()
            .filter_map(|record| match record {
                Record::Skipped { step, reason } => Some((step.0.as_str(), *reason)),
                _ => None,
            })
            .collect()
    }

    /// Carries out whatever the planner says, until the run ends.
    pub fn run(&mut self, world: &mut impl World) -> &mut Self {
        for _ in 0..50_000 {
            let commands = next(self.plan, &self.state);
            self.asked += 1;
            if self.end().is_some() {
                assert_eq!(commands, [], "a finished run yields nothing");
                return self;
            }
            if commands.is_empty() {
                match self.calls.len() {
                    0 => self.news(world),
                    calls => self.come_to_an_end(world.pick(calls) % calls, world),
                }
                continue;
            }
            for command in commands {
                match (command.record(), command) {
                    (Some(record), _) => self.record(record),
                    (None, Command::CloseLine { line, end }) => self.close(line, end, world),
                    (None, command) => self.start(command, world),
                }
            }
            self.at_once = self.at_once.max(self.calls.len());
            for command in next(self.plan, &self.state) {
                let Command::Start { step, attempt, after: None } = command else { continue };
                assert!(!self.calls.iter().any(|(path, number, _)| (path, *number) == (&step, attempt)), "{step} is under way");
            }
        }
        panic!("the run doesn't end: {:?}", self.history.iter().rev().take(5).collect::<Vec<_>>());
    }

    /// Time passes, or a person decides.
    fn news(&mut self, world: &mut impl World) {
        let (step, attempt, on) = self.state.waits().next().expect("a run with nothing to do waits for something");
        let (step, on) = (step.clone(), on.clone());
        self.record(match on {
            WaitOn::Decision => {
                let decision = world.decide(&step);
                Record::Decided { step, attempt, by: "ada".into(), decision }
            }
            WaitOn::Timer { .. } | WaitOn::Retry { .. } => Record::Woken { step, attempt, by: WokenBy::Time },
            WaitOn::Run { .. } => Record::Succeeded { step, attempt, output: json!({ "answer": null }), trace: Trace::default() },
            WaitOn::Connection { .. } => Record::Woken { step, attempt, by: WokenBy::Connection },
        });
    }

    /// A line came to its end.
    fn close(&mut self, line: LinePath, end: LineEnd, world: &mut impl World) {
        let opener = line.opener().and_then(|(step, _)| self.plan.step(&step)).expect("a step opened the line");
        let result = match &opener.kind {
            Kind::Lines(LinesStep::Each(_)) if end == LineEnd::Done => Some(json!(line.0)),
            Kind::Lines(LinesStep::Repeat { .. }) => Some(json!(world.again(&line))),
            _ => None,
        };
        self.record(Record::LineEnded { line, end, result });
    }

    fn start(&mut self, command: Command, world: &mut impl World) {
        let Command::Start { step, attempt, after } = command.clone() else { panic!("{command:?} has a record") };
        if after.is_some() {
            return self.record(Record::Waiting { step, attempt: attempt - 1, on: WaitOn::Retry { until: a_moment() } });
        }
        self.state.issued(&command);
        let planned = self.plan.step(&step).expect("only steps of the plan are started");
        let effect = match &planned.kind {
            Kind::Action(_) => {
                planned.effect_of(&Json::Object(self.plan.workflow.step(&planned.id).expect("is there").input.clone()))
            }
            Kind::Pure(_) | Kind::Delay(_) | Kind::Lines(_) => None,
        };
        if effect.is_some() {
            // After a crash the attempt may be in the history already.
            let started = self.state.step(&step).is_some_and(|found| found.attempt == attempt);
            self.calls.push((step.clone(), attempt, effect));
            if !started {
                self.record(Record::Started { step: step.clone(), attempt, effect });
            }
            self.acted.push((step, attempt, effect));
            return;
        }
        self.calls.push((step, attempt, effect));
        self.come_to_an_end(self.calls.len() - 1, world);
    }

    /// A call is answered, or whatever else becomes of it.
    fn come_to_an_end(&mut self, call: usize, world: &mut impl World) {
        let (step, attempt, effect) = self.calls[call].clone();
        let planned = self.plan.step(&step).expect("only steps of the plan are started");
        match world.outcome(planned, attempt) {
            Outcome::Crash => {
                self.calls.clear();
                self.state = RunState::fold(self.state.run(), &self.history);
            }
            // What is evaluated on the spot can't be cut off; it is worked out again.
            // Another line may have been cancelled in the same breath.
            Outcome::Cancel => {
                if !self.state.cancel_requested() {
                    self.record(Record::CancelRequested { by: "ada".into() });
                }
            }
            Outcome::Fails(kind) => {
                let error = StepError::new(kind, "It failed.");
                self.record(Record::failure(step, attempt, error, effect, Trace::default()));
            }
            Outcome::Done(_) if matches!(planned.kind, Kind::Delay(_)) => {
                self.record(Record::Waiting { step, attempt, on: WaitOn::Timer { until: a_moment() } });
            }
            Outcome::Done(_) if let Kind::Lines(kind) = &planned.kind => {
                let lines = match kind {
                    LinesStep::Each(_) => world.items(planned),
                    LinesStep::Parallel { lanes, .. } => *lanes,
                    LinesStep::Repeat { most, .. } => *most,
                };
                self.record(Record::Opened { step, attempt, kind: kind.kind(), lines });
            }
            Outcome::Done(_) if planned.is_call() => {
                self.record(Record::Waiting { step, attempt, on: WaitOn::Run { run: RunId(uuid::Uuid::from_u128(8)) } });
            }
            Outcome::Done(output) => self.record(Record::Succeeded { step, attempt, output, trace: Trace::default() }),
        }
    }
}

/// A world that follows a script: the outcomes of each step, one per attempt. What isn't in it goes well.
#[derive(Default)]
pub struct Script {
    outcomes: HashMap<String, Vec<Outcome>>,
    decisions: Vec<Decision>,
    items: u32,
    again: u32,
    picks: Vec<usize>,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn on(mut self, step: &str, outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut outcomes: Vec<_> = outcomes.into_iter().collect();
        outcomes.reverse();
        self.outcomes.insert(step.into(), outcomes);
        self
    }

    pub fn done(self, step: &str, output: Json) -> Self {
        self.on(step, [Outcome::Done(output)])
    }

    /// Every list has so many items.
    pub fn items(mut self, items: u32) -> Self {
        self.items = items;
        self
    }

    /// Repeats go on so many times.
    pub fn again(mut self, again: u32) -> Self {
        self.again = again;
        self
    }

    /// Which of the calls under way come to their ends, one after the other; after these the oldest.
    pub fn picks(mut self, picks: impl IntoIterator<Item = usize>) -> Self {
        self.picks = picks.into_iter().collect();
        self.picks.reverse();
        self
    }

    pub fn decided(mut self, decisions: impl IntoIterator<Item = Decision>) -> Self {
        self.decisions = decisions.into_iter().collect();
        self.decisions.reverse();
        self
    }
}

/// What a step of the engine's own says when nothing else is wanted: filters pass, branches take their first case.
pub fn goes_well(step: &PlannedStep) -> Outcome {
    Outcome::Done(match step.operation.as_str() {
        "filter" => json!({ "passed": true }),
        "branch" => json!({ "case": 0 }),
        "stop" => json!({ "outcome": "succeeded", "reason": null }),
        _ => json!({}),
    })
}

impl World for Script {
    fn outcome(&mut self, step: &PlannedStep, _attempt: u16) -> Outcome {
        self.outcomes.get_mut(&step.id.0).and_then(Vec::pop).unwrap_or_else(|| goes_well(step))
    }
    fn decide(&mut self, _step: &StepPath) -> Decision {
        self.decisions.pop().expect("the script has a decision for every question")
    }
    fn items(&mut self, _step: &PlannedStep) -> u32 {
        self.items
    }
    fn again(&mut self, _line: &LinePath) -> bool {
        self.again = self.again.wrapping_sub(1);
        self.again < u32::MAX / 2
    }
    fn pick(&mut self, _calls: usize) -> usize {
        self.picks.pop().unwrap_or(0)
    }
}

pub fn succeeded(reason: Option<&str>) -> End {
    End { state: EndState::Succeeded, reason: reason.map(Into::into), error: None }
}
