//! Random workflows and random worlds, from proptest's choices, so that a failure shrinks.

use super::{Outcome, World, goes_well};
use crate::{
    condition::Conditions,
    error::ErrorKind,
    ids::ConnectionId,
    plan::{CALL, PlannedStep},
    record::Decision,
    workflow::{Case, Lane, LinePath, NamedLane, OnError, Retry, Span, Step, StepId, StepPath, Trigger, Workflow},
};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// A random workflow that runs, with everything in it.
pub fn workflows() -> impl Strategy<Value = Workflow> {
    made_of(steps(true))
}

/// A random workflow in which one thing is done after the other.
pub fn workflows_in_order() -> impl Strategy<Value = Workflow> {
    made_of(steps(false))
}

fn made_of(steps: impl Strategy<Value = Step>) -> impl Strategy<Value = Workflow> {
    prop::collection::vec(steps, 0..6).prop_map(|steps| {
        let mut workflow = Workflow { trigger: Some(Trigger::new("webhook")), ..Workflow::new("Random") };
        workflow.steps = steps;
        let mut number = 0;
        name(&mut workflow.steps, &mut number);
        workflow
    })
}

fn name(steps: &mut [Step], number: &mut usize) {
    for step in steps {
        step.id = StepId(format!("s{number}"));
        *number += 1;
        step.inner_mut().for_each(|lane| name(lane, number));
    }
}

fn steps(side_by_side: bool) -> impl Strategy<Value = Step> {
    leaf().prop_recursive(3, 24, 4, move |inner| {
        let lane = prop::collection::vec(inner.clone(), 0..4);
        let lanes = prop::collection::vec(lane.clone(), 1..4);
        let rescue = prop::option::of(prop::collection::vec(inner, 1..3));
        let kinds = if side_by_side { 0u8..4 } else { 0u8..3 };
        (kinds, lanes, prop::option::of(lane), rescue, 0u8..3, 1u32..4).prop_map(
            move |(kind, lanes, otherwise, rescue, on_error, number)| {
                let mut step = Step::new("", ["branch", "for_each", "repeat", "parallel"][usize::from(kind)]);
                let some = |steps: Vec<Step>| Some(Lane { steps }).filter(|lane| !lane.steps.is_empty());
                let mut lanes = lanes.into_iter();
                match kind {
                    0 => {
                        let case = |steps| Case { title: String::new(), condition: Conditions::All { all: vec![] }, steps };
                        step.cases = lanes.map(case).collect();
                        step.otherwise = otherwise.and_then(some);
                    }
                    1 => {
                        let at_once = if side_by_side { number } else { 1 };
                        let on_failed = if on_error == 0 { "stop" } else { "go_on" };
                        let input = json!({ "list": "{{ trigger.body }}", "at_once": at_once, "on_failed": on_failed });
                        step.input = input.as_object().cloned().unwrap_or_default();
                        step.body = lanes.next().and_then(some);
                    }
                    2 => {
                        step.condition = Some(Conditions::All { all: vec![] });
                        step.input = json!({ "most": number }).as_object().cloned().unwrap_or_default();
                        step.body = lanes.next().and_then(some);
                    }
                    _ => {
                        let lane = |steps| NamedLane { title: String::new(), steps };
                        step.lanes = lanes.map(lane).collect();
                        let needed = number.min(u32::try_from(step.lanes.len()).unwrap_or(1));
                        let input = match on_error {
                            0 => json!({ "join": "all" }),
                            1 => json!({ "join": "first" }),
                            _ => json!({ "join": "some", "needed": needed }),
                        };
                        step.input = input.as_object().cloned().unwrap_or_default();
                    }
                }
                step.on_error = [OnError::Fail, OnError::Continue, OnError::Rescue][usize::from(on_error)];
                step.rescue = rescue.and_then(some).filter(|_| step.on_error == OnError::Rescue);
                step
            },
        )
    })
}

fn leaf() -> impl Strategy<Value = Step> {
    let operation = prop_oneof![
        3 => Just(("set", json!({ "fields": { "a": 1 } }))),
        2 => Just(("http.request", json!({ "method": "GET", "url": "https://a.example" }))),
        1 => Just(("http.request", json!({ "method": "PUT", "url": "https://a.example" }))),
        3 => Just(("http.request", json!({ "method": "POST", "url": "https://a.example" }))),
        1 => Just(("http.request", json!({ "method": "POST", "url": "https://a.example", "keyed": true }))),
        2 => Just(("email.send", json!({ "to": "ada@example.com" }))),
        1 => Just(("delay", json!({ "for": "10m" }))),
        1 => Just((CALL, json!({}))),
        2 => Just(("filter", json!({}))),
        1 => Just(("stop", json!({}))),
        1 => Just(("respond", json!({ "status": 200 }))),
    ];
    (operation, 1u16..4, any::<bool>(), any::<bool>()).prop_map(|((operation, input), attempts, carry_on, connected)| {
        let mut step = Step::new("", operation);
        step.input = input.as_object().cloned().unwrap_or_default();
        step.condition = (operation == "filter").then_some(Conditions::All { all: vec![] });
        step.retry = Some(Retry { attempts, first: Span(Duration::from_secs(1)), max: Span(Duration::from_secs(60)) });
        step.connection = (connected && operation == "http.request").then(|| ConnectionId(Uuid::from_u128(7)).to_string());
        step.on_error = if carry_on { OnError::Continue } else { OnError::Fail };
        step
    })
}

/// A world that throws dice; when they are used up, all goes well.
#[derive(Clone, Debug)]
pub struct Dice {
    pub throws: Vec<u8>,
    pub crashes: bool,
    pub cancels: bool,
    pub next: usize,
}

impl Dice {
    fn throw(&mut self) -> Option<u8> {
        self.next += 1;
        self.throws.get(self.next - 1).copied()
    }
}

pub fn dice(crashes: bool, cancels: bool) -> impl Strategy<Value = Dice> {
    prop::collection::vec(any::<u8>(), 0..60).prop_map(move |throws| Dice { throws, crashes, cancels, next: 0 })
}

const KINDS: [ErrorKind; 10] = [
    ErrorKind::InvalidInput,
    ErrorKind::Unauthorized,
    ErrorKind::Forbidden,
    ErrorKind::NotFound,
    ErrorKind::Conflict,
    ErrorKind::RateLimited,
    ErrorKind::Unavailable,
    ErrorKind::Timeout,
    ErrorKind::Uncertain,
    ErrorKind::Internal,
];

impl World for Dice {
    fn outcome(&mut self, step: &PlannedStep, _attempt: u16) -> Outcome {
        match self.throw() {
            None => goes_well(step),
            Some(throw @ 0..60) => Outcome::Fails(KINDS[usize::from(throw) % KINDS.len()]),
            Some(60..75) if self.crashes => Outcome::Crash,
            Some(75..78) if self.cancels => Outcome::Cancel,
            Some(throw) => Outcome::Done(match step.operation.as_str() {
                "filter" => json!({ "passed": throw % 3 > 0 }),
                "branch" => json!({ "case": Some(throw % 5).filter(|case| *case < 4) }),
                "stop" => json!({ "outcome": if throw % 2 == 0 { "failed" } else { "succeeded" } }),
                _ => return goes_well(step),
            }),
        }
    }

    fn decide(&mut self, _step: &StepPath) -> Decision {
        match self.throw() {
            None | Some(0..100) => Decision::WentThrough { output: json!({}) },
            Some(100..220) => Decision::SendAgain,
            Some(_) => Decision::Fail,
        }
    }

    fn items(&mut self, _step: &PlannedStep) -> u32 {
        u32::from(self.throw().unwrap_or(2) % 6)
    }

    fn again(&mut self, _line: &LinePath) -> bool {
        self.throw().is_some_and(|throw| throw % 2 == 0)
    }

    fn pick(&mut self, calls: usize) -> usize {
        usize::from(self.throw().unwrap_or(0)) % calls
    }
}
