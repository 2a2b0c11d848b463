//! The list of tables.

use super::rows;
use crate::{
    api::tables::refused,
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::SecondsFormat;
use serde::Deserialize;
use towpath_web::{
    layout::Area,
    tables::list::{List, Row},
};

/// Rows of one page.
const PAGE: usize = 100;

#[derive(Deserialize)]
pub struct After {
    after: Option<String>,
}

/// `GET /tables`
pub async fn show(State(app): State<App>, actor: Actor, Query(After { after }): Query<After>) -> Result<Response, Problem> {
    let after = after.map(|after| after.replace('\0', ""));
    let mut tables = app.tables.list(actor.workspace, after.as_deref(), PAGE as i64 + 1).await.map_err(refused)?;
    let more = tables.len() > PAGE;
    tables.truncate(PAGE);
    let after = tables.last().filter(|_| more).map(|last| last.name.clone());
    let views = tables.into_iter().map(|it| Row {
        id: it.id.to_string(),
        columns: it.schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        rows: rows(it.rows.into()),
        updated_at: it.updated_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        name: it.name,
    });
    pages::html(&List {
        page: actor.page("Tables", Area::Tables),
        rows: views.collect(),
        edits: actor.may(Action::EditTables),
        after,
    })
}
