//! Filters for lists. Null counts as an empty list.

use crate::{
    Json, Object,
    expr::{
        access,
        error::Fault,
        eval::order,
        functions::{Arguments, Call, Function, Group, Parameter, may, need},
        number::Num,
        print,
        value::{Val, is_true, same, wrong},
    },
};
use std::{cmp::Ordering, collections::HashSet};

const fn filter(name: &'static str, call: Call, parameters: &'static [Parameter]) -> Function {
    Function::filter(Group::List, name, call, parameters)
}

type Value<'a> = Result<Val<'a>, Fault>;

pub(super) const TABLE: &[Function] = &[
    filter("first", |call| end(call, false), &[]).says(
        "First item",
        r#"["a", "b"] | first"#,
        r#""a""#,
        "The first item of a list, or the first character of a text. Missing when there is none.",
    ),
    filter("last", |call| end(call, true), &[]).says(
        "Last item",
        r#"["a", "b"] | last"#,
        r#""b""#,
        "The last item of a list, or the last character of a text. Missing when there is none.",
    ),
    filter("length", length, &[]).says(
        "How many",
        "[1, 2, 3] | length",
        "3",
        "The number of items of a list, of fields of an object or of characters of a text.",
    ),
    filter("sort", sort, &[may("field"), may("descending")]).says(
        "Sort",
        r#"[{"n": "b", "v": 2}, {"n": "a", "v": 1}] | sort("v", descending=true) | map_to("n")"#,
        r#"["b","a"]"#,
        "From the smallest to the largest, by the items themselves or by one of their fields. Numbers come before text, capitals don't count, equal items keep their order.",
    ),
    filter("reverse", reverse, &[]).says("Back to front", "[1, 2, 3] | reverse", "[3,2,1]", "The list, or a text, in reverse order."),
    filter("unique", unique, &[may("field")]).says(
        "Without repetitions",
        "[1, 2, 1, 3, 2] | unique",
        "[1,2,3]",
        "Each item once, or one item for each value of a field; the first one stays.",
    ),
    filter("filter_by", filter_by, &[need("field"), may("value")]).says(
        "Only some items",
        r#"[{"id": 1, "paid": true}, {"id": 2, "paid": false}] | filter_by("paid", true) | map_to("id")"#,
        "[1]",
        "The items whose field has this value; without a value, those whose field is neither empty nor false nor 0.",
    ),
    filter("map_to", map_to, &[need("field")]).says(
        "One field of every item",
        r#"[{"sku": "A1", "n": 2}, {"sku": "B2", "n": 1}] | map_to("sku")"#,
        r#"["A1","B2"]"#,
        "A list with one field of every item; null where it is missing. Fields inside fields are written with points.",
    ),
    filter("group_by", group_by, &[need("field")]).says(
        "Group",
        r#"[{"c": "Oslo", "n": 1}, {"c": "Rome", "n": 2}, {"c": "Oslo", "n": 3}] | group_by("c") | keys"#,
        r#"["Oslo","Rome"]"#,
        "An object: for each value of the field the list of its items, in the order in which they appear.",
    ),
    filter("slice", slice, &[need("from"), may("to")]).says(
        "A part of it",
        "[1, 2, 3, 4] | slice(1, 3)",
        "[2,3]",
        "The items from one position up to, without, another; positions count from 0, and from the end when negative. Also for text.",
    ),
    filter("flatten", flatten, &[may("levels")]).says(
        "Lists in a list as one",
        "[1, [2, [3]]] | flatten",
        "[1,2,[3]]",
        "The items of the lists inside, one level deep unless you say how many.",
    ),
    filter("compact", compact, &[]).says(
        "Without empty items",
        r#"["a", "", null, "b"] | compact"#,
        r#"["a","b"]"#,
        "The items that are neither null nor empty.",
    ),
    filter("append", append, &[need("item")]).says("Add an item", "[1, 2] | append(3)", "[1,2,3]", "The list with one more item at its end."),
];

/// A field of an item; `customer.city` looks inside.
pub(super) fn field<'v>(item: &'v Json, path: &str) -> Option<&'v Json> {
    item.get(path).or_else(|| path.split('.').try_fold(item, |value, name| value.get(name)))
}

fn end(mut call: Arguments<'_>, last: bool) -> Value<'_> {
    let value = call.take(0)?;
    if let Json::String(text) = value.json()? {
        let found = if last { text.chars().next_back() } else { text.chars().next() };
        return Ok(found.map_or_else(|| Val::missing("The text is empty."), Val::text));
    }
    let missing = || Val::missing("The list is empty.");
    Ok(match value {
        Val::Ref(Json::Array(items)) => if last { items.last() } else { items.first() }.map_or_else(missing, Val::Ref),
        other => {
            let mut items = other.into_list(call.who())?.into_owned();
            let found = if last || items.is_empty() { items.pop() } else { Some(items.swap_remove(0)) };
            found.map_or_else(missing, Val::Own)
        }
    })
}

fn length(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    let length = match value.json()? {
        Json::Array(items) => items.len(),
        Json::Object(fields) => fields.len(),
        Json::String(text) => text.chars().count(),
        Json::Null => 0,
        other => return Err(wrong("length", "a list, an object or text", other)),
    };
    Ok(Json::from(length).into())
}

/// Null first, then booleans, numbers, texts without regard to capitals, lists, objects.
fn sort_order(a: &Json, b: &Json) -> Ordering {
    let rank = |value: &Json| match value {
        Json::Null => 0,
        Json::Bool(_) => 1,
        Json::Number(_) => 2,
        Json::String(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    };
    match (a, b) {
        (Json::String(x), Json::String(y)) => {
            let folded = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
            folded(x).cmp(&folded(y)).then_with(|| x.cmp(y))
        }
        (Json::Bool(x), Json::Bool(y)) => x.cmp(y),
        _ => order(a, b).unwrap_or_else(|_| rank(a).cmp(&rank(b))),
    }
}

fn sort(mut call: Arguments<'_>) -> Value<'_> {
    let mut items = call.list(0)?.into_owned();
    call.scope.spend(items.len() / 4)?;
    let descending = call.given(2) && is_true(call.take(2)?.json()?);
    let name = if call.given(1) { Some(call.take(1)?) } else { None };
    let name = match &name {
        Some(name) => match name.json()? {
            Json::Null => None,
            Json::String(name) => Some(name.as_str()),
            other => return Err(wrong("sort", "the name of a field", other)),
        },
        None => None,
    };
    let null = Json::Null;
    let key = |item: &Json| name.map_or_else(|| item.clone(), |name| field(item, name).unwrap_or(&null).clone());
    let mut keyed: Vec<(Json, Json)> = items.drain(..).map(|item| (key(&item), item)).collect();
    keyed.sort_by(|(a, _), (b, _)| if descending { sort_order(b, a) } else { sort_order(a, b) });
    Ok(Json::Array(keyed.into_iter().map(|(_, item)| item).collect()).into())
}

fn reverse(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    if let Json::String(text) = value.json()? {
        return Ok(Val::text(text.chars().rev().collect::<String>()));
    }
    let mut items = value.into_list(call.who())?.into_owned();
    items.reverse();
    Ok(Json::Array(items).into())
}

/// A text that two values share when they are equal.
fn identity(value: &Json) -> String {
    match value {
        Json::Number(number) => match Num::of(number) {
            Num::Float(float) => match crate::expr::number::whole(float) {
                Num::Int(int) => int.to_string(),
                Num::Float(float) => float.to_string(),
            },
            Num::Int(int) => int.to_string(),
        },
        other => other.to_string(),
    }
}

fn unique(mut call: Arguments<'_>) -> Value<'_> {
    let items = call.list(0)?;
    let name = if call.given(1) { Some(call.text(1)?) } else { None };
    let mut seen = HashSet::new();
    let key =
        |item: &Json| name.as_ref().map_or_else(|| identity(item), |name| identity(field(item, name).unwrap_or(&Json::Null)));
    Ok(Json::Array(items.iter().filter(|item| seen.insert(key(item))).cloned().collect()).into())
}

fn filter_by(mut call: Arguments<'_>) -> Value<'_> {
    let items = call.list(0)?;
    let name = call.text(1)?;
    let wanted = if call.given(2) { Some(call.take(2)?.into_json()?) } else { None };
    let keep = |item: &&Json| match (field(item, &name), &wanted) {
        (Some(value), Some(wanted)) => same(value, wanted),
        (Some(value), None) => is_true(value),
        (None, wanted) => wanted.as_ref().is_some_and(Json::is_null),
    };
    Ok(Json::Array(items.iter().filter(keep).cloned().collect()).into())
}

fn map_to(mut call: Arguments<'_>) -> Value<'_> {
    let items = call.list(0)?;
    let name = call.text(1)?;
    Ok(Json::Array(items.iter().map(|item| field(item, &name).cloned().unwrap_or(Json::Null)).collect()).into())
}

fn group_by(mut call: Arguments<'_>) -> Value<'_> {
    let items = call.list(0)?;
    let name = call.text(1)?;
    let mut groups = Object::new();
    for item in items.iter() {
        let key = field(item, &name).map(print::text).unwrap_or_default();
        if let Json::Array(group) = groups.entry(key).or_insert_with(|| Json::Array(Vec::new())) {
            group.push(item.clone());
        }
    }
    Ok(Json::Object(groups).into())
}

fn slice(mut call: Arguments<'_>) -> Value<'_> {
    const FAR: i64 = 1 << 40;
    let value = call.take(0)?;
    let from = call.whole(1, -FAR, FAR)?;
    let to = if call.given(2) { Some(call.whole(2, -FAR, FAR)?) } else { None };
    access::slice(value, Some(from), to)
}

fn flatten(mut call: Arguments<'_>) -> Value<'_> {
    let mut items = call.list(0)?.into_owned();
    for _ in 0..call.whole_or(1, 1, 1, 100)? {
        if !items.iter().any(Json::is_array) {
            break;
        }
        let mut flat = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Json::Array(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        call.scope.spend(flat.len() / 8)?;
        items = flat;
    }
    Ok(Json::Array(items).into())
}

fn compact(mut call: Arguments<'_>) -> Value<'_> {
    let items = call.list(0)?;
    Ok(Json::Array(items.iter().filter(|item| !crate::expr::value::is_empty(item)).cloned().collect()).into())
}

fn append(mut call: Arguments<'_>) -> Value<'_> {
    let mut items = call.list(0)?.into_owned();
    items.push(call.take(1)?.into_json()?);
    Ok(Json::Array(items).into())
}
