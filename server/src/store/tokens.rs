//! The table `api_token`: what programs come in by. Known by their SHA-256 alone.

use super::Error;
use crate::auth::permission::Role;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{PersonId, WorkspaceId};
use uuid::Uuid;

pub struct NewToken<'a> {
    pub id: Uuid,
    pub workspace: WorkspaceId,
    pub person: PersonId,
    pub name: &'a str,
    pub prefix: &'a str,
    pub token_hash: &'a [u8; 32],
    pub scopes: &'a [String],
    pub now: DateTime<Utc>,
    /// None for one that works until it is taken back.
    pub expires_at: Option<DateTime<Utc>>,
}

pub async fn insert(db: impl PgExecutor<'_>, new: NewToken<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into api_token (id, workspace_id, person_id, name, prefix, token_hash, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.id,
        new.workspace.0,
        new.person.0,
        new.name,
        new.prefix,
        new.token_hash.as_slice(),
        new.scopes,
        new.now,
        new.expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A token that works, with the person and the workspace behind it as they are now.
pub struct Found {
    pub id: Uuid,
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub instance_owner: bool,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    pub language: String,
    pub role: Role,
    pub scopes: Vec<String>,
    pub used_at: Option<DateTime<Utc>>,
}

/// The token of this hash, unless it is too old, its person disabled or no longer a member, or its workspace gone.
pub async fn find(db: impl PgExecutor<'_>, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Found>, Error> {
    let row = sqlx::query!(
        "select t.id, p.id as person, p.name, p.email, p.instance_owner, w.id as workspace, w.name as workspace_name, w.language,
             m.role, t.scopes, t.used_at
         from api_token t
         join person p on p.id = t.person_id and p.disabled_at is null
         join workspace w on w.id = t.workspace_id and w.deleted_at is null
         join member m on m.workspace_id = t.workspace_id and m.person_id = t.person_id
         where t.token_hash = $1 and (t.expires_at is null or t.expires_at > $2)",
        token_hash.as_slice(),
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Found {
        id: row.id,
        person: PersonId(row.person),
        name: row.name,
        email: row.email,
        instance_owner: row.instance_owner,
        workspace: WorkspaceId(row.workspace),
        workspace_name: row.workspace_name,
        language: row.language,
        role: Role::from_name(&row.role),
        scopes: row.scopes,
        used_at: row.used_at,
    }))
}

/// Does the token of this id still work?
pub async fn lives(db: impl PgExecutor<'_>, id: Uuid, now: DateTime<Utc>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from api_token t
               join person p on p.id = t.person_id and p.disabled_at is null
               join workspace w on w.id = t.workspace_id and w.deleted_at is null
               join member m on m.workspace_id = t.workspace_id and m.person_id = t.person_id
               where t.id = $1 and (t.expires_at is null or t.expires_at > $2)) as "lives!""#,
        id,
        now,
    )
    .fetch_one(db)
    .await?)
}

/// It was used just now. Of many at once in a minute, one writes.
pub async fn touch(db: impl PgExecutor<'_>, id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update api_token set used_at = $2 where id = $1 and (used_at is null or used_at < $3)",
        id,
        now,
        now - TimeDelta::minutes(1),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A token as its owner and admins see it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: Uuid,
    pub person: PersonId,
    /// Whose it is.
    pub owner: String,
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub used_at: Option<DateTime<Utc>>,
}

/// The workspace's tokens, or one person's, the newest first, from before an id; at most `limit`.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    of: Option<PersonId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        "select t.id, t.person_id, p.name as owner, t.name, t.prefix, t.scopes, t.created_at, t.expires_at, t.used_at
         from api_token t join person p on p.id = t.person_id
         where t.workspace_id = $1 and ($2::uuid is null or t.person_id = $2) and ($3::uuid is null or t.id < $3)
         order by t.id desc limit $4",
        workspace.0,
        of.map(|id| id.0),
        before,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id,
            person: PersonId(row.person_id),
            owner: row.owner,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
        })
        .collect())
}

/// Takes a token back: the workspace's, or only one person's; `NotFound` when there is none.
pub async fn remove(db: impl PgExecutor<'_>, workspace: WorkspaceId, of: Option<PersonId>, id: Uuid) -> Result<(), Error> {
    let removed = sqlx::query!(
        "delete from api_token where workspace_id = $1 and ($2::uuid is null or person_id = $2) and id = $3",
        workspace.0,
        of.map(|id| id.0),
        id,
    )
    .execute(db)
    .await?;
    if removed.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Takes all tokens of a person in one workspace back: they are no member any more.
pub async fn remove_all_in(connection: &mut PgConnection, workspace: WorkspaceId, person: PersonId) -> Result<(), Error> {
    sqlx::query!("delete from api_token where workspace_id = $1 and person_id = $2", workspace.0, person.0)
        .execute(connection)
        .await?;
    Ok(())
}
