//! The table `session`.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{PersonId, WorkspaceId};

pub struct NewSession<'a> {
    pub id_hash: &'a [u8; 32],
    pub person: PersonId,
    pub workspace: WorkspaceId,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub address: &'a str,
    pub user_agent: &'a str,
}

/// A living session with the person and the workspace behind it.
pub struct FoundSession {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub instance_owner: bool,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    pub role: String,
    pub seen_at: DateTime<Utc>,
}

pub async fn insert(connection: &mut PgConnection, new: NewSession<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into session (id_hash, person_id, workspace_id, created_at, seen_at, expires_at, address, user_agent)
         values ($1, $2, $3, $4, $4, $5, $6, $7)",
        new.id_hash.as_slice(),
        new.person.0,
        new.workspace.0,
        new.now,
        new.expires_at,
        new.address,
        new.user_agent,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The session of this hash, unless it is over, its person disabled or no longer a member of its workspace.
pub async fn find(
    db: impl PgExecutor<'_>,
    id_hash: &[u8; 32],
    now: DateTime<Utc>,
    seen_after: DateTime<Utc>,
) -> Result<Option<FoundSession>, Error> {
    let row = sqlx::query!(
        "select p.id, p.name, p.email, p.instance_owner, w.id as workspace_id, w.name as workspace_name, m.role, s.seen_at
         from session s
         join person p on p.id = s.person_id and p.disabled_at is null
         join workspace w on w.id = s.workspace_id
         join member m on m.workspace_id = s.workspace_id and m.person_id = s.person_id
         where s.id_hash = $1 and s.expires_at > $2 and s.seen_at > $3",
        id_hash.as_slice(),
        now,
        seen_after,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| FoundSession {
        person: PersonId(row.id),
        name: row.name,
        email: row.email,
        instance_owner: row.instance_owner,
        workspace: WorkspaceId(row.workspace_id),
        workspace_name: row.workspace_name,
        role: row.role,
        seen_at: row.seen_at,
    }))
}

/// It was used just now, from this address.
pub async fn touch(db: impl PgExecutor<'_>, id_hash: &[u8; 32], now: DateTime<Utc>, address: &str) -> Result<(), Error> {
    sqlx::query!("update session set seen_at = $2, address = $3 where id_hash = $1", id_hash.as_slice(), now, address)
        .execute(db)
        .await?;
    Ok(())
}

/// A session as its owner sees it.
pub struct ListedSession {
    pub id_hash: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    pub address: String,
    pub user_agent: String,
}

/// A person's living sessions, the last used first.
pub async fn list(
    db: impl PgExecutor<'_>,
    person: PersonId,
    now: DateTime<Utc>,
    seen_after: DateTime<Utc>,
) -> Result<Vec<ListedSession>, Error> {
    let rows = sqlx::query_as!(
        ListedSession,
        "select id_hash, created_at, seen_at, address, user_agent from session
         where person_id = $1 and expires_at > $2 and seen_at > $3 order by seen_at desc limit 100",
        person.0,
        now,
        seen_after,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Ends one session of a person; somebody else's is not there.
pub async fn end(db: impl PgExecutor<'_>, person: PersonId, id_hash: &[u8]) -> Result<bool, Error> {
    let ended = sqlx::query!("delete from session where person_id = $1 and id_hash = $2", person.0, id_hash).execute(db).await?;
    Ok(ended.rows_affected() > 0)
}

/// Ends all sessions of a person but one.
pub async fn end_others(db: impl PgExecutor<'_>, person: PersonId, kept: &[u8]) -> Result<u64, Error> {
    let ended = sqlx::query!("delete from session where person_id = $1 and id_hash <> $2", person.0, kept).execute(db).await?;
    Ok(ended.rows_affected())
}

/// Ends all sessions of a person.
pub async fn end_all(db: impl PgExecutor<'_>, person: PersonId) -> Result<u64, Error> {
    Ok(sqlx::query!("delete from session where person_id = $1", person.0).execute(db).await?.rows_affected())
}

/// Removes what is over anyway.
pub async fn sweep(db: impl PgExecutor<'_>, now: DateTime<Utc>, seen_before: DateTime<Utc>) -> Result<u64, Error> {
    let gone = sqlx::query!("delete from session where expires_at <= $1 or seen_at <= $2", now, seen_before).execute(db).await?;
    Ok(gone.rows_affected())
}
