//! `data_table`: the tables of a workspace, without their rows.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    ids::{PersonId, TableId, WorkspaceId},
    table::{Column, Schema},
};

/// A table.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: TableId,
    pub name: String,
    pub schema: Schema,
    pub rows: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

macro_rules! stored {
    ($row:expr) => {{
        let row = $row;
        Stored {
            id: TableId(row.id),
            name: row.name,
            schema: Schema { columns: row.columns.0, key: row.key_columns },
            rows: row.row_count,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }};
}

/// The tables by name, after a name; at most `limit`.
pub async fn list(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query!(
        r#"select id, name, columns as "columns: Sql<Vec<Column>>", key_columns, row_count, created_at, updated_at
           from data_table where workspace_id = $1 and ($2::text is null or lower(name) > lower($2)) order by lower(name) limit $3"#,
        workspace.0,
        after,
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| stored!(row)).collect())
}

/// How many there are.
pub async fn count(executor: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from data_table where workspace_id = $1"#, workspace.0)
        .fetch_one(executor)
        .await?)
}

/// One table.
pub async fn find(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: TableId) -> Result<Stored, Error> {
    let row = sqlx::query!(
        r#"select id, name, columns as "columns: Sql<Vec<Column>>", key_columns, row_count, created_at, updated_at
           from data_table where workspace_id = $1 and id = $2"#,
        workspace.0,
        id.0
    )
    .fetch_one(executor)
    .await?;
    Ok(stored!(row))
}

/// One table by its name; capitals don't count.
pub async fn find_named(executor: impl PgExecutor<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored, Error> {
    let row = sqlx::query!(
        r#"select id, name, columns as "columns: Sql<Vec<Column>>", key_columns, row_count, created_at, updated_at
           from data_table where workspace_id = $1 and lower(name) = lower($2)"#,
        workspace.0,
        name
    )
    .fetch_one(executor)
    .await?;
    Ok(stored!(row))
}

/// One table, whose rows and columns nobody else changes until the transaction is over.
pub async fn lock(connection: &mut PgConnection, workspace: WorkspaceId, id: TableId) -> Result<Stored, Error> {
    let row = sqlx::query!(
        r#"select id, name, columns as "columns: Sql<Vec<Column>>", key_columns, row_count, created_at, updated_at
           from data_table where workspace_id = $1 and id = $2 for no key update"#,
        workspace.0,
        id.0
    )
    .fetch_one(connection)
    .await?;
    Ok(stored!(row))
}

/// Adds a table without rows. A second one of the same name is `Conflict("data_table_name")`.
pub async fn insert(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: TableId,
    name: &str,
    schema: &Schema,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into data_table (id, workspace_id, name, columns, key_columns, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        id.0,
        workspace.0,
        name,
        Written(&schema.columns) as _,
        &schema.key,
        by.0,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts a name and columns in the place of the old. What that means for the rows is the caller's to see to.
pub async fn update(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: TableId,
    name: &str,
    schema: &Schema,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update data_table set name = $3, columns = $4, key_columns = $5, updated_at = $6 where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        name,
        Written(&schema.columns) as _,
        &schema.key,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts rows that came (or went, when negative). More than a table holds is `Conflict("data_table_full")`.
pub async fn count_rows(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: TableId,
    more: i32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update data_table set row_count = row_count + $3, updated_at = $4 where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        more,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a table with its rows.
pub async fn delete(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: TableId) -> Result<(), Error> {
    let gone =
        sqlx::query!("delete from data_table where workspace_id = $1 and id = $2", workspace.0, id.0).execute(executor).await?;
    if gone.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}
