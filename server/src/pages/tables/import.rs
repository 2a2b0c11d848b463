//! A file for a table: looked at first, then taken in as a whole.

use super::{cell, is_mistake, rows};
use crate::{
    api::tables::{csv, refused},
    app::App,
    auth::Actor,
    pages,
    problem::Problem,
    store::data_tables::Stored,
    tables::Change,
};
use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_engine::{Json, ids::TableId, table::sheet::Fitted};
use towpath_web::{
    layout::Area,
    tables::import::{Import, Preview},
};

/// Rows of a file that are shown.
const SHOWN: usize = 10;

#[derive(Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    csv: String,
    #[serde(default)]
    upsert: bool,
    /// It was looked at.
    #[serde(default)]
    sure: bool,
}

/// `GET /tables/{table}/import`
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    page(&actor, &table, Sent::default(), None)
}

/// `POST /tables/{table}/import`: says what would come of the file; with `sure` it is imported.
pub async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let mut fitted = csv::read(&table, &sent.csv, sent.upsert);
    if fitted.wrong > 0 || !sent.sure {
        let preview = preview(&table, &fitted);
        return page(&actor, &table, sent, Some(preview));
    }
    let change = Change::Import { fitted: std::mem::take(&mut fitted), upsert: sent.upsert };
    match app.tables.change(actor.workspace, id, change, None).await {
        Ok(_) => Ok(Redirect::to(&format!("/tables/{id}?done=imported")).into_response()),
        Err(error) if is_mistake(&error) => {
            fitted.tell(None, error.to_string());
            let preview = preview(&table, &fitted);
            page(&actor, &table, sent, Some(preview))
        }
        Err(error) => Err(refused(error)),
    }
}

fn preview(table: &Stored, fitted: &Fitted) -> Preview {
    let null = Json::Null;
    let columns = &table.schema.columns;
    let first = fitted
        .rows
        .iter()
        .take(SHOWN)
        .map(|(_, row)| columns.iter().map(|column| cell(column.kind, row.get(&column.id).unwrap_or(&null))).collect());
    Preview {
        rows: rows(i64::try_from(fitted.rows.len()).unwrap_or(i64::MAX)),
        wrong: match fitted.wrong {
            1 => "One thing is wrong with this file".to_owned(),
            wrong => format!("{wrong} things are wrong with this file"),
        },
        left_out: fitted.left_out.clone(),
        mistakes: fitted.mistakes.iter().map(|mistake| (mistake.line, mistake.message.clone())).collect(),
        more: fitted.wrong - fitted.mistakes.len(),
        heads: columns.iter().map(|column| column.name.clone()).collect(),
        first: first.collect(),
    }
}

fn page(actor: &Actor, table: &Stored, sent: Sent, preview: Option<Preview>) -> Result<Response, Problem> {
    let names = table.schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    pages::html(&Import {
        page: actor.page(format!("Import · {}", table.name), Area::Tables),
        id: table.id.to_string(),
        name: table.name.clone(),
        columns: names,
        key: table.schema.key_names().join(" and "),
        csv: sent.csv,
        upsert: sent.upsert,
        preview,
    })
}
