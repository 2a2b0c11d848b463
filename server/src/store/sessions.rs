//! The table `session`.

use super::Error;
use crate::auth::permission::Role;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{PersonId, WorkspaceId};

pub struct NewSession<'a> {
    pub id_hash: &'a [u8; 32],
    pub person: PersonId,
    pub workspace: WorkspaceId,
    /// The person's role there: the most that this session's id is good for.
    pub role: Role,
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
    pub language: String,
    /// The person's other workspaces, by name.
    pub others: Vec<(WorkspaceId, String)>,
    /// What the person is in the workspace now.
    pub role: Role,
    /// What they were when the session's id was made.
    pub made_for: Role,
    pub seen_at: DateTime<Utc>,
}

pub async fn insert(connection: &mut PgConnection, new: NewSession<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into session (id_hash, person_id, workspace_id, role, created_at, seen_at, expires_at, address, user_agent)
         values ($1, $2, $3, $4, $5, $5, $6, $7, $8)",
        new.id_hash.as_slice(),
        new.person.0,
        new.workspace.0,
        new.role.name(),
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
        r#"select p.id, p.name, p.email, p.instance_owner, w.id as workspace_id, w.name as workspace_name, w.language,
             m.role, s.role as made_for, s.seen_at,
             array(select o.id from member n join workspace o on o.id = n.workspace_id and o.deleted_at is null
                   where n.person_id = p.id and o.id <> w.id order by lower(o.name), o.id limit 50) as "other_ids!",
             array(select o.name from member n join workspace o on o.id = n.workspace_id and o.deleted_at is null
                   where n.person_id = p.id and o.id <> w.id order by lower(o.name), o.id limit 50) as "other_names!"
         from session s
         join person p on p.id = s.person_id and p.disabled_at is null
         join workspace w on w.id = s.workspace_id and w.deleted_at is null
         join member m on m.workspace_id = s.workspace_id and m.person_id = s.person_id
         where s.id_hash = $1 and s.expires_at > $2 and s.seen_at > $3"#,
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
        language: row.language,
        others: row.other_ids.into_iter().map(WorkspaceId).zip(row.other_names).collect(),
        role: Role::from_name(&row.role),
        made_for: Role::from_name(&row.made_for),
        seen_at: row.seen_at,
    }))
}

/// Gives a session a new id, and with it a role and a workspace; the old id signs nobody in any more. `false` when it was gone.
pub async fn renew(
    db: impl PgExecutor<'_>,
    id_hash: &[u8; 32],
    new_hash: &[u8; 32],
    workspace: WorkspaceId,
    role: Role,
) -> Result<bool, Error> {
    let renewed = sqlx::query!(
        "update session set id_hash = $2, workspace_id = $3, role = $4 where id_hash = $1",
        id_hash.as_slice(),
        new_hash.as_slice(),
        workspace.0,
        role.name(),
    )
    .execute(db)
    .await?;
    Ok(renewed.rows_affected() > 0)
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
    /// Where it is.
    pub workspace: String,
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
        "select s.id_hash, s.created_at, s.seen_at, s.address, s.user_agent, w.name as workspace
         from session s join workspace w on w.id = s.workspace_id
         where s.person_id = $1 and s.expires_at > $2 and s.seen_at > $3 order by s.seen_at desc limit 100",
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

/// Ends a person's sessions in one workspace.
pub async fn end_in(db: impl PgExecutor<'_>, workspace: WorkspaceId, person: PersonId) -> Result<u64, Error> {
    let ended = sqlx::query!("delete from session where workspace_id = $1 and person_id = $2", workspace.0, person.0).execute(db);
    Ok(ended.await?.rows_affected())
}

/// Removes what is over anyway.
pub async fn sweep(db: impl PgExecutor<'_>, now: DateTime<Utc>, seen_before: DateTime<Utc>) -> Result<u64, Error> {
    let gone = sqlx::query!("delete from session where expires_at <= $1 or seen_at <= $2", now, seen_before).execute(db).await?;
    Ok(gone.rows_affected())
}
