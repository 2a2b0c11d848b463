//! The table `invitation`: an address and a role that wait for somebody to take them up. Links are known by their SHA-256 alone.

use super::Error;
use crate::auth::permission::Role;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{PersonId, WorkspaceId};
use uuid::Uuid;

pub struct NewInvitation<'a> {
    pub id: Uuid,
    pub workspace: WorkspaceId,
    /// Lower case.
    pub email: &'a str,
    pub role: Role,
    pub token_hash: &'a [u8; 32],
    pub invited_by: PersonId,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Adds an invitation. A second open one for the same address is `Conflict("invitation_open")`.
pub async fn insert(connection: &mut PgConnection, new: NewInvitation<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into invitation (id, workspace_id, email, role, token_hash, invited_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id,
        new.workspace.0,
        new.email,
        new.role.name(),
        new.token_hash.as_slice(),
        new.invited_by.0,
        new.now,
        new.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An invitation as admins see it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: Uuid,
    pub email: String,
    pub role: String,
    pub invited_by: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// What nobody took up or took back yet, also when it is too old by now; the newest first, from before an id.
pub async fn open(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query_as!(
        Listed,
        "select i.id, i.email, i.role, p.name as invited_by, i.created_at, i.expires_at
         from invitation i join person p on p.id = i.invited_by
         where i.workspace_id = $1 and i.used_at is null and i.revoked_at is null and ($2::uuid is null or i.id < $2)
         order by i.id desc limit $3",
        workspace.0,
        before,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// One open invitation of the workspace, kept from others until the transaction ends.
pub async fn lock_open(connection: &mut PgConnection, workspace: WorkspaceId, id: Uuid) -> Result<(String, Role), Error> {
    let row = sqlx::query!(
        "select email, role from invitation
         where workspace_id = $1 and id = $2 and used_at is null and revoked_at is null for update",
        workspace.0,
        id,
    )
    .fetch_one(connection)
    .await?;
    Ok((row.email, Role::from_name(&row.role)))
}

/// Takes an open invitation back; `NotFound` when there is none.
pub async fn revoke(db: impl PgExecutor<'_>, workspace: WorkspaceId, id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    let revoked = sqlx::query!(
        "update invitation set revoked_at = $3 where workspace_id = $1 and id = $2 and used_at is null and revoked_at is null",
        workspace.0,
        id,
        now,
    )
    .execute(db)
    .await?;
    if revoked.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Takes back whatever open invitation an address has in the workspace.
pub async fn revoke_open_of(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    email: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update invitation set revoked_at = $3 where workspace_id = $1 and email = $2 and used_at is null and revoked_at is null",
        workspace.0,
        email,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a link stands for: the invitation, its workspace, and what its maker may do there now.
#[derive(Clone, Debug)]
pub struct Found {
    pub id: Uuid,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    pub email: String,
    pub role: Role,
    pub inviter: String,
    /// The inviter's role in the workspace now; none when they left or were disabled.
    pub inviter_role: Option<Role>,
    /// Somebody with this address has an account.
    pub has_account: bool,
}

/// The open invitation of a link, unless it is too old or its workspace is gone.
pub async fn find(db: impl PgExecutor<'_>, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Found>, Error> {
    let row = sqlx::query!(
        r#"select i.id, i.workspace_id, w.name as workspace_name, i.email, i.role, p.name as inviter, m.role as "inviter_role?",
               exists (select from person q where q.email = i.email) as "has_account!"
           from invitation i
           join workspace w on w.id = i.workspace_id and w.deleted_at is null
           join person p on p.id = i.invited_by
           left join member m on m.workspace_id = i.workspace_id and m.person_id = i.invited_by and p.disabled_at is null
           where i.token_hash = $1 and i.used_at is null and i.revoked_at is null and i.expires_at > $2"#,
        token_hash.as_slice(),
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Found {
        id: row.id,
        workspace: WorkspaceId(row.workspace_id),
        workspace_name: row.workspace_name,
        email: row.email,
        role: Role::from_name(&row.role),
        inviter: row.inviter,
        inviter_role: row.inviter_role.as_deref().map(Role::from_name),
        has_account: row.has_account,
    }))
}

/// Marks it as taken up; `false` when somebody was faster. The row stays locked until the transaction ends.
pub async fn take(connection: &mut PgConnection, id: Uuid, by: PersonId, now: DateTime<Utc>) -> Result<bool, Error> {
    let taken = sqlx::query!(
        "update invitation set used_at = $3, used_by = $2 where id = $1 and used_at is null and revoked_at is null and expires_at > $3",
        id,
        by.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}
