//! `data_row`: the rows of data tables. Documents come checked and by the columns' ids; whoever changes rows holds the table's lock.

mod filter;

use super::Error;
use chrono::{DateTime, Utc};
use filter::{order_by, where_holds};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor, Postgres, QueryBuilder, Row as _, types::Json as Sql};
use towpath_engine::{
    Object,
    ids::{RowId, TableId, WorkspaceId},
    table::filter::{Filter, Place},
};
use uuid::Uuid;

/// A row as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: RowId,
    /// By the columns' ids.
    pub document: Object,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// In which order rows are read.
#[derive(Clone, Debug)]
pub struct Order {
    pub by: Place,
    pub descending: bool,
}

/// Which table of which workspace.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub workspace: WorkspaceId,
    pub table: TableId,
}

/// A row to be written, as its statements take it: ids and documents in one value need no join, whose plan would hang on how many rows
/// the database believes there are.
#[derive(Serialize)]
struct Given<'a> {
    id: RowId,
    document: &'a Object,
}

fn given(rows: &[(RowId, Object)]) -> Vec<Given<'_>> {
    rows.iter().map(|(id, document)| Given { id: *id, document }).collect()
}

/// Adds rows, in one statement. Returns how many: those whose key is there are passed over.
pub async fn insert(
    connection: &mut PgConnection,
    at: At,
    rows: &[(RowId, Object)],
    key: &[String],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let done = sqlx::query!(
        "insert into data_row (id, workspace_id, table_id, document, key, created_at, updated_at)
         select (g ->> 'id')::uuid, $1, $2, g -> 'document', data_row_key(g -> 'document', $4), $5, $5
         from jsonb_array_elements($3::jsonb) g
         on conflict (table_id, key) where key is not null do nothing",
        at.workspace.0,
        at.table.0,
        Sql(given(rows)) as _,
        key,
        now
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Adds rows, or changes the ones that have the same key, in one statement. Of several with one key the last counts. Returns how many were
/// added and how many changed.
pub async fn upsert(
    connection: &mut PgConnection,
    at: At,
    rows: &[(RowId, Object)],
    key: &[String],
    now: DateTime<Utc>,
) -> Result<(i64, i64), Error> {
    let done = sqlx::query!(
        r#"with given as (
               select distinct on (key) (g ->> 'id')::uuid as id, g -> 'document' as document, data_row_key(g -> 'document', $4) as key
               from jsonb_array_elements($3::jsonb) with ordinality e(g, n) order by key, n desc),
           put as (
               insert into data_row (id, workspace_id, table_id, document, key, created_at, updated_at)
               select id, $1, $2, document, key, $5, $5 from given order by id
               on conflict (table_id, key) where key is not null
               do update set document = data_row.document || excluded.document, updated_at = excluded.updated_at
               returning (xmax = 0) as fresh)
           select count(*) filter (where fresh) as "added!", count(*) filter (where not fresh) as "changed!" from put"#,
        at.workspace.0,
        at.table.0,
        Sql(given(rows)) as _,
        key,
        now
    )
    .fetch_one(connection)
    .await?;
    Ok((done.added, done.changed))
}

/// Changes the rows that are meant: what the patch has takes the place of what they have. Returns how many.
pub async fn update(
    connection: &mut PgConnection,
    at: At,
    filter: &Filter,
    patch: &Object,
    key: &[String],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let mut query = QueryBuilder::<Postgres>::new("update data_row set document = document || ");
    query.push_bind(Sql(patch)).push(", key = data_row_key(document || ").push_bind(Sql(patch)).push(", ").push_bind(key);
    query.push("), updated_at = ").push_bind(now);
    scope(&mut query, at);
    where_holds(&mut query, filter);
    Ok(query.build().execute(connection).await?.rows_affected())
}

/// Deletes the rows that are meant. Returns how many.
pub async fn delete(connection: &mut PgConnection, at: At, filter: &Filter) -> Result<u64, Error> {
    let mut query = QueryBuilder::<Postgres>::new("delete from data_row");
    scope(&mut query, at);
    where_holds(&mut query, filter);
    Ok(query.build().execute(connection).await?.rows_affected())
}

/// The rows that are meant, in an order; at most `limit`.
pub async fn find(
    executor: impl PgExecutor<'_>,
    at: At,
    filter: &Filter,
    order: &Order,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let mut query = QueryBuilder::<Postgres>::new("select id, document, created_at, updated_at from data_row");
    scope(&mut query, at);
    where_holds(&mut query, filter);
    order_by(&mut query, order);
    query.push(" limit ").push_bind(limit);
    read(query, executor).await
}

/// The rows that are meant, in the order in which they were added (or the other way round), after a row; at most `limit`.
pub async fn page(
    executor: impl PgExecutor<'_>,
    at: At,
    filter: &Filter,
    (after, descending): (Option<RowId>, bool),
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let mut query = QueryBuilder::<Postgres>::new("select id, document, created_at, updated_at from data_row");
    scope(&mut query, at);
    if let Some(after) = after {
        query.push(if descending { " and id < " } else { " and id > " }).push_bind(after.0);
    }
    where_holds(&mut query, filter);
    order_by(&mut query, &Order { by: Place::Id, descending });
    query.push(" limit ").push_bind(limit);
    read(query, executor).await
}

async fn read(mut query: QueryBuilder<Postgres>, executor: impl PgExecutor<'_>) -> Result<Vec<Stored>, Error> {
    let rows = query.build().fetch_all(executor).await?;
    let read = rows.into_iter().map(|row| {
        Ok(Stored {
            id: RowId(row.try_get("id")?),
            document: row.try_get::<Sql<Object>, _>("document")?.0,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    });
    Ok(read.collect::<Result<_, sqlx::Error>>()?)
}

/// Every statement about rows names their workspace and their table.
fn scope(query: &mut QueryBuilder<Postgres>, at: At) {
    query.push(" where workspace_id = ").push_bind(at.workspace.0).push(" and table_id = ").push_bind(at.table.0);
}

/// How many rows are meant.
pub async fn count(executor: impl PgExecutor<'_>, at: At, filter: &Filter) -> Result<i64, Error> {
    let mut query = QueryBuilder::<Postgres>::new("select count(*) from data_row");
    scope(&mut query, at);
    where_holds(&mut query, filter);
    Ok(query.build_query_scalar().fetch_one(executor).await?)
}

/// Takes columns out of every row.
pub async fn forget_columns(connection: &mut PgConnection, at: At, columns: &[String]) -> Result<(), Error> {
    sqlx::query!(
        "update data_row set document = document - $3::text[] where workspace_id = $1 and table_id = $2 and document ?| $3::text[]",
        at.workspace.0,
        at.table.0,
        columns
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many rows have an empty cell in one of the columns.
pub async fn with_empty_cells(connection: &mut PgConnection, at: At, columns: &[String]) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from data_row r where r.workspace_id = $1 and r.table_id = $2
             and exists (select from unnest($3::text[]) k(c) where coalesce(r.document -> k.c, 'null') = 'null')"#,
        at.workspace.0,
        at.table.0,
        columns
    )
    .fetch_one(connection)
    .await?)
}

/// Works the keys of all rows out anew. Two rows with one key are `Conflict("data_row_key_once")`.
pub async fn rekey(connection: &mut PgConnection, at: At, columns: &[String]) -> Result<(), Error> {
    sqlx::query!(
        "update data_row set key = null where workspace_id = $1 and table_id = $2 and key is not null",
        at.workspace.0,
        at.table.0
    )
    .execute(&mut *connection)
    .await?;
    if columns.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update data_row set key = data_row_key(document, $3) where workspace_id = $1 and table_id = $2",
        at.workspace.0,
        at.table.0,
        columns
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The first of these documents whose key a row of the table has already, which is none of these rows itself.
pub async fn first_there(
    connection: &mut PgConnection,
    at: At,
    rows: &[(RowId, Object)],
    key: &[String],
) -> Result<Option<Object>, Error> {
    let keys = sqlx::query_scalar!(
        r#"select data_row_key(g -> 'document', $2) as "key!" from jsonb_array_elements($1::jsonb) with ordinality e(g, n) order by n"#,
        Sql(given(rows)) as _,
        key
    )
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| id.0).collect();
    let there = sqlx::query_scalar!(
        r#"select key as "key!" from data_row
           where workspace_id = $1 and table_id = $2 and key = any($3) and id <> all($4) limit 1"#,
        at.workspace.0,
        at.table.0,
        &keys,
        &ids
    )
    .fetch_optional(connection)
    .await?;
    let found = there.and_then(|there| keys.iter().position(|key| *key == there));
    Ok(found.map(|found| rows[found].1.clone()))
}
