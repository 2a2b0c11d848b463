//! The table `idempotent_write`: which writes were carried out under which key, and what was answered.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::PgPool;
use uuid::Uuid;

/// What there was under a key.
pub enum Before {
    /// Nothing: it is taken now, for this request.
    Nothing,
    /// A request with this hash, whose answer is not known (yet).
    UnderWay(Vec<u8>),
    Answered(Answered),
}

pub struct Answered {
    pub request_hash: Vec<u8>,
    pub status: i16,
    pub content_type: Option<String>,
    /// None when it was not kept.
    pub body: Option<Vec<u8>>,
}

/// Takes a key, or says what was there. Of two at once, one takes it.
pub async fn begin(pool: &PgPool, owner: Uuid, key: &str, request_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Before, Error> {
    let taken = sqlx::query!(
        "insert into idempotent_write (owner, key, request_hash, at) values ($1, $2, $3, $4) on conflict (owner, key) do nothing",
        owner,
        key,
        request_hash.as_slice(),
        now,
    )
    .execute(pool)
    .await?;
    if taken.rows_affected() > 0 {
        return Ok(Before::Nothing);
    }
    let row = sqlx::query!(
        "select request_hash, status, content_type, body from idempotent_write where owner = $1 and key = $2",
        owner,
        key,
    )
    .fetch_one(pool)
    .await?;
    Ok(match row.status {
        None => Before::UnderWay(row.request_hash),
        Some(status) => {
            Before::Answered(Answered { request_hash: row.request_hash, status, content_type: row.content_type, body: row.body })
        }
    })
}

/// Keeps the answer; without a body when it must not be kept.
pub async fn answer(
    db: impl PgExecutor<'_>,
    owner: Uuid,
    key: &str,
    status: i16,
    content_type: Option<&str>,
    body: Option<&[u8]>,
) -> Result<(), Error> {
    sqlx::query!(
        "update idempotent_write set status = $3, content_type = $4, body = $5 where owner = $1 and key = $2",
        owner,
        key,
        status,
        content_type,
        body,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets the key be used again.
pub async fn forget(db: impl PgExecutor<'_>, owner: Uuid, key: &str) -> Result<(), Error> {
    sqlx::query!("delete from idempotent_write where owner = $1 and key = $2", owner, key).execute(db).await?;
    Ok(())
}

/// Removes what is older than it is kept; a few at a time, because somebody waits.
pub async fn sweep(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "delete from idempotent_write where ctid in (select ctid from idempotent_write where at < $1 limit 100)",
        before
    )
    .execute(db)
    .await?;
    Ok(())
}
