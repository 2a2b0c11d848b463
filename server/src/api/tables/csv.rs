//! Data tables as CSV files: in, with a look at what would come of it first, and out.

use super::refused;
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    problem::Problem,
    store::data_tables::Stored,
    tables::{Change, Done, Tables},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::{
    ids::{RowId, TableId, WorkspaceId},
    table::{
        RESERVED,
        filter::Filter,
        sheet::{Fitted, Mistake, Sheet, cell_of, write},
    },
};

/// Rows that an export reads at a time.
const AT_ONCE: i64 = 500;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CsvImport")]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file. Its first line names columns of the table.
    csv: String,
    /// Change the rows whose key is there.
    #[serde(default)]
    upsert: bool,
    /// Only say what would come of it.
    #[serde(default)]
    preview: bool,
}

/// What came of a file, or would.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CsvImported")]
pub struct Imported {
    /// How many rows were read.
    rows: usize,
    /// Columns of the file that the table doesn't have.
    left_out: Vec<String>,
    /// What is wrong, line by line: the first fifty.
    problems: Vec<LineProblem>,
    /// How many lines are wrong. Unless it is 0 nothing is imported.
    wrong: usize,
    /// What was done; null when nothing was.
    done: Option<Done>,
}

#[derive(Serialize, JsonSchema)]
pub struct LineProblem {
    /// As a text editor counts; null when it is about the file as a whole.
    line: Option<u64>,
    message: String,
}

/// `POST /api/v1/tables/{table}/import`: every line, or none.
pub async fn import(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TableId>,
    Sent(import): Sent<Import>,
) -> Result<Body<Imported>, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let fitted = read(&table, &import.csv, import.upsert);
    let mut imported = Imported {
        rows: fitted.rows.len(),
        left_out: fitted.left_out.clone(),
        problems: fitted.mistakes.iter().map(|it| LineProblem { line: it.line, message: it.message.clone() }).collect(),
        wrong: fitted.wrong,
        done: None,
    };
    if imported.wrong == 0 && !import.preview {
        let change = Change::Import { fitted, upsert: import.upsert };
        imported.done = Some(app.tables.change(actor.workspace, id, change, None).await.map_err(refused)?);
    }
    Ok(Body(imported))
}

/// A file, read for a table.
pub(crate) fn read(table: &Stored, text: &str, upsert: bool) -> Fitted {
    let mut fitted = match Sheet::read(text) {
        Ok(sheet) => sheet.fit(&table.schema),
        Err(Mistake { line, message }) => {
            let mut fitted = Fitted::default();
            fitted.tell(line, message);
            return fitted;
        }
    };
    if upsert && table.schema.key.is_empty() {
        fitted.tell(None, "Nothing tells the rows of this table apart: choose its key's columns first.".to_owned());
    }
    if !upsert {
        twice(table, &mut fitted);
    }
    if fitted.wrong == 0 && fitted.rows.is_empty() {
        fitted.tell(None, "The file has no lines after the names of the columns.".to_owned());
    }
    fitted
}

/// Says which lines have the key of an earlier one.
fn twice(table: &Stored, fitted: &mut Fitted) {
    let key = &table.schema.key;
    if key.is_empty() {
        return;
    }
    let mut seen = std::collections::HashMap::new();
    let mut told = Vec::new();
    for (line, row) in &fitted.rows {
        let values: Vec<Option<String>> = key.iter().map(|id| row.get(id).map(ToString::to_string)).collect();
        match seen.entry(values) {
            std::collections::hash_map::Entry::Occupied(first) => {
                let names = table.schema.key_names().join(" and ");
                told.push((*line, format!("Line {} has the same {names}, which tells the rows apart.", first.get())));
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(*line);
            }
        }
    }
    told.into_iter().for_each(|(line, message)| fitted.tell(Some(line), message));
}

/// `GET /api/v1/tables/{table}/export`: all rows as CSV, in the order in which they were added, streamed.
pub async fn export(State(app): State<App>, actor: Actor, Path(id): Path<TableId>) -> Result<Response, Problem> {
    let table = app.tables.find(actor.workspace, id).await.map_err(refused)?;
    let safe: String = table.name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_ ".contains(c) { c } else { '_' }).collect();
    let disposition = format!("attachment; filename=\"{safe}.csv\"; filename*=UTF-8''{}.csv", percent(&table.name));
    let names = RESERVED[..1].iter().copied().chain(table.schema.columns.iter().map(|column| column.name.as_str()));
    let mut head = String::from("\u{feff}");
    head.push_str(&write(&[names.chain(RESERVED[1..].iter().copied()).map(str::to_owned).collect()]));
    let begin =
        Exporting { tables: app.tables.clone(), workspace: actor.workspace, table, after: None, head: Some(head), done: false };
    let body = axum::body::Body::from_stream(stream::unfold(begin, |state| async move { state.next().await }));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

/// A name as RFC 5987 writes it.
fn percent(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

struct Exporting {
    tables: Tables,
    workspace: WorkspaceId,
    table: Stored,
    after: Option<RowId>,
    head: Option<String>,
    done: bool,
}

impl Exporting {
    async fn next(mut self) -> Option<(Result<Bytes, BrokeOff>, Self)> {
        if let Some(head) = self.head.take() {
            return Some((Ok(head.into()), self));
        }
        if self.done {
            return None;
        }
        let page = self.tables.page(self.workspace, self.table.id, &Filter::everything(), (self.after, false), AT_ONCE).await;
        let rows = match page {
            Ok(rows) => rows,
            Err(refused) => {
                self.done = true;
                // The file ends in the middle, and whoever reads it notices.
                return Some((Err(BrokeOff(refused.to_string())), self));
            }
        };
        self.done = i64::try_from(rows.len()).unwrap_or(i64::MAX) < AT_ONCE;
        self.after = rows.last().map(|row| row.id);
        let null = towpath_engine::Json::Null;
        let lines: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let cells = self.table.schema.columns.iter();
                let cells = cells.map(|column| cell_of(column.kind, row.document.get(&column.id).unwrap_or(&null)));
                let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
                std::iter::once(row.id.to_string()).chain(cells).chain([time(row.created_at), time(row.updated_at)]).collect()
            })
            .collect();
        Some((Ok(write(&lines).into()), self))
    }
}

/// Why a file ends in the middle.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off: {0}")]
struct BrokeOff(String);
