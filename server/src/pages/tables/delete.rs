//! Deleting a table, after saying what goes with it.

use super::rows;
use crate::{
    api::tables::{refused, used_by},
    app::App,
    auth::Actor,
    pages,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    response::{Redirect, Response},
};
use towpath_engine::ids::TableId;
use towpath_web::{layout::Area, tables::delete::Delete};

/// `GET /tables/{table}/delete`
pub async fn ask(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let used = used_by(&app, &actor, &table).await?;
    pages::html(&Delete {
        page: actor.page(format!("Delete {}", table.name), Area::Tables),
        id: id.to_string(),
        name: table.name,
        rows: rows(table.rows.into()),
        used_by: used.into_iter().map(|it| (it.workflow.to_string(), it.name, it.published)).collect(),
    })
}

/// `POST /tables/{table}/delete`
pub async fn submit(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Redirect, Problem> {
    app.tables.delete(actor.workspace, id).await.map_err(refused)?;
    Ok(Redirect::to("/tables?done=deleted"))
}
