//! Filters and functions for data as such: defaults, JSON, hashes, ids.

use super::super::{
    error::Fault,
    functions::{Arguments, Function, Group, Kind, may, need},
    value::Val,
};
use crate::Json;

const fn filter(
    name: &'static str,
    call: super::super::functions::Call,
    parameters: &'static [super::super::functions::Parameter],
) -> Function {
    Function::filter(Group::Data, name, call, parameters)
}

pub(super) const TABLE: &[Function] = &[
    filter("default", default, &[need("instead"), may("empty")]).says(
        "If missing, then …",
        r#"trigger.body.nickname | default("friend")"#,
        r#""friend""#,
        "Another value for one that is missing or null; with true as the second argument also for empty text, lists and objects.",
    ),
    Function { kind: Kind::Function, pure: false, ..filter("uuid", uuid, &[]) }.says(
        "A new id",
        "uuid() | length",
        "36",
        "A random-looking id (UUID). It is the same whenever this run repeats this step.",
    ),
];

fn default(mut call: Arguments<'_>) -> Result<Val<'_>, Fault> {
    let also_empty = call.given(2) && call.take(2)?.json()? == &Json::Bool(true);
    let value = call.values[0].take().unwrap_or(Val::missing(""));
    let keep = match &value {
        Val::Missing(_) => false,
        present => match present.json()? {
            Json::Null => false,
            value => !also_empty || !super::super::value::is_empty(value),
        },
    };
    // What stands instead may itself be missing: `a | default(b) | default("x")`.
    if keep { Ok(value) } else { Ok(call.values[1].take().unwrap_or(Val::missing(""))) }
}

fn uuid(call: Arguments<'_>) -> Result<Val<'_>, Fault> {
    let seed = call.scope.context.seed(call.scope.place, call.at);
    Ok(Val::text(uuid::Builder::from_random_bytes(*seed.as_bytes()).into_uuid().to_string()))
}
