//! `data_key`: the keys that workspaces' secrets are sealed with, each wrapped by a key of the key file. They are added and wrapped
//! again, and never taken away: an old value opens with the key that it was sealed with.

use super::Error;
use sqlx::PgExecutor;
use towpath_engine::ids::WorkspaceId;
use uuid::Uuid;

/// A data key as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    pub version: u32,
    /// The key of the key file that `wrapped` opens with.
    pub key_number: u8,
    pub wrapped: Vec<u8>,
}

struct Row {
    version: i32,
    key_number: i16,
    wrapped: Vec<u8>,
}

impl From<Row> for Stored {
    /// The table's checks keep both numbers in their ranges.
    fn from(row: Row) -> Self {
        Self {
            version: row.version.unsigned_abs(),
            key_number: u8::try_from(row.key_number).unwrap_or_default(),
            wrapped: row.wrapped,
        }
    }
}

fn number(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

pub async fn newest(executor: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<Option<Stored>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select version, key_number, wrapped from data_key where workspace_id = $1 order by version desc limit 1",
        workspace.0
    );
    Ok(row.fetch_optional(executor).await?.map(Stored::from))
}

pub async fn get(executor: impl PgExecutor<'_>, workspace: WorkspaceId, version: u32) -> Result<Option<Stored>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select version, key_number, wrapped from data_key where workspace_id = $1 and version = $2",
        workspace.0,
        number(version)
    );
    Ok(row.fetch_optional(executor).await?.map(Stored::from))
}

/// Adds a data key unless the workspace has one of that version.
pub async fn insert(executor: impl PgExecutor<'_>, workspace: WorkspaceId, key: &Stored) -> Result<(), Error> {
    sqlx::query!(
        "insert into data_key (workspace_id, version, key_number, wrapped) values ($1, $2, $3, $4) on conflict do nothing",
        workspace.0,
        number(key.version),
        i16::from(key.key_number),
        key.wrapped
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Is there any? Asked once at start, before a key file may be made.
pub async fn any(executor: impl PgExecutor<'_>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(r#"select exists (select from data_key) as "any!""#).fetch_one(executor).await?)
}

/// Data keys of any workspace that another key than this one wraps, in the order of workspace and version after `after`.
pub async fn wrapped_otherwise(
    executor: impl PgExecutor<'_>,
    key_number: u8,
    after: (Uuid, u32),
    most: i64,
) -> Result<Vec<(WorkspaceId, Stored)>, Error> {
    let rows = sqlx::query!(
        "select workspace_id, version, key_number, wrapped from data_key
         where key_number <> $1 and (workspace_id, version) > ($2, $3) order by workspace_id, version limit $4",
        i16::from(key_number),
        after.0,
        number(after.1),
        most
    )
    .fetch_all(executor)
    .await?;
    let stored = rows.into_iter().map(|row| {
        let key = Row { version: row.version, key_number: row.key_number, wrapped: row.wrapped };
        (WorkspaceId(row.workspace_id), key.into())
    });
    Ok(stored.collect())
}

/// Puts the new wrapping in the place of `old`, unless somebody else was first.
pub async fn rewrap(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    old: &Stored,
    key_number: u8,
    wrapped: &[u8],
) -> Result<(), Error> {
    sqlx::query!(
        "update data_key set key_number = $4, wrapped = $5 where workspace_id = $1 and version = $2 and wrapped = $3",
        workspace.0,
        number(old.version),
        old.wrapped,
        i16::from(key_number),
        wrapped
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// How many data keys each key of the key file wraps.
pub async fn by_key_number(executor: impl PgExecutor<'_>) -> Result<Vec<(u8, i64)>, Error> {
    let rows = sqlx::query!(r#"select key_number, count(*) as "count!" from data_key group by key_number order by key_number"#)
        .fetch_all(executor)
        .await?;
    Ok(rows.into_iter().map(|row| (u8::try_from(row.key_number).unwrap_or_default(), row.count)).collect())
}
