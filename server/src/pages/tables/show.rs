//! One table: a filter and its rows, a page at a time.

use super::{cell, rows};
use crate::{
    api::tables::{refused, used_by},
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
    store::data_tables::Stored,
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{
    Json,
    condition::{Conditions, Operator},
    ids::{RowId, TableId},
    table::{ColumnKind, RESERVED, filter::Filter},
};
use towpath_web::{
    layout::Area,
    tables::show::{Cell, FilterView, Head, Row, Show},
};

/// Rows of one page.
const PAGE: usize = 100;

/// What can be asked, and how people say it. `between` comes from the API only.
const OPERATORS: [(&str, &str); 16] = [
    ("equals", "is"),
    ("not_equals", "is not"),
    ("contains", "contains"),
    ("not_contains", "does not contain"),
    ("starts_with", "starts with"),
    ("ends_with", "ends with"),
    ("one_of", "is one of"),
    ("greater_than", "is greater than"),
    ("at_least", "is at least"),
    ("less_than", "is less than"),
    ("at_most", "is at most"),
    ("before", "is before"),
    ("after", "is after"),
    ("is_true", "is yes"),
    ("is_empty", "is empty"),
    ("is_not_empty", "is not empty"),
];

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    column: String,
    #[serde(default)]
    is: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    newest: bool,
    after: Option<RowId>,
}

/// `GET /tables/{table}`
pub async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let active = !asked.column.is_empty();
    let (filter, wrong) = match read(&table, &asked) {
        Ok(filter) => (filter, None),
        // Nothing is shown then: other rows than the ones that were asked for would mislead.
        Err(wrong) => (Filter::Any(Vec::new()), Some(wrong)),
    };
    let from = (asked.after, asked.newest);
    let mut found = app.tables.page(actor.workspace, id, &filter, from, PAGE as i64 + 1).await.map_err(refused)?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let counted = match active && wrong.is_none() {
        true => Some(app.tables.count(actor.workspace, id, &filter).await.map_err(refused)?),
        false => None,
    };
    let is_end = |kind| kind == ColumnKind::Number;
    let null = Json::Null;
    let views = found.iter().map(|row| Row {
        id: row.id.to_string(),
        cells: table
            .schema
            .columns
            .iter()
            .map(|column| Cell {
                text: cell(column.kind, row.document.get(&column.id).unwrap_or(&null)),
                end: is_end(column.kind),
            })
            .collect(),
    });
    let used_by = used_by(&app, &actor, &table).await?;
    pages::html(&Show {
        page: actor.page(table.name.clone(), Area::Tables),
        id: id.to_string(),
        count: rows(table.rows.into()),
        rows: views.collect(),
        edits: actor.may(Action::EditTables),
        found: counted.map(|count| format!("{} of {}", rows(count), rows(table.rows.into()))),
        used_by: used_by.into_iter().map(|it| (it.workflow.to_string(), it.name)).collect(),
        next: found.last().filter(|_| more).map(|last| last.id.to_string()),
        further: asked.after.is_some(),
        columns: table
            .schema
            .columns
            .iter()
            .map(|column| Head {
                name: column.name.clone(),
                end: is_end(column.kind),
                key: table.schema.key.contains(&column.id),
            })
            .collect(),
        filter: filter_view(&table, asked, wrong),
        name: table.name,
    })
}

fn read(table: &Stored, asked: &Asked) -> Result<Filter, String> {
    if asked.column.is_empty() {
        return Ok(Filter::everything());
    }
    let is: Operator = serde_json::from_value(json!(asked.is)).map_err(|_| "Choose how the column is compared.".to_owned())?;
    let mut test = json!({ "value": asked.column, "is": is });
    if is.compares() {
        test["to"] = asked.to.clone().into();
    }
    let conditions: Conditions = serde_json::from_value(test).map_err(|error| error.to_string())?;
    Filter::read(&table.schema, &conditions).map_err(|wrong| wrong.message)
}

fn filter_view(table: &Stored, asked: Asked, wrong: Option<String>) -> FilterView {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let active = !asked.column.is_empty();
    if active {
        query.append_pair("column", &asked.column).append_pair("is", &asked.is).append_pair("to", &asked.to);
    }
    if asked.newest {
        query.append_pair("newest", "true");
    }
    let names = table.schema.columns.iter().map(|column| column.name.clone());
    FilterView {
        columns: names.chain(RESERVED.map(str::to_owned)).collect(),
        column: asked.column,
        operators: OPERATORS.into(),
        is: asked.is,
        to: asked.to,
        newest: asked.newest,
        active,
        wrong,
        query: query.finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_asked_is_an_operator() {
        for (name, _) in OPERATORS {
            serde_json::from_value::<Operator>(json!(name)).unwrap();
        }
    }
}
