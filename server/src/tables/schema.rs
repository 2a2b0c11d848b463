//! Making tables, and changing their names, columns and keys. A change that doesn't fit the rows that are there is refused as a whole.

use super::{MOST_TABLES, Refused, Tables};
use crate::store::{
    self,
    data_rows::{self, At},
    data_tables::{self, Stored},
};
use std::collections::HashSet;
use towpath_engine::{
    ids::{PersonId, TableId, WorkspaceId},
    table::{Column, Schema, Wrong, name},
};

/// The columns of a table as people say them: the key by names.
#[derive(Clone, Debug, Default)]
pub struct NewColumns {
    pub columns: Vec<Column>,
    pub key: Vec<String>,
}

/// A change of a table; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct Reshape {
    pub name: Option<String>,
    /// All columns: those with an id stay and may have another name, those without are new, and those that are not among them go, with
    /// everything that stands in them.
    pub columns: Option<Vec<Column>>,
    /// The names of the key's columns.
    pub key: Option<Vec<String>>,
}

impl Tables {
    /// Makes a table without rows.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn create(
        &self,
        workspace: WorkspaceId,
        typed: &str,
        columns: NewColumns,
        by: PersonId,
    ) -> Result<TableId, Refused> {
        let named = name(typed, "table")?;
        let fresh = columns.columns.into_iter().map(|column| Column { id: String::new(), ..column }).collect();
        let schema = keyed(Schema { columns: fresh, key: Vec::new() }.tidy()?, &columns.key)?;
        if data_tables::count(&self.pool, workspace).await? >= MOST_TABLES {
            return Err(Refused::Clash(format!("A workspace has at most {MOST_TABLES} tables.")));
        }
        let id = TableId::new();
        let mut connection = self.pool.acquire().await?;
        data_tables::insert(&mut connection, workspace, id, &named, &schema, by, self.clock.now()).await?;
        Ok(id)
    }

    /// Changes a table's name, columns or key.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was changed then.
    pub async fn reshape(&self, workspace: WorkspaceId, id: TableId, reshape: Reshape) -> Result<Stored, Refused> {
        let _turn = self.turns.acquire().await.map_err(|_| store::Error::Unavailable(sqlx::Error::PoolClosed))?;
        let mut transaction = self.pool.begin().await?;
        let old = data_tables::lock(&mut transaction, workspace, id).await?;
        let named = reshape.name.as_deref().map(|typed| name(typed, "table")).transpose()?.unwrap_or_else(|| old.name.clone());
        let new = reshaped(&old.schema, &reshape)?;
        let at = At { workspace, table: id };
        let gone: Vec<String> =
            old.schema.columns.iter().map(|column| column.id.clone()).filter(|id| new.by_id(id).is_none()).collect();
        data_tables::update(&mut transaction, workspace, id, &named, &new, self.clock.now()).await?;
        if !gone.is_empty() {
            data_rows::forget_columns(&mut transaction, at, &gone).await?;
        }
        if new.key != old.schema.key {
            let names = new.key_names().join(" and ");
            if !new.key.is_empty() {
                let empty = data_rows::with_empty_cells(&mut transaction, at, &new.key).await?;
                if empty > 0 {
                    return Err(Refused::Clash(format!(
                        "{empty} rows have nothing in {names}, so it can't tell them apart. Fill these cells in first."
                    )));
                }
            }
            data_rows::rekey(&mut transaction, at, &new.key).await.map_err(|error| match error {
                store::Error::Conflict(name) if name == "data_row_key_once" => Refused::Clash(format!(
                    "Several rows have the same {names}, so it can't tell them apart. Mend these rows first."
                )),
                other => other.into(),
            })?;
        }
        transaction.commit().await?;
        self.find(workspace, id).await
    }
}

fn reshaped(old: &Schema, reshape: &Reshape) -> Result<Schema, Refused> {
    let mut new = old.clone();
    if let Some(columns) = &reshape.columns {
        for column in columns.iter().filter(|column| !column.id.is_empty()) {
            let Some(before) = old.by_id(&column.id) else {
                return Err(
                    Wrong { column: Some(column.name.clone()), message: "This column isn't there any more.".into() }.into()
                );
            };
            if before.kind != column.kind {
                let message = format!(
                    "“{}” holds {}; its kind can't be changed. Add another column instead.",
                    before.name,
                    before.kind.title().to_lowercase()
                );
                return Err(Wrong { column: Some(before.name.clone()), message }.into());
            }
        }
        new.columns = fresh_ids(old, columns.clone());
        new.key.retain(|id| new.columns.iter().any(|column| column.id == *id));
    }
    let new = new.tidy()?;
    match &reshape.key {
        Some(key) => keyed(new, key),
        None => Ok(new),
    }
}

/// New columns get ids that no column of this table has, also none of those that go now.
fn fresh_ids(old: &Schema, mut columns: Vec<Column>) -> Vec<Column> {
    let mut taken: HashSet<String> = old.columns.iter().chain(&columns).map(|column| column.id.clone()).collect();
    let mut next = 0;
    for column in columns.iter_mut().filter(|column| column.id.is_empty()) {
        column.id = loop {
            next += 1;
            let id = format!("c{next}");
            if taken.insert(id.clone()) {
                break id;
            }
        };
    }
    columns
}

/// The same columns, with the key of these names.
fn keyed(schema: Schema, names: &[String]) -> Result<Schema, Refused> {
    let id = |name: &String| schema.column(name).map(|column| column.id.clone()).ok_or_else(|| schema.no_column(name));
    let key = names.iter().map(id).collect::<Result<_, _>>()?;
    Ok(Schema { key, ..schema }.tidy()?)
}
