//! A workflow in one sentence of plain language, for lists and for people who never open the builder.

use super::{Case, Step, Workflow};
use crate::{
    Json,
    catalogue::Catalogue,
    condition::{Conditions, Test},
    expr::error::shorten,
    schedule::Schedule,
};

/// How many steps are told one by one before the rest is counted.
const TOLD: usize = 4;

/// What the workflow does: "When a request arrives at a URL, if total is greater than 100, send an e-mail."
pub fn summary(workflow: &Workflow, catalogue: &dyn Catalogue) -> String {
    let start = match &workflow.trigger {
        Some(trigger) if trigger.operation == "schedule" => match Schedule::read(&trigger.input) {
            Ok(schedule) => schedule.to_string(),
            Err(_) => sentence(catalogue, "schedule").to_owned(),
        },
        Some(trigger) => sentence(catalogue, &trigger.operation).trim_end_matches('.').to_owned(),
        None => "No trigger is chosen yet".to_owned(),
    };
    let mut parts = Vec::new();
    let told = workflow.steps.len().min(if workflow.steps.len() == TOLD + 1 { TOLD + 1 } else { TOLD });
    parts.extend(workflow.steps[..told].iter().map(|step| tell(step, catalogue)));
    match workflow.steps.len() - told {
        0 => {}
        more => parts.push(format!("and {more} more steps")),
    }
    let words = match (parts.is_empty(), workflow.trigger.is_some()) {
        (true, true) => format!("{start}, nothing happens yet"),
        (true, false) => start,
        (false, true) => format!("{start}, {}", joined(&parts)),
        (false, false) => format!("{start}; then {}", joined(&parts)),
    };
    format!("{words}.")
}

fn sentence<'a>(catalogue: &'a dyn Catalogue, name: &'a str) -> &'a str {
    catalogue.operation(name).map_or(name, |operation| operation.sentence.as_str())
}

fn tell(step: &Step, catalogue: &dyn Catalogue) -> String {
    match (step.operation.as_str(), &step.title) {
        ("filter", _) => match &step.condition {
            Some(condition) => format!("only if {}", condition_words(condition)),
            None => "only if a condition holds".to_owned(),
        },
        ("branch", _) if !step.cases.is_empty() => {
            let mut cases: Vec<String> = step.cases.iter().map(|case| tell_case(case, catalogue)).collect();
            if let Some(otherwise) = &step.otherwise {
                cases.push(format!("otherwise {}", tell_lane(&otherwise.steps, catalogue)));
            }
            cases.join("; ")
        }
        ("for_each", None) if step.body.is_some() => {
            format!("for each item {}", tell_lane(step.body.as_ref().map_or(&[], |lane| &lane.steps), catalogue))
        }
        ("repeat", None) if step.body.is_some() => {
            format!("again and again {}", tell_lane(step.body.as_ref().map_or(&[], |lane| &lane.steps), catalogue))
        }
        ("parallel", None) if !step.lanes.is_empty() => {
            let lanes: Vec<String> = step.lanes.iter().map(|lane| tell_lane(&lane.steps, catalogue)).collect();
            format!("at the same time {}", lanes.join(" and "))
        }
        (_, Some(title)) => format!("“{}”", shorten(title, 60)),
        (operation, None) => lower_first(sentence(catalogue, operation).trim_end_matches('.')),
    }
}

fn tell_case(case: &Case, catalogue: &dyn Catalogue) -> String {
    format!("if {}, {}", condition_words(&case.condition), tell_lane(&case.steps, catalogue))
}

fn tell_lane(steps: &[Step], catalogue: &dyn Catalogue) -> String {
    match steps {
        [] => "do nothing".to_owned(),
        [step] => tell(step, catalogue),
        [step, rest @ ..] if rest.len() == 1 => format!("{} and {}", tell(step, catalogue), tell(&rest[0], catalogue)),
        [step, rest @ ..] => format!("{} and {} more steps", tell(step, catalogue), rest.len()),
    }
}

fn joined(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        // A part with cases inside ends before the next one begins.
        parts => parts.join(if parts.iter().any(|part| part.contains("; ")) { "; then " } else { ", " }),
    }
}

/// A condition as a sentence has it: `total is greater than 100`.
pub fn condition_words(conditions: &Conditions) -> String {
    let group = |parts: &[Conditions], word: &str| match parts {
        [] => "always".to_owned(),
        parts => parts.iter().map(condition_words).collect::<Vec<_>>().join(word),
    };
    match conditions {
        Conditions::All { all } => group(all, " and "),
        Conditions::Any { any } if any.is_empty() => "never".to_owned(),
        Conditions::Any { any } => group(any, " or "),
        Conditions::Expression { expression } => format!("“{}” holds", shorten(expression.trim(), 60)),
        Conditions::Test(Test { value, is, to }) => {
            let mut words = format!("{} {}", value_words(value), is.words());
            if is.needs_to() {
                words.push(' ');
                words.push_str(&match to {
                    Some(Json::Array(list)) => list.iter().map(value_words).collect::<Vec<_>>().join(" and "),
                    Some(to) => value_words(to),
                    None => "…".to_owned(),
                });
            }
            words
        }
    }
}

/// A value as people call it: an expression's last name (`total` for `{{ steps.order.total }}`), else the value itself.
fn value_words(value: &Json) -> String {
    let Json::String(text) = value else { return shorten(&value.to_string(), 40) };
    let inner = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).filter(|inner| !inner.contains("{{"));
    let Some(inner) = inner else {
        return if text.is_empty() { "nothing".into() } else { format!("“{}”", shorten(text, 40)) };
    };
    let path = inner.split('|').next().unwrap_or(inner).trim();
    let is_path = path.chars().all(|c| c.is_alphanumeric() || "_.[]\"'".contains(c));
    let name = path.rsplit('.').next().unwrap_or(path).trim_matches(|c| "[]\"'".contains(c));
    if is_path && !name.is_empty() { name.replace('_', " ") } else { shorten(path, 40) }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        // "HTTP request" stays as it is.
        (Some(first), Some(second)) if !second.is_uppercase() => format!("{}{}", first.to_lowercase(), &text[first.len_utf8()..]),
        _ => text.to_owned(),
    }
}
