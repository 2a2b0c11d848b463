//! The rows of a data table as JSON: objects with the values by the columns' names, and `id`, `created_at` and `updated_at`.

use super::refused;
use crate::{
    api::{
        extract::{Asked, Sent},
        page::{Page, Window},
    },
    app::App,
    auth::Actor,
    problem::Problem,
    tables::{Change, Done, Which, shown},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use towpath_engine::{
    Json, Object,
    condition::Conditions,
    ids::{RowId, TableId},
    table::{Unknown, filter::Filter},
};

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RowsWanted")]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Conditions as JSON, in which `value` names a column: `{"value": "email", "is": "equals", "to": "ada@example.com"}`.
    #[serde(rename = "where")]
    which: Option<String>,
    /// Those that were added last come first.
    #[serde(default)]
    newest: bool,
    /// The `next` of the page before.
    after: Option<RowId>,
    /// How many rows, from 1 to 200; 50 unless given.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// A row: values by the names of the columns.
#[derive(JsonSchema)]
#[schemars(rename = "TableRow", transparent)]
#[allow(dead_code, reason = "describes an object that follows from the table")]
pub struct RowShape(BTreeMap<String, Json>);

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewRows")]
#[serde(deny_unknown_fields)]
pub struct NewRows {
    /// Values by the names of the columns.
    #[schemars(with = "Vec<BTreeMap<String, Json>>", length(max = 10_000))]
    rows: Vec<Object>,
    /// Change the rows whose key is there, instead of refusing all.
    #[serde(default)]
    upsert: bool,
    /// Leave out fields that the table has no column for, instead of refusing all.
    #[serde(default)]
    leave_out: bool,
}

/// `GET /api/v1/tables/{table}/rows`
pub async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Body<Page<Object>>, Problem> {
    let window = Window::new(wanted.after, wanted.limit)?;
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let filter = match wanted.which.as_deref().filter(|text| !text.trim().is_empty()) {
        None => Filter::everything(),
        Some(text) => {
            let conditions: Conditions = serde_json::from_str(text)
                .map_err(|error| Problem::clash("where", format!("These are no conditions: {error}.")))?;
            Filter::read(&table.schema, &conditions).map_err(|wrong| Problem::clash("where", wrong.message))?
        }
    };
    let from = (window.after, wanted.newest);
    let rows = app.tables.page(actor.workspace, id, &filter, from, window.rows()).await.map_err(refused)?;
    Ok(Body(window.page(rows, |row| row.id.to_string(), |row| shown(&table, &row))))
}

/// `POST /api/v1/tables/{table}/rows`: all of them or none.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Sent(new): Sent<NewRows>,
) -> Result<Body<Done>, Problem> {
    let unknown = if new.leave_out { Unknown::LeaveOut } else { Unknown::Refuse };
    let change = match new.upsert {
        true => Change::Upsert { rows: new.rows, unknown },
        false => Change::Insert { rows: new.rows, unknown },
    };
    Ok(Body(app.tables.change(actor.workspace, id, change, None).await.map_err(refused)?))
}

/// `GET /api/v1/tables/{table}/rows/{row}`
pub async fn get(State(app): State<App>, actor: Actor, Path((id, row)): Path<(TableId, RowId)>) -> Result<Body<Object>, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let row = app.tables.row(actor.workspace, id, row).await.map_err(refused)?;
    Ok(Body(shown(&table, &row)))
}

/// `PUT /api/v1/tables/{table}/rows/{row}`: the columns that are sent; the others stay.
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path((id, row)): Path<(TableId, RowId)>,
    Sent(values): Sent<Object>,
) -> Result<Body<Object>, Problem> {
    let change = Change::Update { which: Which::Row(row), values };
    app.tables.change(actor.workspace, id, change, None).await.map_err(refused)?;
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let row = app.tables.row(actor.workspace, id, row).await.map_err(refused)?;
    Ok(Body(shown(&table, &row)))
}

/// `DELETE /api/v1/tables/{table}/rows/{row}`
pub async fn delete(
    State(app): State<App>,
    actor: Actor,
    Path((id, row)): Path<(TableId, RowId)>,
) -> Result<StatusCode, Problem> {
    app.tables.change(actor.workspace, id, Change::Delete { which: Which::Row(row) }, None).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
