//! Random workflows and random worlds, from proptest's choices, so that a failure shrinks.

use super::{Outcome, World, goes_well};
use crate::{
    condition::Conditions,
    error::ErrorKind,
    plan::PlannedStep,
    record::Decision,
    workflow::{Case, Lane, OnError, Retry, Span, Step, StepId, StepPath, Trigger, Workflow},
};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

/// A random workflow that runs.
pub fn workflows() -> impl Strategy<Value = Workflow> {
    prop::collection::vec(steps(), 0..6).prop_map(|steps| {
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
        step.cases.iter_mut().for_each(|case| name(&mut case.steps, number));
        step.otherwise.iter_mut().for_each(|lane| name(&mut lane.steps, number));
    }
}

fn steps() -> impl Strategy<Value = Step> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        let lane = prop::collection::vec(inner, 0..4);
        let cases = prop::collection::vec(lane.clone(), 1..4);
        (cases, prop::option::of(lane), any::<bool>()).prop_map(|(cases, otherwise, carry_on)| {
            let mut step = Step::new("", "branch");
            let condition = || Conditions::All { all: vec![] };
            let case = |steps| Case { title: String::new(), condition: condition(), steps };
            step.cases = cases.into_iter().map(case).collect();
            step.otherwise = otherwise.filter(|steps| !steps.is_empty()).map(|steps| Lane { steps });
            step.on_error = if carry_on { OnError::Continue } else { OnError::Fail };
            step
        })
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
        2 => Just(("filter", json!({}))),
        1 => Just(("stop", json!({}))),
        1 => Just(("respond", json!({ "status": 200 }))),
    ];
    (operation, 1u16..4, any::<bool>()).prop_map(|((operation, input), attempts, carry_on)| {
        let mut step = Step::new("", operation);
        step.input = input.as_object().cloned().unwrap_or_default();
        step.condition = (operation == "filter").then_some(Conditions::All { all: vec![] });
        step.retry = Some(Retry { attempts, first: Span(Duration::from_secs(1)), max: Span(Duration::from_secs(60)) });
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
}
