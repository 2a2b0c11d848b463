//! `code.javascript`: the body of a function in JavaScript, over named values, that returns what later steps see. docs/code-step.md is
//! its page.

use crate::sdk::{
    Action, Call, Output,
    code::Script,
    form::{Change, field},
    value,
};
use futures_util::future::BoxFuture;
use serde_json::json;
use std::time::Duration;
use towpath_engine::{
    Json, Object,
    catalogue::{Category, Effect, EffectRule, FieldKind, Operation, Role},
    error::StepError,
    workflow::Span,
};

/// How long code may take where its step says nothing else.
const LIMIT: Duration = Duration::from_secs(10);

pub fn operation() -> Operation {
    Operation {
        name: "code.javascript".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "JavaScript".into(),
        sentence: "Work on data with code of your own".into(),
        keywords: ["code", "javascript", "js", "script", "function", "program", "transform", "calculate", "custom", "node"]
            .map(Into::into)
            .to_vec(),
        icon: "code".into(),
        category: Category::Data,
        inputs: vec![
            field("input", "Input", FieldKind::Pairs)
                .help("What the code works on, a name and a value each. The code finds them as input.name."),
            field("code", "Code", FieldKind::Code)
                .help("JavaScript. What it returns is there for later steps; console.log writes to the run's log.")
                .placeholder("return { total: input.price * input.count };")
                .required()
                .literal(),
            field("limit", "Time limit", FieldKind::Span)
                .help("Code that takes longer is stopped. It also ends with the time that the step as a whole may take.")
                .default(json!("10s"))
                .advanced()
                .literal(),
        ],
        // It changes nothing outside, and may give something else the next time: what it gave is kept before anything follows from it.
        effect: Some(EffectRule::Always(Effect::Read)),
        sample: json!({ "total": 249.5 }),
        help: "Runs JavaScript of yours over the values that you hand to it. The code runs by itself, without network, files or secrets, \
               within a time and a memory limit; to call a service, use the step made for it."
            .into(),
    }
}

/// The action behind `code.javascript`.
pub struct JavaScript;

impl Action for JavaScript {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>> {
        Box::pin(async move {
            let asked = Asked::read(call.input)?;
            let script =
                Script { code: &asked.code, input: &asked.input, limit: asked.limit, deadline: call.deadline, trace: call.trace };
            Ok(Output { value: call.doors.code.run(script).await? })
        })
    }

    fn preview(&self, input: &Object) -> Result<Json, StepError> {
        let asked = Asked::read(input)?;
        Ok(json!({ "code": asked.code, "input": asked.input, "limit": Span(asked.limit) }))
    }
}

struct Asked {
    code: String,
    input: Object,
    limit: Duration,
}

impl Asked {
    fn read(input: &Object) -> Result<Self, StepError> {
        let given = match input.get("input") {
            None | Some(Json::Null) => Object::new(),
            Some(Json::Object(given)) => given.clone(),
            Some(_) => {
                return Err(
                    StepError::invalid_input("The code's input takes names and values; it got something else.").field("input")
                );
            }
        };
        let limit = match input.get("limit") {
            None | Some(Json::Null) => LIMIT,
            Some(limit) => {
                let span = value::text(limit).parse::<Span>().map_err(|why| StepError::invalid_input(why).field("limit"))?;
                if span.0.is_zero() {
                    return Err(StepError::invalid_input("The code needs some time: give it at least 1s.").field("limit"));
                }
                span.0
            }
        };
        Ok(Self { code: value::text_field(input, "code"), input: given, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: Json) -> Result<Asked, StepError> {
        Asked::read(input.as_object().unwrap())
    }

    #[test]
    fn without_a_limit_code_has_ten_seconds_and_without_input_an_empty_one() {
        let asked = read(json!({ "code": "return 1" })).unwrap();
        assert_eq!((asked.limit, asked.input.len()), (LIMIT, 0));
        let asked = read(json!({ "code": "", "limit": "2m", "input": { "a": [1] } })).unwrap();
        assert_eq!((asked.limit, &asked.input["a"]), (Duration::from_secs(120), &json!([1])));
        assert_eq!(operation().field("limit").unwrap().default, Some(json!(Span(LIMIT))));
    }

    #[test]
    fn what_code_gave_is_on_disk_before_a_change_outside_follows_from_it() {
        use towpath_engine::{
            plan::Plan,
            record::{Record, Trace},
            workflow::StepPath,
        };
        let document = json!({ "towpath": 1, "name": "x", "trigger": { "use": "webhook" }, "steps": [
            { "id": "pick", "use": "code.javascript", "input": { "code": "return `{{ ${Math.random()} }}`" } },
            { "id": "put", "use": "http.request", "input": { "method": "PUT", "url": "https://x.example/{{ steps.pick }}" } }] });
        let plan = Plan::new(1, serde_json::from_value(document).unwrap(), &crate::registry::Registry::built_in()).unwrap();
        let picked = Record::Succeeded { step: StepPath("pick".into()), attempt: 1, output: json!("a"), trace: Trace::default() };
        assert!(plan.commits_before(Some(Effect::Idempotent), [&picked]));
        assert_eq!(
            plan.effect_of(&StepPath("pick".into()), &json!({})),
            Some(Effect::Read),
            "doing it again changes nothing outside"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_beside_its_field() {
        for (input, field) in [
            (json!({ "code": "", "limit": "soon" }), "limit"),
            (json!({ "code": "", "limit": "0s" }), "limit"),
            (json!({ "code": "", "input": [1] }), "input"),
        ] {
            assert_eq!(read(input).err().unwrap().field.as_deref(), Some(field));
        }
    }
}
