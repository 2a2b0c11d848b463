//! docs/expressions.md is made from the table of functions, and every example in it is executed.

use super::*;
use crate::{
    condition::Operator,
    expr::{Function, Group, Kind, functions},
};
use std::{fmt::Write, path::Path};

const INTRODUCTION: &str = include_str!("../reference.md");

fn signature(function: &Function) -> String {
    let parameters: Vec<String> =
        function.parameters.iter().map(|p| if p.required { p.name.to_owned() } else { format!("{}?", p.name) }).collect();
    match function.kind {
        Kind::Function => format!("{}({})", function.name, parameters.join(", ")),
        Kind::Filter if parameters.is_empty() => function.name.to_owned(),
        Kind::Filter => format!("{}({})", function.name, parameters.join(", ")),
    }
}

fn page() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut page = INTRODUCTION.to_owned();
    for group in [Group::Text, Group::Number, Group::Date, Group::List, Group::Object, Group::Data] {
        write!(page, "\n### {}\n\n| | what it does | example | yields |\n|---|---|---|---|\n", group.title()).unwrap();
        for function in functions().iter().filter(|function| function.group == group) {
            writeln!(
                page,
                "| `{}` | **{}.** {} | `{}` | `{}` |",
                signature(function),
                function.title,
                cell(function.help),
                cell(function.example),
                cell(function.result)
            )
            .unwrap();
        }
    }
    page
}

#[test]
fn every_example_yields_what_it_says() {
    let context = context(json!({}));
    for function in functions() {
        let template = Template::expression(function.example).unwrap_or_else(|error| panic!("{}: {error}", function.example));
        let value = template.resolve(&context).unwrap_or_else(|error| panic!("{}: {error}", function.example));
        let expected: Json = serde_json::from_str(function.result).unwrap_or_else(|error| panic!("{}: {error}", function.result));
        assert_eq!(value, Some(expected), "{}", function.example);
    }
}

#[test]
fn every_function_has_its_words_and_its_name_once() {
    let mut names = std::collections::HashSet::new();
    for function in functions() {
        assert!(names.insert(function.name), "{} twice", function.name);
        assert!(!function.title.is_empty() && function.help.ends_with('.'), "{}", function.name);
        assert!(function.example.contains(function.name), "the example of {} doesn't use it", function.name);
    }
    assert!(names.len() > 70);
    for (other, _) in crate::expr::filters::OTHER_NAMES {
        assert!(!names.contains(other), "{other} is a name of ours");
    }
}

#[test]
fn the_page_of_expressions_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/expressions.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/expressions.md is not up to date: run the tests of towpath-engine with UPDATE_DOCS=1");
}

#[test]
fn the_page_names_every_operator_of_conditions() {
    let operators = schemars::schema_for!(Operator);
    let text = operators.to_value().to_string();
    for name in text.split("\"const\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(INTRODUCTION.contains(&format!("`{name}`")), "docs/expressions.md doesn't say what {name} does");
    }
}
