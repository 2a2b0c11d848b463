//! Data tables as JSON: what they are, and their files. Their rows are in [`rows`].

pub mod csv;
pub mod rows;

use super::{
    extract::Sent,
    page::{Page, Window},
    variables::UsedBy,
};
use crate::{
    app::App,
    auth::Actor,
    problem::{Code, Problem},
    store::{self, data_tables::Stored, workflow_list},
    tables::{NewColumns, Refused, Reshape},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::{Json, ids::TableId, table::Column, workflow::Workflow};

/// A data table.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DataTable")]
pub struct TableView {
    id: TableId,
    name: String,
    columns: Vec<Column>,
    /// The names of the columns that tell its rows apart.
    key: Vec<String>,
    /// How many rows it has.
    rows: i32,
    created_at: DateTime<Utc>,
    /// When a row or a column last changed.
    updated_at: DateTime<Utc>,
}

/// A data table and the workflows that name it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DataTableWithUse")]
pub struct TableWithUse {
    #[serde(flatten)]
    table: TableView,
    used_by: Vec<UsedBy>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewDataTable")]
#[serde(deny_unknown_fields)]
pub struct New {
    #[schemars(length(min = 1, max = 60))]
    name: String,
    #[schemars(length(min = 1, max = 100))]
    columns: Vec<Column>,
    /// The names of the columns that tell its rows apart.
    #[serde(default)]
    #[schemars(length(max = 5))]
    key: Vec<String>,
}

/// A change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DataTableChange")]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    name: Option<String>,
    /// All columns. Those with the id of one that is there stay, and may have another name; those without an id are new; what isn't
    /// among them goes, with everything that stands in it. A column's kind can't be changed.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    columns: Option<Vec<Column>>,
    #[serde(default)]
    #[schemars(length(max = 5))]
    key: Option<Vec<String>>,
}

fn view(stored: Stored) -> TableView {
    let key = stored.schema.key_names().into_iter().map(str::to_owned).collect();
    TableView {
        id: stored.id,
        name: stored.name,
        columns: stored.schema.columns,
        key,
        rows: stored.rows,
        created_at: stored.created_at,
        updated_at: stored.updated_at,
    }
}

/// `GET /api/v1/tables`: by name.
pub async fn list(State(app): State<App>, actor: Actor, window: Window<String>) -> Result<Body<Page<TableView>>, Problem> {
    // The database takes no NUL, and no name has one.
    let after = window.after.as_deref().map(|after| after.replace('\0', ""));
    let tables = app.tables.list(actor.workspace, after.as_deref(), window.rows()).await.map_err(refused)?;
    Ok(Body(window.page(tables, |table| table.name.clone(), view)))
}

/// `POST /api/v1/tables`: 201 with the new table.
pub async fn post(State(app): State<App>, actor: Actor, Sent(new): Sent<New>) -> Result<(StatusCode, Body<TableView>), Problem> {
    let columns = NewColumns { columns: new.columns, key: new.key };
    let id = app.tables.create(actor.workspace, &new.name, columns, actor.person).await.map_err(refused)?;
    Ok((StatusCode::CREATED, Body(view(app.tables.find(actor.workspace, id).await.map_err(refused)?))))
}

/// `GET /api/v1/tables/{table}`
pub async fn get(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Body<TableWithUse>, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let used_by = used_by(&app, &actor, &table).await?;
    Ok(Body(TableWithUse { table: view(table), used_by }))
}

/// `PUT /api/v1/tables/{table}`
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Sent(change): Sent<Change>,
) -> Result<Body<TableView>, Problem> {
    let reshape = Reshape { name: change.name, columns: change.columns, key: change.key };
    Ok(Body(view(app.tables.reshape(actor.workspace, id, reshape).await.map_err(refused)?)))
}

/// `DELETE /api/v1/tables/{table}`: with its rows. Steps that name it fail from now on, and say why.
pub async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<StatusCode, Problem> {
    app.tables.delete(actor.workspace, id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was refused, as a problem.
pub(crate) fn refused(refused: Refused) -> Problem {
    let message = refused.to_string();
    match refused {
        Refused::NoTable | Refused::NoRow => Problem::not_found(),
        // It is well said, and clashes with what the table is.
        Refused::Wrong(wrong) | Refused::WrongRow(_, wrong) => Problem::clash(wrong.column.unwrap_or_default(), message),
        Refused::Clash(message) => Problem::new(Code::Conflict, message),
        Refused::Store(error @ store::Error::Unavailable(_)) => error.into(),
        Refused::Store(error) => Problem::internal(error),
    }
}

/// The workflows whose draft or running version has a step on this table.
pub(crate) async fn used_by(app: &App, actor: &Actor, table: &Stored) -> Result<Vec<UsedBy>, Problem> {
    let mut used = Vec::new();
    for it in workflow_list::mentioning(&app.pool, actor.workspace, "table.").await? {
        let names = |document: Json| serde_json::from_value::<Workflow>(document).is_ok_and(|workflow| names(&workflow, table));
        let published = it.published.is_some_and(names);
        if published || names(it.draft) {
            used.push(UsedBy { workflow: it.workflow, name: it.name, published });
        }
    }
    Ok(used)
}

fn names(workflow: &Workflow, table: &Stored) -> bool {
    let mut steps = workflow.placed().map(|placed| placed.step).filter(|step| step.operation.starts_with("table."));
    steps.any(|step| {
        let named = step.input.get("table").and_then(Json::as_str).unwrap_or_default().trim();
        named.parse() == Ok(table.id) || named.to_lowercase() == table.name.to_lowercase()
    })
}
