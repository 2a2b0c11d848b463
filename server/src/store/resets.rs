//! The table `password_reset`: links that set a new password, once. Known by their SHA-256 alone.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::PersonId;

/// Makes the one link that a person may have; an earlier one stops working.
pub async fn put(
    db: impl PgExecutor<'_>,
    person: PersonId,
    token_hash: &[u8; 32],
    by: PersonId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into password_reset (person_id, token_hash, created_by, created_at, expires_at) values ($1, $2, $3, $4, $5)
         on conflict (person_id) do update
         set token_hash = excluded.token_hash, created_by = excluded.created_by, created_at = excluded.created_at,
             expires_at = excluded.expires_at",
        person.0,
        token_hash.as_slice(),
        by.0,
        now,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whose link this is, unless it is too old or the person is disabled.
pub struct Found {
    pub person: PersonId,
    pub email: String,
    pub name: String,
}

pub async fn find(db: impl PgExecutor<'_>, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Found>, Error> {
    let row = sqlx::query!(
        "select p.id, p.email, p.name from password_reset r join person p on p.id = r.person_id and p.disabled_at is null
         where r.token_hash = $1 and r.expires_at > $2",
        token_hash.as_slice(),
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Found { person: PersonId(row.id), email: row.email, name: row.name }))
}

/// Uses a link up; `false` when it was used before, or is too old.
pub async fn take(connection: &mut PgConnection, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<bool, Error> {
    let taken = sqlx::query!("delete from password_reset where token_hash = $1 and expires_at > $2", token_hash.as_slice(), now)
        .execute(connection)
        .await?;
    Ok(taken.rows_affected() > 0)
}

/// Removes a person's link: their password was changed, so it has done its work.
pub async fn remove(connection: &mut PgConnection, person: PersonId) -> Result<(), Error> {
    sqlx::query!("delete from password_reset where person_id = $1", person.0).execute(connection).await?;
    Ok(())
}
