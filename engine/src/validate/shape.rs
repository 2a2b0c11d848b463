//! Checks what stands in a step beside its input: conditions, cases, lanes, and the steps inside. Each belongs to some operations only.

use super::{
    Check,
    names::{self, Reader},
};
use crate::{
    Json,
    condition::{Compiled, Conditions, Operator, Test},
    edit::MAX_TITLE,
    expr::ExprError,
    lines::MAX_LANES,
    workflow::{OnError, Step},
};

pub(super) fn check<'a>(check: &mut Check<'a>, step: &'a Step, position: usize) {
    own_condition(check, step, position);
    cases(check, step, position);
    lanes(check, step);
    body(check, step);
    rescue(check, step);
}

fn own_condition(check: &mut Check<'_>, step: &Step, position: usize) {
    match (&step.condition, step.operation.as_str()) {
        (Some(source), "filter") => condition(check, Compiled::compile(source), "if", source, Reader::at(position)),
        (Some(source), "repeat") => {
            condition(check, Compiled::compile(source), "if", source, Reader::after_round_of(position));
            if is_empty_group(source) {
                check.warns(Some("if"), "There is no condition, so the step goes on until it fails for too many rounds.");
            }
        }
        (None, "filter") => check.blocks(Some("if"), "Say on which condition the run goes on."),
        (None, "repeat") => check.blocks(Some("if"), "Say on which condition another round follows."),
        (Some(_), _) => check.blocks(Some("if"), "Only a filter has a condition of its own. Put a filter before this step."),
        (None, _) => {}
    }
}

fn cases(check: &mut Check<'_>, step: &Step, position: usize) {
    if step.operation != "branch" {
        if !step.cases.is_empty() || step.otherwise.is_some() {
            check.blocks(Some("cases"), "Only a branch has cases with steps inside.");
        }
        return;
    }
    if step.cases.is_empty() {
        check.blocks(Some("cases"), "Add a case: a branch without one can't decide anything.");
    }
    for (index, case) in step.cases.iter().enumerate() {
        let field = format!("cases[{index}].if");
        condition(check, Compiled::compile(&case.condition), &field, &case.condition, Reader::at(position));
        title(check, &format!("cases[{index}].title"), "case", &case.title);
        if is_empty_group(&case.condition) {
            check.warns(Some(&field), "This case has no condition, so it always runs and the cases after it never do.");
        }
    }
}

fn lanes(check: &mut Check<'_>, step: &Step) {
    if step.operation != "parallel" {
        if !step.lanes.is_empty() {
            check.blocks(Some("lanes"), "Only a parallel step has lanes side by side.");
        }
        return;
    }
    match step.lanes.len() {
        0 => check.blocks(Some("lanes"), "Add a lane: a parallel step without one has nothing to do."),
        1 => check.warns(Some("lanes"), "With a single lane nothing goes on side by side. Add another one."),
        count if count > MAX_LANES => {
            check.blocks(Some("lanes"), format!("A parallel step has at most {MAX_LANES} lanes, and this one has {count}."));
        }
        _ => {}
    }
    for (index, lane) in step.lanes.iter().enumerate() {
        title(check, &format!("lanes[{index}].title"), "lane", &lane.title);
    }
}

fn body(check: &mut Check<'_>, step: &Step) {
    let is_loop = matches!(step.operation.as_str(), "for_each" | "repeat");
    match (&step.body, is_loop) {
        (Some(_), false) => {
            check.blocks(Some("body"), "Only a “For each” and a “Repeat” have steps that they do again and again.")
        }
        (None, true) => check.warns(Some("body"), "Add a step inside: so far nothing is done in a round."),
        _ => {}
    }
}

fn rescue(check: &mut Check<'_>, step: &Step) {
    match (&step.rescue, step.on_error) {
        (Some(_), OnError::Fail | OnError::Continue) => {
            check.warns(
                Some("on_error"),
                "The steps for when this one fails are of no use: it doesn't say that they are to be done.",
            );
        }
        (None, OnError::Rescue) => {
            check.warns(Some("on_error"), "Add a step for when this one fails; without one the run just goes on.");
        }
        _ => {}
    }
}

fn title(check: &mut Check<'_>, field: &str, what: &str, title: &str) {
    let length = title.chars().count();
    if length > MAX_TITLE {
        check.blocks(Some(field), format!("The {what}'s title has {length} characters; at most {MAX_TITLE} are possible."));
    }
}

fn condition(check: &mut Check<'_>, compiled: Result<Compiled, ExprError>, field: &str, source: &Conditions, reader: Reader) {
    match compiled {
        Ok(compiled) => {
            let careful = super::mentions_default(&serde_json::to_value(source).unwrap_or_default());
            names::check(check, field, &compiled.paths(), careful, reader);
            unfilled(check, field, source);
        }
        Err(error) => {
            let error = error.within(field);
            check.say(super::Severity::Blocks, Some(error.field.clone()), error.to_string());
        }
    }
}

/// Rows that somebody added and did not fill in: nothing is compared, or with nothing.
pub(super) fn unfilled(check: &mut Check<'_>, field: &str, source: &Conditions) {
    match source {
        Conditions::All { all: parts } | Conditions::Any { any: parts } => {
            parts.iter().for_each(|part| unfilled(check, field, part))
        }
        Conditions::Expression { .. } => {}
        Conditions::Test(test) if is_nothing(&test.value) => check.blocks(Some(field), "Pick the value that is looked at."),
        Conditions::Test(Test { is, to, .. }) if is.needs_to() && lacks(to.as_ref()) => match is {
            Operator::Equals | Operator::NotEquals => check.warns(
                Some(field),
                "A value is compared with nothing. Fill in the other side, or choose “is empty” if that is meant.",
            ),
            _ => check.blocks(Some(field), format!("Fill in what “{}” compares with.", is.words())),
        },
        Conditions::Test(_) => {}
    }
}

fn lacks(to: Option<&Json>) -> bool {
    match to {
        Some(Json::Array(parts)) => parts.is_empty() || parts.iter().any(is_nothing),
        Some(to) => is_nothing(to),
        None => true,
    }
}

fn is_nothing(value: &Json) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn is_empty_group(condition: &Conditions) -> bool {
    matches!(condition, Conditions::All { all } if all.is_empty())
}
