//! The data tables of the run's workspace, as actions meet them. Values go by the names of their columns; whoever keeps the tables checks
//! them against what the table is at that moment.

use futures_util::future::BoxFuture;
use towpath_engine::{
    Json, Object,
    condition::Conditions,
    error::{ErrorKind, StepError},
    table::{Schema, Unknown},
};
use uuid::Uuid;

/// A change of a table's rows.
#[derive(Clone, Debug)]
pub enum Wanted {
    Insert {
        rows: Vec<Object>,
        unknown: Unknown,
    },
    /// Adds rows, or changes the ones that have the same key.
    Upsert {
        rows: Vec<Object>,
        unknown: Unknown,
    },
    Update {
        which: Conditions,
        values: Object,
    },
    Delete {
        which: Conditions,
    },
}

/// What is looked for. Conditions name columns, and their expressions are worked out.
#[derive(Clone, Debug)]
pub struct Asked {
    pub which: Conditions,
    /// The name of a column.
    pub sort: Option<String>,
    pub descending: bool,
    pub limit: u32,
}

/// A table that can be chosen.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: String,
    pub name: String,
    pub schema: Schema,
}

/// The door to the tables.
pub trait Tables: Send + Sync {
    /// Makes a change, once for each key: a repeat is answered with what came of the first. `table` is an id or a name.
    fn change<'a>(&'a self, table: &'a str, wanted: Wanted, key: Uuid) -> BoxFuture<'a, Result<Json, StepError>>;

    /// The rows that are looked for.
    fn find<'a>(&'a self, table: &'a str, asked: Asked) -> BoxFuture<'a, Result<Json, StepError>>;

    /// All tables, by name.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, StepError>>;
}

/// No tables: for calls that no workflow makes.
pub struct NoTables;

fn none<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, StepError>> {
    Box::pin(async { Err(StepError::new(ErrorKind::NotFound, "There are no data tables here.")) })
}

impl Tables for NoTables {
    fn change<'a>(&'a self, _: &'a str, _: Wanted, _: Uuid) -> BoxFuture<'a, Result<Json, StepError>> {
        none()
    }

    fn find<'a>(&'a self, _: &'a str, _: Asked) -> BoxFuture<'a, Result<Json, StepError>> {
        none()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, StepError>> {
        none()
    }
}
