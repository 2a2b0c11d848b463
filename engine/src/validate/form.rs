//! Checks the values of a form: what is required, what kind it must be, and whether its expressions make sense. Values that are only
//! known in a run are left to the run.

use super::{
    Check, Severity, mentions_default,
    names::{self, Reader},
    shape,
};
use crate::{
    Json, Object,
    catalogue::{Choice, Field, FieldKind, Operation},
    condition::{Compiled, Conditions},
    expr::{ExprError, Template, closest, items, moment, value::show},
    schedule,
    workflow::Span,
};
use std::collections::HashSet;

/// Checks `input` against the operation's form. `position` is the step's, for what its expressions may name.
pub(super) fn check(check: &mut Check<'_>, operation: &Operation, input: &Object, position: usize) {
    for field in &operation.inputs {
        if !operation.shows(field, input) {
            continue;
        }
        match input.get(&field.name).filter(|value| !is_empty_in(field, value)) {
            Some(value) => self::field(check, field, value, position),
            None if field.required && field.default.as_ref().is_none_or(is_blank) => {
                check.blocks(Some(&field.name), format!("Fill in “{}”.", field.title));
            }
            None => {}
        }
    }
    for name in input.keys().filter(|name| operation.field(name).is_none()) {
        let known = operation.inputs.iter().map(|field| field.name.as_str());
        let near = closest(name, known).map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
        check.warns(Some(name), format!("“{}” has no field \"{name}\", so it is of no use.{near}", operation.title));
        // It is part of the input all the same, so it has to compile.
        if let Err(error) = Template::compile(&input[name]) {
            let error = error.within(name);
            check.say(Severity::Blocks, Some(error.field.clone()), error.to_string());
        }
    }
}

/// Is this as good as nothing in this field? An empty list or object is a value where the field takes any value.
fn is_empty_in(field: &Field, value: &Json) -> bool {
    is_blank(value) && !(field.kind == FieldKind::Json && (value.is_array() || value.is_object()))
}

fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

fn field(check: &mut Check<'_>, field: &Field, value: &Json, position: usize) {
    if !field.expressions {
        return constant(check, field, value);
    }
    // What a round gives is worked out at its end, from what is inside.
    let at_the_end = check.at.and_then(|step| check.workflow.step(step)).is_some_and(|step| step.operation == "for_each");
    let reader = match at_the_end && field.name == "result" {
        true => Reader::after_round_of(position),
        false => Reader::at(position),
    };
    match used(field, value) {
        Ok(Some(paths)) => {
            names::check(check, &field.name, &paths, mentions_default(value), reader);
            if field.kind == FieldKind::Conditions
                && let Ok(conditions) = serde_json::from_value::<Conditions>(value.clone())
            {
                shape::unfilled(check, &field.name, &conditions);
            }
        }
        Ok(None) => constant(check, field, value),
        Err(error) => {
            let error = error.within(&field.name);
            check.say(Severity::Blocks, Some(error.field.clone()), error.to_string());
        }
    }
}

/// The paths that a field's value uses, without those of the items of its list. `None`: it is the same in every run.
fn used(field: &Field, value: &Json) -> Result<Option<Vec<String>>, ExprError> {
    let paths = if matches!(field.kind, FieldKind::Conditions | FieldKind::RowConditions { .. }) {
        // What can't be read as conditions at all is said of the value as a whole.
        let Ok(conditions) = serde_json::from_value::<Conditions>(value.clone()) else { return Ok(None) };
        Compiled::compile(&conditions)?.paths()
    } else {
        let template = Template::compile(value)?;
        if template.literal().is_some() {
            return Ok(None);
        }
        template.paths()
    };
    Ok(Some(if field.each.is_some() { items::outside(paths).collect() } else { paths }))
}

/// Checks a value that is the same in every run.
fn constant(check: &mut Check<'_>, field: &Field, value: &Json) {
    let wrong = match &field.kind {
        FieldKind::Text | FieldKind::Secret | FieldKind::Multiline | FieldKind::Html | FieldKind::Code => {
            (value.is_array() || value.is_object()).then(|| format!("“{}” takes a text, not {}.", field.title, show(value)))
        }
        FieldKind::Number => {
            let is_number =
                value.is_number() || value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok_and(f64::is_finite));
            (!is_number).then(|| format!("“{}” takes a number, not {}.", field.title, show(value)))
        }
        FieldKind::Boolean => {
            (!value.is_boolean()).then(|| format!("“{}” is either on or off, not {}.", field.title, show(value)))
        }
        FieldKind::Choice { options } => not_an_option(options, value),
        FieldKind::Choices { options } => match value {
            Json::Array(chosen) => chosen.iter().find_map(|value| not_an_option(options, value)),
            other => not_an_option(options, other),
        },
        FieldKind::Span => match value.as_str().map(str::parse::<Span>) {
            Some(Ok(_)) => None,
            Some(Err(message)) => Some(message),
            None => {
                Some(format!("{} is not a length of time; write a number and a unit, such as 30s, 5m, 2h or 3d.", show(value)))
            }
        },
        FieldKind::DateTime => {
            moment::read(value).is_none().then(|| format!("{} is not a date and time; write {}.", show(value), moment::FORMS))
        }
        FieldKind::Time => value
            .as_str()
            .and_then(schedule::time_of_day)
            .is_none()
            .then(|| format!("{} is not a time of day; write it as 09:00 or 17:30.", show(value))),
        FieldKind::Zone => match value.as_str() {
            Some(name) => schedule::zone(name).err(),
            None => Some(format!("“{}” takes a time zone such as Europe/Berlin, not {}.", field.title, show(value))),
        },
        FieldKind::Pairs | FieldKind::Row { .. } => {
            (!value.is_object()).then(|| format!("“{}” takes names and values, not {}.", field.title, show(value)))
        }
        FieldKind::Conditions | FieldKind::RowConditions { .. } => serde_json::from_value::<Conditions>(value.clone())
            .err()
            .map(|error| format!("“{}” takes conditions, and this can't be read as such: {error}.", field.title)),
        FieldKind::Json => None,
        FieldKind::Emails => wrong_address(value),
        FieldKind::Lines => wrong_line(value).then(|| format!("“{}” takes lines of text.", field.title)),
        FieldKind::Files => is_no_file(value)
            .then(|| format!("“{}” takes files from the trigger or an earlier step: pick one with the mapper.", field.title)),
        FieldKind::FormFields | FieldKind::Inputs => return questions(check, field, value),
    };
    if let Some(message) = wrong {
        check.blocks(Some(&field.name), message);
    }
}

fn not_an_option(options: &[Choice], value: &Json) -> Option<String> {
    if options.iter().any(|option| option.value == *value) {
        return None;
    }
    let titles: Vec<&str> = options.iter().map(|option| option.title.as_str()).collect();
    Some(format!("{} is not a choice here. Choose one of: {}.", show(value), titles.join(", ")))
}

fn texts(value: &Json) -> Option<Vec<&str>> {
    match value {
        Json::String(text) => Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()),
        Json::Array(items) => items.iter().map(Json::as_str).collect(),
        _ => None,
    }
}

fn wrong_address(value: &Json) -> Option<String> {
    let Some(addresses) = texts(value) else {
        return Some(format!("{} is not a list of e-mail addresses.", show(value)));
    };
    let wrong = addresses.into_iter().find(|address| !is_address(address))?;
    Some(format!("\"{wrong}\" is not an e-mail address; write it like ada@example.com."))
}

/// Good enough to catch slips; the mail server has the last word. `Ada <ada@example.com>` is one, too.
fn is_address(text: &str) -> bool {
    let text = text.trim();
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(""),
        None => text,
    };
    let Some((local, domain)) = inner.rsplit_once('@') else { return false };
    !local.is_empty() && domain.len() > 1 && !inner.chars().any(|c| c.is_whitespace() || c.is_control() || c == '<' || c == '>')
}

fn wrong_line(value: &Json) -> bool {
    match value {
        Json::String(_) => false,
        Json::Array(items) => !items.iter().all(|item| item.is_string() || item.is_number()),
        _ => true,
    }
}

fn is_no_file(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(is_no_file),
        Json::Object(fields) => !fields.contains_key("$file"),
        _ => true,
    }
}

/// The questions of a form or the inputs of a manual run.
fn questions(check: &mut Check<'_>, field: &Field, value: &Json) {
    let Some(questions) = value.as_array() else {
        return check.blocks(Some(&field.name), format!("“{}” is a list of questions.", field.title));
    };
    let mut kinds = vec!["text", "long_text", "number", "choice", "date", "email"];
    kinds.extend_from_slice(if matches!(field.kind, FieldKind::Inputs) { &["boolean"] } else { &["file", "consent"] });
    let mut names = HashSet::new();
    for (index, question) in questions.iter().enumerate() {
        let place = format!("{}[{index}]", field.name);
        let text = |key: &str| question.get(key).and_then(Json::as_str).map_or("", str::trim);
        let label = if text("label").is_empty() { format!("Question {}", index + 1) } else { format!("“{}”", text("label")) };
        let mut blocks = |key: &str, message: String| check.blocks(Some(&format!("{place}.{key}")), message);
        if text("label").is_empty() {
            blocks("label", format!("{label} needs a label: it is what people read."));
        }
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        match text("name") {
            "" => blocks("name", format!("{label} needs a name, under which its answer is found.")),
            name if !name.chars().all(plain) => {
                blocks("name", format!("\"{name}\" can't be a name: letters, digits, hyphens and underscores only."));
            }
            name if !names.insert(name) => {
                blocks("name", format!("Two questions have the name \"{name}\". Give each its own, or one answer is lost."));
            }
            _ => {}
        }
        let kind = question.get("kind").map_or("text", |kind| kind.as_str().unwrap_or_default());
        if !kinds.contains(&kind) {
            blocks("kind", format!("{label} has no known kind. It can be: {}.", kinds.join(", ").replace('_', " ")));
        }
        let options = question.get("options").and_then(Json::as_array);
        if kind == "choice" && options.is_none_or(|options| options.iter().all(is_blank)) {
            blocks("options", format!("{label} is a choice and needs options to choose from."));
        }
    }
}
