//! This installation as a whole: one row.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// Why nothing is started, and what was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub since: DateTime<Utc>,
    pub because: String,
    /// `run` or `cancel`; none while nobody has decided.
    pub decision: Option<String>,
}

/// By what the server knows itself when it calls its own public address.
pub async fn secret(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<u8>> {
    sqlx::query_scalar!("select secret from instance").fetch_one(executor).await
}

pub async fn generation(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select generation from instance").fetch_one(executor).await
}

pub async fn set_generation(executor: impl PgExecutor<'_>, generation: i64) -> sqlx::Result<()> {
    sqlx::query!("update instance set generation = $1", generation).execute(executor).await?;
    Ok(())
}

/// The hold, if there is one.
pub async fn held(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<Hold>> {
    let row = sqlx::query!("select held_since, held_because, decision from instance").fetch_one(executor).await?;
    Ok(row.held_since.zip(row.held_because).map(|(since, because)| Hold { since, because, decision: row.decision }))
}

/// Holds everything; a hold that is there stays as it is.
pub async fn hold(executor: impl PgExecutor<'_>, since: DateTime<Utc>, because: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update instance set held_since = $1, held_because = $2, decision = null where held_since is null",
        since,
        because
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Writes down what a person decided: `run` or `cancel`. False when nothing is held, or when it was decided before.
pub async fn decide(executor: impl PgExecutor<'_>, decision: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("update instance set decision = $1 where held_since is not null and decision is null", decision)
        .execute(executor)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The decision was carried out.
pub async fn release(executor: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("update instance set held_since = null, held_because = null, decision = null").execute(executor).await?;
    Ok(())
}
