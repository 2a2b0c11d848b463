//! The form of a table's name, columns and key.

use super::is_mistake;
use crate::{
    api::tables::{refused, used_by},
    app::App,
    auth::Actor,
    pages,
    problem::Problem,
    store::data_tables::Stored,
    tables::{Refused, Reshape},
};
use axum::{
    extract::{Form, Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use std::collections::HashSet;
use towpath_engine::{
    ids::TableId,
    table::{Column, ColumnKind},
};
use towpath_web::{
    layout::Area,
    tables::columns::{ColumnView, Columns},
};

#[derive(Default)]
struct Line {
    id: String,
    name: String,
    kind: String,
    options: String,
    required: bool,
    key: bool,
    remove: bool,
}

#[derive(Default)]
struct Typed {
    name: String,
    lines: Vec<Line>,
}

impl Typed {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        let mut ticked = HashSet::new();
        for (name, value) in pairs {
            match (name.as_str(), typed.lines.last_mut()) {
                ("name", _) => typed.name = value,
                ("id", _) => typed.lines.push(Line { id: value, ..Line::default() }),
                ("column", Some(line)) => line.name = value,
                ("kind", Some(line)) => line.kind = value,
                ("options", Some(line)) => line.options = value,
                _ => {
                    ticked.insert(name);
                }
            }
        }
        for (at, line) in typed.lines.iter_mut().enumerate() {
            line.required = ticked.contains(&format!("required-{at}"));
            line.key = ticked.contains(&format!("key-{at}"));
            line.remove = ticked.contains(&format!("remove-{at}"));
        }
        typed
    }

    fn of_table(table: &Stored) -> Self {
        let line = |column: &Column| Line {
            id: column.id.clone(),
            name: column.name.clone(),
            kind: column.kind.name().to_owned(),
            options: column.options.join("\n"),
            required: column.required,
            key: table.schema.key.contains(&column.id),
            remove: false,
        };
        Self { name: table.name.clone(), lines: table.schema.columns.iter().map(line).collect() }
    }

    fn reshape(&self) -> Reshape {
        let kept = || self.lines.iter().filter(|line| !(line.remove || line.id.is_empty() && line.name.trim().is_empty()));
        let column = |line: &Line| Column {
            id: line.id.clone(),
            name: line.name.clone(),
            kind: ColumnKind::of_name(&line.kind).unwrap_or(ColumnKind::Text),
            required: line.required,
            options: line.options.lines().map(str::to_owned).collect(),
        };
        Reshape {
            name: Some(self.name.clone()),
            columns: Some(kept().map(column).collect()),
            key: Some(kept().filter(|line| line.key).map(|line| line.name.clone()).collect()),
        }
    }
}

/// `GET /tables/{table}/columns`
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    form(&app, &actor, &table, Typed::of_table(&table), None).await
}

/// `POST /tables/{table}/columns`
pub async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let typed = Typed::of(pairs);
    match app.tables.reshape(actor.workspace, id, typed.reshape()).await {
        Ok(_) => Ok(Redirect::to(&format!("/tables/{id}?done=saved")).into_response()),
        Err(error) if is_mistake(&error) => form(&app, &actor, &table, typed, Some(error)).await,
        Err(error) => Err(refused(error)),
    }
}

async fn form(app: &App, actor: &Actor, table: &Stored, mut typed: Typed, refused: Option<Refused>) -> Result<Response, Problem> {
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    // One line waits for another column.
    if typed.lines.last().is_none_or(|line| !line.id.is_empty()) {
        typed.lines.push(Line { kind: "text".to_owned(), ..Line::default() });
    }
    let used = used_by(app, actor, table).await?;
    let column = |line: Line| ColumnView {
        kind_title: ColumnKind::of_name(&line.kind).unwrap_or(ColumnKind::Text).title(),
        id: line.id,
        name: line.name,
        kind: line.kind,
        required: line.required,
        key: line.key,
        options: line.options,
        removed: line.remove,
    };
    let view = Columns {
        page: actor.page(format!("Columns · {}", table.name), Area::Tables),
        id: table.id.to_string(),
        name: typed.name,
        columns: typed.lines.into_iter().map(column).collect(),
        kinds: ColumnKind::ALL.map(|kind| (kind.name(), kind.title())).into(),
        mistake: refused.map(|refused| refused.to_string()),
        used_by: used.into_iter().map(|it| (it.workflow.to_string(), it.name)).collect(),
        rows: table.rows,
    };
    Ok((status, pages::html(&view)?).into_response())
}
