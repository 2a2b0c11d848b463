use super::*;
use crate::rehearsal::{operations, random::workflows, workflow};
use proptest::prelude::*;
use serde_json::json;

/// The document of the format's description, with everything in it.
const EXAMPLE: &str = r#"
towpath: 1
name: New order → Slack
trigger: { id: trigger, use: webhook, input: { methods: [POST], respond: at_once } }
steps:
  - { id: total, use: set, title: Work out the total, input: { fields: { total: "{{ trigger.body.total | number }}" } } }
  - id: big
    use: branch
    cases:
      - title: over 100
        if: { all: [ { value: "{{ steps.total.total }}", is: greater_than, to: 100 } ] }
        steps:
          - id: post
            use: http.request
            connection: crm
            input: { method: POST, url: "https://crm.example/orders", json: { id: "{{ trigger.body.orderId }}" } }
            retry: { attempts: 5, first: 1s, max: 5m }
            timeout: 30s
            on_error: fail
    otherwise: { steps: [] }
  - { id: answer, use: respond, input: { status: 200, json: { ok: true } } }
"#;

#[test]
fn the_documents_example_is_read_from_yaml_and_json_as_the_same() {
    let workflow = Workflow::from_yaml(EXAMPLE).unwrap();
    assert_eq!(workflow.placed().map(|placed| placed.step.id.0.as_str()).collect::<Vec<_>>(), ["total", "big", "post", "answer"]);
    assert_eq!(workflow.step(&StepId("post".into())).unwrap().timeout, Some(Span(Duration::from_secs(30))));
    assert_eq!(workflow.steps[1].otherwise, None, "an otherwise lane without steps is none");
    assert_eq!(Workflow::from_json(&serde_json::to_string(&workflow).unwrap()).unwrap(), workflow);
    assert_eq!(Workflow::from_yaml(&workflow.to_yaml()).unwrap(), workflow);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let json = |text: &str| Workflow::from_json(text).unwrap_err();
    let wrong =
        json("{\n  \"towpath\": 1, \"name\": \"x\",\n  \"steps\": [ { \"id\": \"a\", \"use\": \"set\", \"colour\": 1 } ] }");
    assert_eq!(wrong.line, Some(3));
    assert!(
        wrong.message.starts_with("Line 3, column ") && wrong.message.contains("At steps[0].colour: unknown field `colour`"),
        "{wrong}"
    );
    assert_eq!(json("{").message, "Line 1, column 1: The document ends in the middle.");
    assert!(json("{\"towpath\":1,\"name\":\"x\"} x").message.contains("Something follows after the end"));
    assert!(json("{\"towpath\": 2, \"name\": \"x\"}").message.starts_with("This document says \"towpath: 2\""));
    let yaml = |text: &str| Workflow::from_yaml(text).unwrap_err();
    let wrong = yaml("towpath: 1\nname: x\nsteps:\n  - id: a\n    use: set\n    timeout: soon\n");
    assert_eq!(wrong.line, Some(6));
    assert!(wrong.message.contains("\"soon\" is not a length of time"), "{wrong}");
    assert!(yaml("towpath: 1\nname: x\nname: y\n").message.contains("uplicate"), "{}", yaml("towpath: 1\nname: x\nname: y\n"));
}

#[test]
fn yaml_texts_stay_texts_and_bombs_are_refused() {
    let steps = "  - { id: a, use: set, input: { fields: { a: yes, b: no, c: on, d: 1.0, e: 007, f: '1', g: null, h: true } } }";
    let fields = workflow(steps).steps[0].input["fields"].clone();
    assert_eq!(fields["a"], "yes");
    assert_eq!(fields["b"], "no");
    assert_eq!(fields["c"], "on");
    assert_eq!(fields["f"], "1");
    assert_eq!((&fields["g"], &fields["h"]), (&Json::Null, &json!(true)));
    let mut bomb = String::from("towpath: 1\nname: x\ntrigger:\n  use: webhook\n  input:\n    a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (letter, before) in "bcdefgh".chars().zip("abcdefg".chars()) {
        let list = vec![format!("*{before}"); 9].join(",");
        bomb.push_str(&format!("    {letter}: &{letter} [{list}]\n"));
    }
    assert!(Workflow::from_yaml(&bomb).is_err());
    let deep = format!("towpath: 1\nname: x\ntrigger: {{ use: w, input: {{ a: {}{} }} }}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(Workflow::from_yaml(&deep).is_err());
    let deep = format!(
        "{{\"towpath\":1,\"name\":\"x\",\"trigger\":{{\"use\":\"w\",\"input\":{{\"a\":{}{}}}}}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert!(Workflow::from_json(&deep).is_err());
    assert!(Workflow::from_json(&" ".repeat(MAX_BYTES + 1)).unwrap_err().message.contains("at most"));
}

#[test]
fn spans_are_read_and_written_as_people_write_them() {
    let read = |text: &str| text.parse::<Span>().map(|span| (span.0.as_millis(), span.to_string()));
    assert_eq!(read("500ms"), Ok((500, "500ms".into())));
    assert_eq!(read("30s"), Ok((30_000, "30s".into())));
    assert_eq!(read(" 90 s "), Ok((90_000, "90s".into())));
    assert_eq!(read("120m"), Ok((7_200_000, "2h".into())));
    assert_eq!(read("3d"), Ok((259_200_000, "3d".into())));
    assert_eq!(read("0s"), Ok((0, "0ms".into())));
    for wrong in ["", "5", "s", "-5s", "1.5h", "5 weeks", "1h30m", "99999999999999999999s", "999999999999999d", "５s"] {
        let message = read(wrong).unwrap_err();
        assert!(message.contains("is not a length of time; write a number and a unit"), "{message}");
    }
}

#[test]
fn a_workflow_is_told_in_one_sentence() {
    let told = |steps: &str| summary(&workflow(steps), &operations());
    assert_eq!(
        told(
            "  - { id: b, use: branch, cases: [ { if: { value: '{{ trigger.body.total }}', is: greater_than, to: 100 }, steps: [ { id: m, use: email.send } ] } ] }"
        ),
        "When a request arrives at a URL, if total is greater than 100, send an e-mail."
    );
    assert_eq!(
        told(
            "  - { id: f, use: filter, if: { any: [ { value: '{{ trigger.body.kind }}', is: one_of, to: [a, b] }, { value: '{{ steps.x.due_at | date }}', is: is_empty } ] } }\n  - { id: h, use: http.request, title: Create the invoice }"
        ),
        "When a request arrives at a URL, only if kind is one of “a” and “b” or due at is empty, “Create the invoice”."
    );
    assert_eq!(told("  []"), "When a request arrives at a URL, nothing happens yet.");
    assert_eq!(summary(&Workflow::new("x"), &operations()), "No trigger is chosen yet.");
    let many = (0..9).map(|n| format!("  - {{ id: s{n}, use: set }}\n")).collect::<String>();
    assert!(told(&many).ends_with("and 5 more steps."), "{}", told(&many));
}

/// The published schema, made from the types.
fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Workflow)).unwrap();
    text.push('\n');
    text
}

/// Refresh with `TOWPATH_WRITE_SCHEMA=1 cargo test -p towpath-engine --lib schema`.
#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/workflow.schema.json");
    if std::env::var_os("TOWPATH_WRITE_SCHEMA").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        published == schema(),
        "engine/schema/workflow.schema.json is out of date. Run: TOWPATH_WRITE_SCHEMA=1 cargo test -p towpath-engine --lib schema"
    );
}

#[test]
fn the_schema_describes_what_it_asks_for() {
    let schema = serde_json::to_value(schemars::schema_for!(Workflow)).unwrap();
    assert_eq!(schema["additionalProperties"], json!(false));
    for name in ["Step", "Trigger", "Case", "Retry", "Span", "StepId", "Conditions", "OnError"] {
        let described = schema["$defs"][name]["description"].as_str().is_some_and(|text| text.len() > 10);
        assert!(described, "{name} has no description: {}", schema["$defs"][name]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_workflow_comes_back_from_its_yaml_and_json(mut workflow in workflows(), texts in prop::collection::vec("\\PC{0,12}|[ -~\\n]{0,12}|yes|null|~|0x1F|1e3|- a|#c|&a|\\*a|: |2026-01-01", 6)) {
        workflow.name = format!("n{}", texts[0]);
        for (step, text) in workflow.steps.iter_mut().zip(&texts) {
            step.title = Some(text.clone());
            step.input.insert("odd".into(), json!({ text.clone(): [text, { "x": text }], "n": 1.5, "i": -3 }));
        }
        prop_assert_eq!(&Workflow::from_json(&serde_json::to_string(&workflow).unwrap()).unwrap(), &workflow);
        let yaml = workflow.to_yaml();
        let read = Workflow::from_yaml(&yaml);
        prop_assert_eq!(read.as_ref(), Ok(&workflow), "{}", yaml);
    }

    #[test]
    fn reading_and_telling_never_panic(text in "\\PC{0,60}", workflow in workflows()) {
        let _ = Workflow::from_json(&text);
        let _ = Workflow::from_yaml(&text);
        let _ = text.parse::<Span>();
        let _ = summary(&workflow, &operations());
    }
}
