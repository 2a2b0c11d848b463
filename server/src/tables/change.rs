//! Changes of rows, each in one transaction that holds the table's lock.

use super::{MOST_ADDED, Refused, Tables};
use crate::store::{
    self,
    data_rows::{self, At},
    data_tables::{self, Stored},
    data_writes,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::HashSet;
use towpath_engine::{
    Object,
    condition::Conditions,
    ids::{RowId, TableId, WorkspaceId},
    table::{Extent, Unknown, Wrong, filter::Filter, sheet::Fitted},
};
use uuid::Uuid;

/// Ids that are kept in what a change is answered with.
const MOST_IDS: usize = 1_000;

/// A change of a table's rows. Values are by the names of their columns.
#[derive(Clone, Debug)]
pub enum Change {
    Insert {
        rows: Vec<Object>,
        unknown: Unknown,
    },
    /// Adds rows, or changes those that have the same key.
    Upsert {
        rows: Vec<Object>,
        unknown: Unknown,
    },
    Update {
        which: Which,
        values: Object,
    },
    Delete {
        which: Which,
    },
    /// The lines of a file; with `upsert` those whose key is there change it.
    Import {
        fitted: Fitted,
        upsert: bool,
    },
}

/// Which rows a change is about.
#[derive(Clone, Debug)]
pub enum Which {
    Row(RowId),
    Where(Conditions),
}

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "RowsChanged")]
pub struct Done {
    pub added: i64,
    pub changed: i64,
    pub deleted: i64,
    /// Of the rows that were added: the first thousand.
    #[serde(default)]
    pub ids: Vec<RowId>,
}

impl Tables {
    /// Makes a change. With a key it is made once, however often it is asked for: a repeat is answered with what came of the first.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was changed then.
    pub async fn change(&self, workspace: WorkspaceId, id: TableId, change: Change, key: Option<Uuid>) -> Result<Done, Refused> {
        let _turn = self.turns.acquire().await.map_err(|_| store::Error::Unavailable(sqlx::Error::PoolClosed))?;
        let now = self.clock.now();
        let mut transaction = self.pool.begin().await?;
        let table = data_tables::lock(&mut transaction, workspace, id).await?;
        if let Some(key) = key
            && let Some(answer) = data_writes::find(&mut transaction, workspace, key).await?
        {
            return serde_json::from_value(answer)
                .map_err(|error| store::Error::Query(sqlx::Error::Decode(Box::new(error))).into());
        }
        let done = Changing { at: At { workspace, table: id }, table: &table, now }.make(&mut transaction, change).await?;
        if let Some(key) = key {
            let answer = serde_json::to_value(&done).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
            data_writes::insert(&mut transaction, workspace, key, id, &answer, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

struct Changing<'a> {
    at: At,
    table: &'a Stored,
    now: DateTime<Utc>,
}

impl Changing<'_> {
    async fn make(&self, connection: &mut PgConnection, change: Change) -> Result<Done, Refused> {
        match change {
            Change::Insert { rows, unknown } => {
                let rows = self.read(rows, unknown)?;
                self.insert(connection, rows).await
            }
            Change::Upsert { rows, unknown } => {
                let rows = self.read(rows, unknown)?;
                self.upsert(connection, rows).await
            }
            Change::Update { which, values } => self.update(connection, &which, &values).await,
            Change::Delete { which } => self.delete(connection, &which).await,
            Change::Import { fitted, upsert } => {
                let rows = fitted.rows.into_iter().map(|(_, row)| row).collect();
                if upsert { self.upsert(connection, rows).await } else { self.insert(connection, rows).await }
            }
        }
    }

    /// Reads rows; a mistake says which row it is in, where there are several.
    fn read(&self, rows: Vec<Object>, unknown: Unknown) -> Result<Vec<Object>, Refused> {
        if rows.len() > MOST_ADDED {
            return Err(Wrong::new(format!("{} rows are too many at once; 10,000 is the most.", rows.len())).into());
        }
        let alone = rows.len() == 1;
        let read = rows.iter().enumerate().map(|(at, row)| {
            self.table.schema.row(row, Extent::Whole, unknown).map_err(|wrong| match alone {
                true => Refused::Wrong(wrong),
                false => Refused::WrongRow(at + 1, wrong),
            })
        });
        read.collect()
    }

    async fn insert(&self, connection: &mut PgConnection, rows: Vec<Object>) -> Result<Done, Refused> {
        if rows.is_empty() {
            return Ok(Done::default());
        }
        let key = &self.table.schema.key;
        self.told_apart(&rows)?;
        let (rows, ids) = with_ids(rows);
        let written = data_rows::insert(&mut *connection, self.at, &rows, key, self.now).await?;
        if usize::try_from(written).unwrap_or(usize::MAX) < rows.len() {
            // What was written goes with the transaction.
            let there = data_rows::first_there(&mut *connection, self.at, &rows, key).await?;
            let words = there.map(|there| self.key_in_words(&there)).unwrap_or_else(|| "the same key".to_owned());
            return Err(Refused::Clash(format!(
                "There is a row already with {words}. To change rows that are there, use “Insert or change rows”."
            )));
        }
        let added = self.count(connection, rows.len()).await?;
        Ok(Done { added, ids, ..Done::default() })
    }

    async fn upsert(&self, connection: &mut PgConnection, rows: Vec<Object>) -> Result<Done, Refused> {
        let key = &self.table.schema.key;
        if key.is_empty() {
            return Err(Refused::Clash(format!(
                "Nothing tells the rows of “{}” apart. Open the table, and choose under Columns which ones are its key.",
                self.table.name
            )));
        }
        if rows.is_empty() {
            return Ok(Done::default());
        }
        let (rows, _) = with_ids(rows);
        let (added, changed) = data_rows::upsert(&mut *connection, self.at, &rows, key, self.now).await?;
        self.count(connection, usize::try_from(added).unwrap_or_default()).await?;
        Ok(Done { added, changed, ..Done::default() })
    }

    async fn update(&self, connection: &mut PgConnection, which: &Which, values: &Object) -> Result<Done, Refused> {
        let schema = &self.table.schema;
        let patch = schema.row(values, Extent::Part { with_key: false }, Unknown::Refuse)?;
        let filter = self.filter(which)?;
        let changed = data_rows::update(connection, self.at, &filter, &patch, &schema.key, self.now).await;
        let changed = changed.map_err(|error| self.same_key(error))?;
        if changed == 0 && matches!(which, Which::Row(_)) {
            return Err(Refused::NoRow);
        }
        Ok(Done { changed: i64::try_from(changed).unwrap_or(i64::MAX), ..Done::default() })
    }

    async fn delete(&self, connection: &mut PgConnection, which: &Which) -> Result<Done, Refused> {
        let filter = self.filter(which)?;
        let deleted = data_rows::delete(&mut *connection, self.at, &filter).await?;
        if deleted == 0 && matches!(which, Which::Row(_)) {
            return Err(Refused::NoRow);
        }
        let gone = i32::try_from(deleted).unwrap_or(i32::MAX);
        data_tables::count_rows(connection, self.at.workspace, self.at.table, -gone, self.now).await?;
        Ok(Done { deleted: gone.into(), ..Done::default() })
    }

    fn filter(&self, which: &Which) -> Result<Filter, Refused> {
        match which {
            Which::Row(row) => Ok(super::only(*row)),
            Which::Where(conditions) => Ok(Filter::read(&self.table.schema, conditions)?),
        }
    }

    async fn count(&self, connection: &mut PgConnection, added: usize) -> Result<i64, Refused> {
        let added = i32::try_from(added).unwrap_or(i32::MAX);
        data_tables::count_rows(connection, self.at.workspace, self.at.table, added, self.now).await?;
        Ok(added.into())
    }

    /// Do two of the rows have one key?
    fn told_apart(&self, rows: &[Object]) -> Result<(), Refused> {
        let key = &self.table.schema.key;
        if key.is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::with_capacity(rows.len());
        let of = |row: &Object| key.iter().map(|id| row.get(id).map(ToString::to_string)).collect::<Vec<_>>();
        match rows.iter().find(|row| !seen.insert(of(row))) {
            Some(row) => Err(Refused::Clash(format!("Two of the rows have {}. Nothing was added.", self.key_in_words(row)))),
            None => Ok(()),
        }
    }

    fn same_key(&self, error: store::Error) -> Refused {
        match error {
            store::Error::Conflict(name) if name == "data_row_key_once" => Refused::Clash(format!(
                "Two rows would have the same {}. Nothing was changed.",
                self.table.schema.key_names().join(" and ")
            )),
            other => other.into(),
        }
    }

    /// `email = ada@example.com`
    fn key_in_words(&self, row: &Object) -> String {
        let schema = &self.table.schema;
        let columns = schema.key.iter().filter_map(|id| schema.by_id(id));
        let words = columns.map(|column| {
            let value = row.get(&column.id).map(towpath_connectors::sdk::value::text).unwrap_or_default();
            format!("{} = {value}", column.name)
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

fn with_ids(rows: Vec<Object>) -> (Vec<(RowId, Object)>, Vec<RowId>) {
    let rows: Vec<_> = rows.into_iter().map(|row| (RowId::new(), row)).collect();
    let ids = rows.iter().take(MOST_IDS).map(|(id, _)| *id).collect();
    (rows, ids)
}
