//! Steps over data tables: are the table and the columns there that they name, and do the values fit that are the same in every run?

use super::Check;
use crate::{
    Json, Object,
    catalogue::{Field, FieldKind, Operation},
    condition::{Conditions, Test},
    table::{RESERVED, Schema, cell, filter::Filter},
};

/// A data table of the workflow's workspace.
#[derive(Clone, Debug)]
pub struct KnownTable {
    pub id: String,
    pub name: String,
    pub schema: Schema,
}

pub(super) fn check(check: &mut Check<'_>, operation: &Operation, input: &Object) {
    let Some(tables) = check.tables else { return };
    let mut named = None;
    for field in &operation.inputs {
        let (FieldKind::Row { table } | FieldKind::RowConditions { table }) = &field.kind else { continue };
        let Some(wanted) = input.get(table).and_then(Json::as_str).map(str::trim).filter(|name| !name.is_empty()) else { return };
        let is_it = |known: &&KnownTable| known.id == wanted || known.name.to_lowercase() == wanted.to_lowercase();
        let Some(known) = tables.iter().find(is_it) else {
            return check.blocks(Some(table), "The table of this step is gone. Choose another one.");
        };
        named = Some((table.as_str(), known));
        if operation.shows(field, input) {
            match field.kind {
                FieldKind::Row { .. } => row(check, operation, field, input, &known.schema),
                _ => conditions(check, field, input, &known.schema),
            }
        }
    }
    let Some((field, known)) = named else { return };
    if operation.name == "table.upsert" && known.schema.key.is_empty() {
        let message = format!(
            "Nothing tells the rows of “{}” apart. Open the table, and choose under Columns which ones are its key.",
            known.name
        );
        check.blocks(Some(field), message);
    }
    if let Some(name) = input.get("sort").and_then(Json::as_str).map(str::trim).filter(|name| !name.is_empty())
        && known.schema.column(name).is_none()
        && !RESERVED.contains(&name)
    {
        check.blocks(Some("sort"), known.schema.no_column(name).message);
    }
}

fn is_open(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains("{{"),
        Json::Array(items) => items.iter().any(is_open),
        Json::Object(fields) => fields.values().any(is_open),
        _ => false,
    }
}

fn row(check: &mut Check<'_>, operation: &Operation, field: &Field, input: &Object, schema: &Schema) {
    let none = Object::new();
    let given = match input.get(&field.name) {
        None | Some(Json::Null) => &none,
        Some(Json::Object(given)) => given,
        Some(_) => return,
    };
    for (name, value) in given {
        let at = format!("{}.{name}", field.name);
        match schema.column(name) {
            None => check.blocks(Some(&at), schema.no_column(name).message),
            Some(_) if is_open(value) => {}
            Some(column) => {
                if let Err(wrong) = cell::read(column, value) {
                    check.blocks(Some(&at), wrong.message);
                }
            }
        }
    }
    // A change leaves out what stays.
    if operation.name == "table.update" {
        return;
    }
    let filled = |name: &str| {
        given.iter().any(|(other, value)| {
            other.trim().to_lowercase() == name.to_lowercase()
                && !value.is_null()
                && value.as_str().is_none_or(|text| !text.trim().is_empty())
        })
    };
    for column in schema.columns.iter().filter(|column| column.required || schema.key.contains(&column.id)) {
        if !filled(&column.name) {
            let at = format!("{}.{}", field.name, column.name);
            check.blocks(Some(&at), format!("Fill in “{}”: every row needs it.", column.name));
        }
    }
}

fn conditions(check: &mut Check<'_>, field: &Field, input: &Object, schema: &Schema) {
    // What can't be read as conditions at all is said elsewhere.
    let Some(Ok(conditions)) = input.get(&field.name).map(|value| serde_json::from_value::<Conditions>(value.clone())) else {
        return;
    };
    if !input.get(&field.name).is_some_and(is_open) {
        if let Err(wrong) = Filter::read(schema, &conditions) {
            check.blocks(Some(&field.name), wrong.message);
        }
        return;
    }
    let mut tests = Vec::new();
    gather(&conditions, &mut tests);
    for test in tests {
        let named = test.value.as_str().map(str::trim).unwrap_or_default();
        if named.is_empty() {
            check.blocks(Some(&field.name), "Choose the column that is looked at.");
        } else if schema.column(named).is_none() && !RESERVED.contains(&named) {
            check.blocks(Some(&field.name), schema.no_column(named).message);
        }
    }
}

fn gather<'a>(conditions: &'a Conditions, tests: &mut Vec<&'a Test>) {
    match conditions {
        Conditions::All { all: parts } | Conditions::Any { any: parts } => parts.iter().for_each(|part| gather(part, tests)),
        Conditions::Test(test) => tests.push(test),
        Conditions::Expression { .. } => {}
    }
}
