//! The examples of docs/data-steps.md: every data step has one, and what it is said to give it gives.

use super::entries;
use crate::registry::Registry;
use chrono::DateTime;
use serde_json::json;
use std::collections::HashSet;
use towpath_engine::{
    Json, Object,
    expr::{Context, Roots, RunInfo},
    ids::RunId,
    plan::Plan,
    pure::{Outcome, PureStep},
    validate::{Issue, Severity, validate},
    workflow::Workflow,
};
use uuid::Uuid;

const PAGE: &str = include_str!("../../../docs/data-steps.md");

fn blocks<'p>(text: &'p str, language: &str) -> Vec<&'p str> {
    text.split(&format!("```{language}\n")).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn workflow(step: &str) -> Workflow {
    let indented = step.lines().map(|line| format!("    {line}\n")).collect::<String>().replacen("    ", "  - ", 1);
    let text = format!("towpath: 1\nname: Example\ntrigger: {{ use: webhook }}\nsteps:\n{indented}");
    Workflow::from_yaml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn blocking(workflow: &Workflow) -> Vec<Issue> {
    validate(workflow, &Registry::built_in()).into_iter().filter(|issue| issue.severity == Severity::Blocks).collect()
}

#[test]
fn the_documents_examples_give_what_they_say() {
    let body: Json = serde_json::from_str(blocks(PAGE, "json")[0]).unwrap();
    let mut shown = HashSet::new();
    for section in PAGE.split("\n## ").skip(1) {
        let workflow = workflow(blocks(section, "yaml")[0]);
        let expected: Json = serde_json::from_str(blocks(section, "json")[0]).unwrap();
        let step = &workflow.steps[0];
        let name = &step.operation;
        assert!(section.lines().next().unwrap().ends_with(&format!("`{name}`")), "{name}: its title");
        let issues = validate(&workflow, &Registry::built_in());
        assert!(issues.is_empty(), "{name}: {issues:?}");
        assert!(Plan::new(1, workflow.clone(), &Registry::built_in()).is_ok_and(|plan| plan.is_pure()), "{name}");
        let run = RunInfo { id: RunId(Uuid::nil()), key: Uuid::nil(), started_at: DateTime::UNIX_EPOCH };
        let trigger = json!({ "body": body }).into();
        let roots =
            Roots { trigger, run, now: run.started_at, vars: towpath_engine::expr::Vars::default(), language: "en".into() };
        match PureStep::compile(step).unwrap().unwrap().evaluate(&Context::new(roots)) {
            Ok(Outcome::Done { output }) => assert_eq!(output, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        shown.insert(name.clone());
    }
    let names: HashSet<String> = entries().into_iter().map(|entry| entry.operation.name).collect();
    assert_eq!(shown, names, "every step has an example");
}

#[test]
fn a_sample_has_the_fields_of_a_real_output() {
    for section in PAGE.split("\n## ").skip(1) {
        let workflow = workflow(blocks(section, "yaml")[0]);
        let given: Object = serde_json::from_str(blocks(section, "json")[0]).unwrap();
        let entry = entries().into_iter().find(|entry| entry.operation.name == workflow.steps[0].operation).unwrap();
        let sample: Vec<&String> = entry.operation.sample.as_object().unwrap().keys().collect();
        assert_eq!(sample, given.keys().collect::<Vec<_>>(), "{}", entry.operation.name);
    }
}

#[test]
fn validation_looks_into_conditions_and_fields_of_items() {
    let said = |step: &str| {
        blocking(&workflow(step)).into_iter().map(|issue| (issue.field.unwrap_or_default(), issue.message)).collect::<Vec<_>>()
    };
    let of = |step: &str| said(step).into_iter().next().unwrap();
    assert_eq!(
        of(
            "id: a\nuse: list.filter\ninput: { list: \"{{ trigger.body.x }}\", condition: { value: \"{{ item.a }}\", is: equals, to: \"{{ steps.b.x }}\" } }"
        ),
        ("condition".into(), "There is no step with the id \"b\" (any more).".into())
    );
    assert_eq!(
        of("id: a\nuse: list.filter\ninput: { list: \"{{ trigger.body.x }}\" }"),
        ("condition".into(), "Fill in “Keep an item if”.".into())
    );
    let (field, message) = of("id: a\nuse: list.filter\ninput: { list: \"{{ trigger.body.x }}\", condition: { value: 1 } }");
    assert_eq!(field, "condition");
    assert!(message.starts_with("“Keep an item if” takes conditions"), "{message}");
    let (field, message) = of("id: a\nuse: list.map\ninput: { list: \"{{ item.x }}\", fields: { a: \"{{ item.a }}\" } }");
    assert_eq!(field, "list");
    assert!(message.contains("only there inside a “For each”"), "{message}");
    let (field, message) = of("id: a\nuse: list.map\ninput: { list: \"{{ trigger.body }}\", fields: { a: \"{{ itm.a }}\" } }");
    assert_eq!(field, "fields.a");
    assert!(message.contains("Did you mean “item”?"), "{message}");
    assert_eq!(
        of("id: a\nuse: json.validate\ninput: { value: \"{{ trigger.body }}\", schema: \"{ nope\" }"),
        (
            "schema".into(),
            "The schema is not JSON: The name of a field must stand in double quotation marks. (line 1, column 3)".into()
        )
    );
    assert_eq!(
        said("id: a\nuse: list.map\ninput: { list: \"{{ trigger.body.x }}\", fields: { a: \"{{ item.a }}{{ index }}\" } }"),
        []
    );
}
