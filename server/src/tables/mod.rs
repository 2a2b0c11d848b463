//! Data tables: rows that workflows and people share. Everything that changes a table goes through here: columns and values are checked
//! against the table as it is while its lock is held, so nothing half is ever written.
//!
//! A step's change carries its idempotency key, and is noted under it in the transaction that makes it. A repeat after a crash, or after an
//! answer that got lost, finds the note and changes nothing.

mod change;
mod door;
mod schema;

pub use change::{Change, Done, Which};
pub use door::WorkspaceTables;
pub use schema::{NewColumns, Reshape};

use crate::{
    clock::Clock,
    store::{
        self,
        data_rows::{self, At, Order},
        data_tables::{self, Stored},
    },
};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Semaphore;
use towpath_engine::{
    Json, Object,
    ids::{RowId, TableId, WorkspaceId},
    table::{Wrong, filter::Filter},
    workflow::{Step, Workflow},
};

/// The most tables of a workspace.
pub const MOST_TABLES: i64 = 200;
/// The most rows of a table; the database holds it, too.
pub const MOST_ROWS: usize = 100_000;
/// The most rows that one step or one request adds.
pub const MOST_ADDED: usize = 10_000;
/// The most rows that one step or one request reads.
pub const MOST_FOUND: i64 = 1_000;
/// Changes that may be under way at the same time, each on a connection of its own: those of one table wait for each other, and must not
/// leave pages without connections.
const AT_ONCE: usize = 4;

/// All tables of all workspaces. Cloning it is cheap.
#[derive(Clone)]
pub struct Tables {
    pool: PgPool,
    clock: Clock,
    turns: Arc<Semaphore>,
}

/// Why something about a table was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("There is no such table.")]
    NoTable,
    #[error("There is no such row.")]
    NoRow,
    /// A value, a column or a condition doesn't fit.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// Of several rows one doesn't fit: which, counted from 1.
    #[error("Row {0}: {1}")]
    WrongRow(usize, Wrong),
    /// It clashes with what is there, as a sentence.
    #[error("{0}")]
    Clash(String),
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        match &error {
            store::Error::NotFound => Self::NoTable,
            store::Error::Conflict(name) if name == "data_table_name" => {
                Self::Clash("Another table has this name. Choose one that tells them apart.".to_owned())
            }
            store::Error::Conflict(name) if name == "data_table_full" => {
                Self::Clash("The table would have more than 100,000 rows, and that is the most. Nothing was added.".to_owned())
            }
            store::Error::Conflict(name) if name == "data_row_size" => {
                Self::Clash("A row would have more than 128 KB, and that is the most. Nothing was changed.".to_owned())
            }
            _ => Self::Store(error),
        }
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        store::Error::from(error).into()
    }
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Query {
    pub filter: Filter,
    pub order: Order,
    pub limit: i64,
}

impl Tables {
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// A table by its id, or by its name as files write it.
    pub async fn named(&self, workspace: WorkspaceId, table: &str) -> Result<Stored, Refused> {
        let table = table.trim();
        if let Ok(id) = table.parse::<TableId>() {
            return Ok(data_tables::find(&self.pool, workspace, id).await?);
        }
        if table.contains('\0') {
            return Err(Refused::NoTable);
        }
        Ok(data_tables::find_named(&self.pool, workspace, table).await?)
    }

    /// The same workflow with its tables named by their names, as files have it. What names a table that is gone stays as it is.
    pub async fn by_name(&self, workspace: WorkspaceId, mut document: Workflow) -> Result<Workflow, Refused> {
        if document.placed().any(|placed| placed.step.operation.starts_with("table.")) {
            let tables = self.list(workspace, None, MOST_TABLES).await?;
            name_tables(&mut document.steps, &tables);
        }
        Ok(document)
    }

    pub async fn find(&self, workspace: WorkspaceId, id: TableId) -> Result<Stored, Refused> {
        Ok(data_tables::find(&self.pool, workspace, id).await?)
    }

    /// The tables by name, after a name.
    pub async fn list(&self, workspace: WorkspaceId, after: Option<&str>, limit: i64) -> Result<Vec<Stored>, Refused> {
        Ok(data_tables::list(&self.pool, workspace, after, limit).await?)
    }

    /// Deletes a table with its rows.
    pub async fn delete(&self, workspace: WorkspaceId, id: TableId) -> Result<(), Refused> {
        Ok(data_tables::delete(&self.pool, workspace, id).await?)
    }

    /// The rows that are meant.
    pub async fn rows(&self, workspace: WorkspaceId, table: TableId, query: &Query) -> Result<Vec<data_rows::Stored>, Refused> {
        Ok(data_rows::find(&self.pool, At { workspace, table }, &query.filter, &query.order, query.limit).await?)
    }

    /// The rows that are meant in the order in which they were added (or the other way round), after a row.
    pub async fn page(
        &self,
        workspace: WorkspaceId,
        table: TableId,
        filter: &Filter,
        from: (Option<RowId>, bool),
        limit: i64,
    ) -> Result<Vec<data_rows::Stored>, Refused> {
        Ok(data_rows::page(&self.pool, At { workspace, table }, filter, from, limit).await?)
    }

    /// How many rows are meant.
    pub async fn count(&self, workspace: WorkspaceId, table: TableId, filter: &Filter) -> Result<i64, Refused> {
        Ok(data_rows::count(&self.pool, At { workspace, table }, filter).await?)
    }

    /// One row.
    pub async fn row(&self, workspace: WorkspaceId, table: TableId, row: RowId) -> Result<data_rows::Stored, Refused> {
        let query = Query { filter: only(row), order: oldest_first(), limit: 1 };
        self.rows(workspace, table, &query).await?.pop().ok_or(Refused::NoRow)
    }
}

fn name_tables(lane: &mut [Step], tables: &[Stored]) {
    for step in lane {
        if step.operation.starts_with("table.")
            && let Some(named) = step.input.get_mut("table")
            && let Some(id) = named.as_str().and_then(|text| text.trim().parse::<TableId>().ok())
            && let Some(table) = tables.iter().find(|table| table.id == id)
        {
            *named = table.name.as_str().into();
        }
        step.inner_mut().for_each(|lane| name_tables(lane, tables));
    }
}

/// This row and no other.
pub fn only(row: RowId) -> Filter {
    use towpath_engine::table::filter::{Ask, Place};
    Filter::Ask { of: Place::Id, ask: Ask::Is(row.to_string().into()) }
}

/// In the order in which rows were added.
pub fn oldest_first() -> Order {
    Order { by: towpath_engine::table::filter::Place::Id, descending: false }
}

/// A row as people, expressions and the API see it.
pub fn shown(table: &Stored, row: &data_rows::Stored) -> Object {
    use chrono::SecondsFormat;
    let time = |at: chrono::DateTime<chrono::Utc>| Json::from(at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let mut shown = Object::new();
    shown.insert("id".into(), row.id.to_string().into());
    shown.extend(table.schema.shown(&row.document));
    shown.insert("created_at".into(), time(row.created_at));
    shown.insert("updated_at".into(), time(row.updated_at));
    shown
}

#[cfg(test)]
mod tests;
