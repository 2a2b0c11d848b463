//! The tables of one workspace, as steps meet them.

use super::{Change, MOST_FOUND, Query, Refused, Tables, oldest_first, shown};
use crate::store::{self, data_rows::Order, data_tables::Stored};
use futures_util::future::BoxFuture;
use serde_json::json;
use towpath_connectors::sdk::{
    self,
    tables::{Asked, Listed, Wanted},
};
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    ids::WorkspaceId,
    table::filter::{Filter, Place},
};
use uuid::Uuid;

/// Opens a workspace's tables to its steps.
#[derive(Clone)]
pub struct WorkspaceTables {
    tables: Tables,
    workspace: WorkspaceId,
}

impl WorkspaceTables {
    pub fn new(tables: Tables, workspace: WorkspaceId) -> Self {
        Self { tables, workspace }
    }

    async fn named(&self, table: &str) -> Result<Stored, StepError> {
        self.tables.named(self.workspace, table).await.map_err(|refused| match refused {
            Refused::NoTable => StepError::new(ErrorKind::NotFound, "The table of this step is gone.")
                .hint("Open the step and choose a table.")
                .field("table"),
            other => told(other, "table"),
        })
    }
}

impl sdk::tables::Tables for WorkspaceTables {
    fn change<'a>(&'a self, table: &'a str, wanted: Wanted, key: Uuid) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(async move {
            let table = self.named(table).await?;
            let (field, change) = match wanted {
                Wanted::Insert { rows, unknown } => ("row", Change::Insert { rows, unknown }),
                Wanted::Upsert { rows, unknown } => ("row", Change::Upsert { rows, unknown }),
                Wanted::Update { which, values } => ("row", Change::Update { which: super::Which::Where(which), values }),
                Wanted::Delete { which } => ("where", Change::Delete { which: super::Which::Where(which) }),
            };
            let done = match &change {
                Change::Insert { .. } => {
                    |done: &super::Done| json!({ "count": done.added, "id": done.ids.first(), "ids": done.ids })
                }
                Change::Upsert { .. } => {
                    |done: &super::Done| json!({ "count": done.added + done.changed, "added": done.added, "changed": done.changed })
                }
                Change::Delete { .. } => |done: &super::Done| json!({ "count": done.deleted }),
                _ => |done: &super::Done| json!({ "count": done.changed }),
            };
            match self.tables.change(self.workspace, table.id, change, Some(key)).await {
                Ok(came) => Ok(done(&came)),
                Err(refused) => Err(told(refused, field)),
            }
        })
    }

    fn find<'a>(&'a self, table: &'a str, asked: Asked) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(async move {
            let table = self.named(table).await?;
            let filter = Filter::read(&table.schema, &asked.which).map_err(|wrong| told(wrong.into(), "where"))?;
            let by = match asked.sort.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
                None => oldest_first().by,
                Some(name) => match (name, table.schema.column(name)) {
                    (_, Some(column)) => Place::Column { id: column.id.clone(), kind: column.kind },
                    ("created_at", None) => Place::CreatedAt,
                    ("updated_at", None) => Place::UpdatedAt,
                    (name, None) => return Err(told(table.schema.no_column(name).into(), "sort")),
                },
            };
            let limit = i64::from(asked.limit).clamp(1, MOST_FOUND);
            // One more than is handed on, to know whether there are more.
            let query = Query { filter, order: Order { by, descending: asked.descending }, limit: limit + 1 };
            let found = self.tables.rows(self.workspace, table.id, &query).await.map_err(|refused| told(refused, "where"))?;
            let more = i64::try_from(found.len()).unwrap_or(i64::MAX) > limit;
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let rows: Vec<Json> = found.iter().take(limit).map(|row| Json::Object(shown(&table, row))).collect();
            Ok(json!({ "found": !rows.is_empty(), "count": rows.len(), "first": rows.first(), "rows": rows, "more": more }))
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, StepError>> {
        Box::pin(async move {
            let tables = self.tables.list(self.workspace, None, super::MOST_TABLES).await;
            let tables = tables.map_err(|refused| told(refused, "table"))?;
            Ok(tables.into_iter().map(|it| Listed { id: it.id.to_string(), name: it.name, schema: it.schema }).collect())
        })
    }
}

/// What was refused, as a step says it.
fn told(refused: Refused, field: &str) -> StepError {
    let message = refused.to_string();
    match refused {
        Refused::NoTable | Refused::NoRow => StepError::new(ErrorKind::NotFound, message).field(field),
        Refused::Wrong(_) | Refused::WrongRow(..) => {
            StepError::invalid_input(message).hint("Look at what the step is given, or at the table's columns.").field(field)
        }
        Refused::Clash(_) => StepError::new(ErrorKind::Conflict, message).field(field),
        Refused::Store(store::Error::Unavailable(_)) => {
            StepError::new(ErrorKind::Unavailable, "The table could not be reached: the database is unavailable.")
        }
        Refused::Store(error) => {
            tracing::error!(%error, source = ?std::error::Error::source(&error), "a data table's statement failed");
            StepError::new(ErrorKind::Internal, "The table could not be read or changed. The details are in the server's log.")
        }
    }
}
