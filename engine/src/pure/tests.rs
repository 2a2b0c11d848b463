//! The engine's own steps, by table.

use super::*;
use crate::{
    expr::tests::{context, moment as at},
    record::AnswerBody,
};
use serde_json::json;

/// Compiles the step of a document and evaluates it over an order.
fn run(step: Json) -> Result<Outcome, StepError> {
    let step: Step = serde_json::from_value(step).unwrap();
    let context = context(json!({ "total": 120, "name": "Ada", "wait": "5m", "evil": "a\r\nSet-Cookie: x=1" }));
    PureStep::compile(&step)?.unwrap().evaluate(&context)
}

fn input(operation: &str, input: Json) -> Result<Outcome, StepError> {
    run(json!({ "id": "it", "use": operation, "input": input }))
}

fn complaint(result: Result<Outcome, StepError>) -> (String, String) {
    let error = result.unwrap_err();
    (error.field.unwrap_or_default(), error.message)
}

fn said(field: &str, message: &str) -> (String, String) {
    (field.to_owned(), message.to_owned())
}

#[test]
fn set_yields_its_fields() {
    let done = input(
        "set",
        json!({ "fields": { "a": "{{ trigger.body.total * 2 }}", "b": ["x {{ trigger.body.name }}"], "gone": "{{ trigger.body.x }}" } }),
    );
    assert_eq!(done, Ok(Outcome::Done { output: json!({ "a": 240, "b": ["x Ada"] }) }));
    assert!(input("set", json!({ "fields": "{{ trigger.body }}" })).is_ok());
    assert_eq!(complaint(input("set", json!({}))), said("fields", "The list of fields is missing."));
    assert_eq!(complaint(input("set", json!({ "fields": "{{ 1 }}" }))), said("fields", "Set needs names and values, not 1."));
    let (field, message) = complaint(input("set", json!({ "fields": { "a": "{{ trigger.body.totl }} EUR" } })));
    assert_eq!(field, "fields.a");
    assert!(
        message
            .starts_with("{{ trigger.body.totl }}: There is no field \"totl\" in trigger.body; it has total, name, wait, evil."),
        "{message}"
    );
}

#[test]
fn filter_and_branch_say_where_the_run_goes() {
    let is = |value: &str, to: Json| json!({ "value": value, "is": "greater_than", "to": to });
    let filter = |to: Json| run(json!({ "id": "it", "use": "filter", "if": { "all": [is("{{ trigger.body.total }}", to)] } }));
    assert_eq!(filter(json!(100)), Ok(Outcome::Done { output: json!({ "passed": true }) }));
    assert_eq!(filter(json!(120)), Ok(Outcome::Done { output: json!({ "passed": false }) }));
    assert_eq!(complaint(filter(json!("x"))), said("if.all[0].to", "Text can't be read as a number. It saw \"x\"."));
    assert_eq!(complaint(run(json!({ "id": "it", "use": "filter" }))), said("if", "The filter has no condition."));

    let branch = |first: Json, second: Json| {
        let case = |title: &str, to: Json| json!({ "title": title, "if": is("{{ trigger.body.total }}", to), "steps": [] });
        run(json!({ "id": "it", "use": "branch", "cases": [case("one", first), case("two", second)] }))
    };
    assert_eq!(branch(json!(1), json!(1)), Ok(Outcome::Done { output: json!({ "case": 0, "title": "one" }) }));
    assert_eq!(branch(json!(200), json!(1)), Ok(Outcome::Done { output: json!({ "case": 1, "title": "two" }) }));
    assert_eq!(branch(json!(200), json!(200)), Ok(Outcome::Done { output: json!({ "case": null, "title": "otherwise" }) }));
    assert_eq!(complaint(branch(json!(200), json!("x"))).0, "cases[1].if.to");
    assert!(branch(json!(1), json!("x")).is_ok(), "a case after the one that holds is not looked at");
}

#[test]
fn delay_says_until_when() {
    // The last record is of 10:25:00.5.
    for (fields, until) in [
        (json!({ "for": "10m" }), "2026-11-20T10:35:00.500Z"),
        (json!({ "mode": "for", "for": "{{ trigger.body.wait }}" }), "2026-11-20T10:30:00.500Z"),
        (json!({ "mode": "until", "until": "2026-11-21 08:00" }), "2026-11-21T08:00:00.000Z"),
        (json!({ "until": "{{ now | add(1, 'days') }}" }), "2026-11-21T10:25:00.500Z"),
        (json!({ "mode": "until", "until": "2020-01-01" }), "2020-01-01T00:00:00.000Z"),
    ] {
        let wait = Outcome::Wait { until: at(until), output: json!({ "until": until }) };
        assert_eq!(input("delay", fields.clone()), Ok(wait), "{fields}");
    }
    for (fields, field, message) in [
        (json!({}), "for", "How long to wait is missing."),
        (
            json!({ "for": "soon" }),
            "for",
            "\"soon\" is not a length of time; write a number and a unit, such as 30s, 5m, 2h or 3d.",
        ),
        (json!({ "for": 5 }), "for", "A length of time such as 30s, 5m, 2h or 3d is needed, not 5."),
        (
            json!({ "for": "{{ trigger.body.x }}" }),
            "for",
            "A length of time such as 30s, 5m, 2h or 3d is needed, not a value that is missing.",
        ),
        (json!({ "for": "400d" }), "for", "400d is too long; a delay lasts at most a year."),
        (
            json!({ "mode": "until", "until": "2036-01-01" }),
            "until",
            "2036-01-01T00:00:00.000Z is more than a year away; a delay lasts at most a year.",
        ),
        (
            json!({ "mode": "until", "until": "tomorrow" }),
            "until",
            "A date and time such as 2026-11-20, 2026-11-20 10:25 or 2026-11-20T10:25:00+01:00 is needed, not \"tomorrow\".",
        ),
        (json!({ "mode": "never" }), "mode", "\"never\" is not a choice here; it is for or until."),
    ] {
        assert_eq!(complaint(input("delay", fields.clone())), said(field, message), "{fields}");
    }
}

#[test]
fn stop_ends_the_run_in_the_state_it_names() {
    let stop = |state, reason: Option<&str>| Ok(Outcome::Stop { state, reason: reason.map(str::to_owned) });
    assert_eq!(input("stop", json!({})), stop(EndState::Succeeded, None));
    assert_eq!(input("stop", json!({ "outcome": "succeeded", "reason": " " })), stop(EndState::Succeeded, None));
    assert_eq!(
        input("stop", json!({ "outcome": "failed", "reason": "No order for {{ trigger.body.name }}" })),
        stop(EndState::Failed, Some("No order for Ada"))
    );
    assert_eq!(
        complaint(input("stop", json!({ "outcome": "maybe" }))),
        said("outcome", "The outcome is succeeded or failed, not \"maybe\".")
    );
}

#[test]
fn respond_gives_the_answer() {
    let answer = |fields: Json| match input("respond", fields).unwrap() {
        Outcome::Answered { answer, output } => {
            assert_eq!(output, json!({ "status": answer.status }));
            (answer.status, answer.headers, answer.body)
        }
        other => panic!("{other:?}"),
    };
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for (fields, status, headers, body) in [
        (json!({}), 200, vec![], AnswerBody::Json(json!(null))),
        (
            json!({ "status": "{{ 201 }}", "json": { "id": "{{ trigger.body.total }}" }, "headers": { "X-Name": "{{ trigger.body.name }}", "Link": ["a", "b"] } }),
            201,
            vec![header("X-Name", "Ada"), header("Link", "a"), header("Link", "b")],
            AnswerBody::Json(json!({ "id": 120 })),
        ),
        (
            json!({ "kind": "text", "text": "Hi {{ trigger.body.name }}", "status": "404" }),
            404,
            vec![],
            AnswerBody::Text("Hi Ada".into()),
        ),
        (json!({ "kind": "html", "html": "<b>{{ trigger.body.name }}</b>" }), 200, vec![], AnswerBody::Html("<b>Ada</b>".into())),
        (json!({ "kind": "empty", "json": "{{ broken", "status": 204.0 }), 204, vec![], AnswerBody::Empty),
        (json!({ "status": 204 }), 204, vec![], AnswerBody::Empty),
    ] {
        assert_eq!(answer(fields.clone()), (status, headers, body), "{fields}");
    }
}

#[test]
fn respond_refuses_what_would_reach_beyond_the_workflow() {
    for name in [
        "Set-Cookie",
        "set-cookie",
        "Content-Security-Policy",
        "Strict-Transport-Security",
        "CLEAR-SITE-DATA",
        "Service-Worker-Allowed",
        "Content-Length",
        "X-Content-Type-Options",
    ] {
        let (field, message) = complaint(input("respond", json!({ "headers": { name: "x" } })));
        assert_eq!(field, format!("headers.{name}"));
        assert_eq!(message, format!("An answer can't set the header {name}: it would reach beyond this workflow."));
    }
    let (_, message) = complaint(input("respond", json!({ "headers": { "Access-Control-Allow-Origin": "*" } })));
    assert!(message.ends_with("the trigger's setting for pages of other sites does that."), "{message}");
    for (fields, field, message) in [
        (
            json!({ "headers": { "a b": "x" } }),
            "headers.a b",
            "\"a b\" is not a header's name: letters, digits and hyphens only.",
        ),
        (json!({ "headers": { "": "x" } }), "headers.", "\"\" is not a header's name: letters, digits and hyphens only."),
        (
            json!({ "headers": { "X": "{{ trigger.body.evil }}" } }),
            "headers.X",
            "The value of the header X holds a line end or another control character.",
        ),
        (json!({ "headers": "{{ trigger.body.name }}" }), "headers", "Headers are names and values, not \"Ada\"."),
        (json!({ "status": 199 }), "status", "The status must be a whole number from 200 to 599, not 199."),
        (json!({ "status": 600 }), "status", "The status must be a whole number from 200 to 599, not 600."),
        (json!({ "status": 200.5 }), "status", "The status must be a whole number from 200 to 599, not 200.5."),
        (json!({ "status": "ok" }), "status", "The status must be a whole number from 200 to 599, not \"ok\"."),
        (json!({ "status": 204, "json": { "a": 1 } }), "json", "An answer with status 204 can't have a body; choose “empty”."),
        (json!({ "kind": "yaml" }), "kind", "\"yaml\" is not a choice here; it is json, text, html or empty."),
    ] {
        assert_eq!(complaint(input("respond", fields.clone())), said(field, message), "{fields}");
    }
}

#[test]
fn other_operations_are_not_the_engines_own() {
    assert!(PureStep::compile(&Step::new("it", "http.request")).unwrap().is_none());
}

#[test]
fn the_paths_of_a_step_are_known() {
    let step: Step = serde_json::from_value(json!({
        "id": "it", "use": "respond", "input": { "status": "{{ steps.a.code }}", "json": ["{{ trigger.body.x }}", "{{ steps.a.code }}"], "text": "{{ vars.unused }}" }
    }))
    .unwrap();
    assert_eq!(PureStep::compile(&step).unwrap().unwrap().paths(), ["steps.a.code", "trigger.body.x"]);
}
