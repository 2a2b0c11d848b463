//! Filters for objects. Null counts as an object without fields.

use super::list::field;
use crate::{
    Json, Object,
    expr::{
        error::Fault,
        functions::{Arguments, Call, Function, Group, Parameter, may, need},
        value::{Val, names, wrong},
    },
};
use serde_json::json;

const fn filter(name: &'static str, call: Call, parameters: &'static [Parameter]) -> Function {
    Function::filter(Group::Object, name, call, parameters)
}

type Value<'a> = Result<Val<'a>, Fault>;

pub(super) const TABLE: &[Function] = &[
    filter("keys", keys, &[]).says("Names of the fields", r#"{"a": 1, "b": 2} | keys"#, r#"["a","b"]"#, "The names of the fields, as a list."),
    filter("values", values, &[]).says("Values of the fields", r#"{"a": 1, "b": 2} | values"#, "[1,2]", "The values of the fields, as a list."),
    filter("entries", entries, &[]).says(
        "Fields as a list",
        r#"{"a": 1} | entries"#,
        r#"[{"key":"a","value":1}]"#,
        "A list with an item for each field: its key and its value.",
    ),
    filter("from_entries", from_entries, &[]).says(
        "A list as fields",
        r#"[{"key": "a", "value": 1}] | from_entries"#,
        r#"{"a":1}"#,
        "The opposite of entries: an object made of items with key (or name) and value.",
    ),
    filter("get", get, &[need("field"), may("instead")]).says(
        "A field by its name",
        r#"{"Total (EUR)": 12} | get("Total (EUR)")"#,
        "12",
        "The field of this name, also when the name has blanks or is computed; fields inside fields are written with points. Missing, or the other value that you name, when it isn't there.",
    ),
    filter("merge", merge, &[need("other")]).says(
        "Put together",
        r#"{"a": 1, "b": 2} | merge({"b": 3, "c": 4})"#,
        r#"{"a":1,"b":3,"c":4}"#,
        "The fields of both; where both have one, that of the second.",
    ),
    filter("pick", |call| choose(call, true), &[need("fields")]).says(
        "Only some fields",
        r#"{"a": 1, "b": 2, "c": 3} | pick(["a", "c"])"#,
        r#"{"a":1,"c":3}"#,
        "Only the fields of these names: a list, or text with commas.",
    ),
    filter("omit", |call| choose(call, false), &[need("fields")]).says(
        "Without some fields",
        r#"{"a": 1, "b": 2, "c": 3} | omit("b, c")"#,
        r#"{"a":1}"#,
        "All fields but those of these names: a list, or text with commas.",
    ),
];

fn keys(mut call: Arguments<'_>) -> Value<'_> {
    Ok(Json::Array(call.object(0)?.keys().map(|name| name.as_str().into()).collect()).into())
}

fn values(mut call: Arguments<'_>) -> Value<'_> {
    Ok(Json::Array(call.object(0)?.values().cloned().collect()).into())
}

fn entries(mut call: Arguments<'_>) -> Value<'_> {
    let fields = call.object(0)?;
    Ok(Json::Array(fields.iter().map(|(name, value)| json!({ "key": name, "value": value })).collect()).into())
}

fn from_entries(mut call: Arguments<'_>) -> Value<'_> {
    let mut fields = Object::new();
    for item in call.list(0)?.iter() {
        let Some(name) = item.get("key").or_else(|| item.get("name")) else {
            return Err(wrong("from_entries", "items with key and value", item));
        };
        fields.insert(crate::expr::print::text(name), item.get("value").cloned().unwrap_or(Json::Null));
    }
    Ok(Json::Object(fields).into())
}

fn get(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    let name = call.text(1)?;
    let found = match value.json()? {
        Json::Object(_) => match &value {
            Val::Ref(value) => field(value, &name).map(Val::Ref),
            value => field(value.json()?, &name).cloned().map(Val::Own),
        },
        Json::Null => None,
        other => return Err(wrong("get", "an object", other)),
    };
    match (found, call.given(2)) {
        (Some(found), _) => Ok(found),
        (None, true) => call.take(2),
        (None, false) => {
            let has = value.json()?.as_object().map(names).unwrap_or_default();
            Ok(Val::missing(format!(
                "There is no field \"{}\" in this object; it has {has}.",
                crate::expr::error::shorten(&name, 60)
            )))
        }
    }
}

fn merge(mut call: Arguments<'_>) -> Value<'_> {
    let mut fields = call.object(0)?.into_owned();
    fields.extend(call.object(1)?.into_owned());
    Ok(Json::Object(fields).into())
}

fn choose(mut call: Arguments<'_>, keep: bool) -> Value<'_> {
    let fields = call.object(0)?;
    let wanted = call.take(1)?;
    let wanted: Vec<String> = match wanted.json()? {
        Json::String(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        Json::Array(items) => items.iter().map(crate::expr::print::text).collect(),
        other => return Err(wrong(call.who(), "a list of names", other)),
    };
    if keep {
        // In the order in which they were named.
        let kept = wanted.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
        return Ok(Json::Object(kept.collect()).into());
    }
    let kept = fields.iter().filter(|(name, _)| !wanted.contains(name));
    Ok(Json::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect()).into())
}
