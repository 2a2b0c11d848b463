//! The form of a row: a new one, one to change, one to delete.

use super::is_mistake;
use crate::{
    api::tables::refused,
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
    store::data_tables::Stored,
    tables::{Change, Refused, Which},
};
use axum::{
    extract::{Form, Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::SecondsFormat;
use std::collections::HashMap;
use towpath_connectors::sdk::value;
use towpath_engine::{
    Json, Object,
    ids::{RowId, TableId},
    table::{Column, ColumnKind, Unknown, Wrong},
};
use towpath_web::{
    layout::Area,
    tables::row::{Field, RowForm},
};

type Typed = HashMap<String, String>;

/// `GET /tables/{table}/rows/new`
pub async fn new(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    form(&actor, &table, None, &Typed::new(), None)
}

/// `POST /tables/{table}/rows`
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let done = match values(&table, &typed) {
        Ok(row) => {
            let change = Change::Insert { rows: vec![row], unknown: Unknown::Refuse };
            app.tables.change(actor.workspace, id, change, None).await
        }
        Err(wrong) => Err(wrong.into()),
    };
    match done {
        Ok(_) => Ok(Redirect::to(&format!("/tables/{id}?newest=true&done=saved")).into_response()),
        Err(error) if is_mistake(&error) => form(&actor, &table, None, &typed, Some(error)),
        Err(error) => Err(refused(error)),
    }
}

/// `GET /tables/{table}/rows/{row}`
pub async fn show(State(app): State<App>, actor: Actor, Path((id, row)): Path<(TableId, RowId)>) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let found = app.tables.row(actor.workspace, id, row).await.map_err(refused)?;
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let times = (time(found.created_at), time(found.updated_at));
    let null = Json::Null;
    let written = table.schema.columns.iter().map(|column| {
        let stored = found.document.get(&column.id).unwrap_or(&null);
        let text = match (column.kind, stored) {
            (ColumnKind::Json, Json::Null) => String::new(),
            (ColumnKind::Json, stored) => serde_json::to_string_pretty(stored).unwrap_or_default(),
            (_, stored) => value::text(stored),
        };
        (format!("f_{}", column.id), text)
    });
    form(&actor, &table, Some((row, times)), &written.collect(), None)
}

/// `POST /tables/{table}/rows/{row}`
pub async fn save(
    State(app): State<App>,
    actor: Actor,
    Path((id, row)): Path<(TableId, RowId)>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let found = app.tables.row(actor.workspace, id, row).await.map_err(refused)?;
    let done = match values(&table, &typed) {
        Ok(values) => app.tables.change(actor.workspace, id, Change::Update { which: Which::Row(row), values }, None).await,
        Err(wrong) => Err(wrong.into()),
    };
    match done {
        Ok(_) => Ok(Redirect::to(&format!("/tables/{id}?done=saved")).into_response()),
        Err(error) if is_mistake(&error) => {
            let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
            form(&actor, &table, Some((row, (time(found.created_at), time(found.updated_at)))), &typed, Some(error))
        }
        Err(error) => Err(refused(error)),
    }
}

/// `POST /tables/{table}/rows/{row}/delete`
pub async fn delete(State(app): State<App>, actor: Actor, Path((id, row)): Path<(TableId, RowId)>) -> Result<Redirect, Problem> {
    let change = Change::Delete { which: Which::Row(row) };
    app.tables.change(actor.workspace, id, change, None).await.map_err(refused)?;
    Ok(Redirect::to(&format!("/tables/{id}?done=deleted")))
}

/// What was typed, by the columns' names. Fields that were not sent stay as they are.
fn values(table: &Stored, typed: &Typed) -> Result<Object, Wrong> {
    let mut row = Object::new();
    for column in &table.schema.columns {
        let Some(text) = typed.get(&format!("f_{}", column.id)) else { continue };
        let json = match column.kind {
            ColumnKind::Json if !text.trim().is_empty() => serde_json::from_str(text).map_err(|error| Wrong {
                column: Some(column.name.clone()),
                message: format!("“{}” holds JSON, and this is none: {error}.", column.name),
            })?,
            _ => text.replace("\r\n", "\n").into(),
        };
        row.insert(column.name.clone(), json);
    }
    Ok(row)
}

type Times = (String, String);

fn form(
    actor: &Actor,
    table: &Stored,
    row: Option<(RowId, Times)>,
    typed: &Typed,
    refused: Option<Refused>,
) -> Result<Response, Problem> {
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (wrong, mistake) = match refused {
        Some(Refused::Wrong(Wrong { column: Some(column), message })) if table.schema.column(&column).is_some() => {
            (Some((column, message)), None)
        }
        other => (None, other.map(|refused| refused.to_string())),
    };
    let field = |column: &Column| Field {
        id: column.id.clone(),
        name: column.name.clone(),
        kind: column.kind.name(),
        hint: match column.kind {
            ColumnKind::DateTime => "Such as 2026-11-20 10:25, in UTC.",
            _ => "",
        },
        required: column.required || table.schema.key.contains(&column.id),
        options: column.options.clone(),
        value: typed.get(&format!("f_{}", column.id)).cloned().unwrap_or_default(),
        error: wrong.as_ref().filter(|(name, _)| *name == column.name).map(|(_, message)| message.clone()),
    };
    let title = if row.is_some() { "Row" } else { "New row" };
    let (id, times) = row.map_or((None, None), |(id, times)| (Some(id.to_string()), Some(times)));
    let view = RowForm {
        page: actor.page(format!("{title} · {}", table.name), Area::Tables),
        table: table.id.to_string(),
        table_name: table.name.clone(),
        row: id,
        fields: table.schema.columns.iter().map(field).collect(),
        edits: actor.may(Action::EditTables),
        mistake,
        times,
    };
    Ok((status, pages::html(&view)?).into_response())
}
