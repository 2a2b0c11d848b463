//! The table `member`: who is what in which workspace.

use super::Error;
use crate::auth::permission::Role;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{PersonId, WorkspaceId};

/// Makes a person a member, or gives a member another role.
pub async fn put(connection: &mut PgConnection, workspace: WorkspaceId, person: PersonId, role: Role) -> Result<(), Error> {
    sqlx::query!(
        "insert into member (workspace_id, person_id, role) values ($1, $2, $3)
         on conflict (workspace_id, person_id) do update set role = excluded.role",
        workspace.0,
        person.0,
        role.name(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The workspace that a person joined first: where their next session begins.
pub async fn first_workspace(db: impl PgExecutor<'_>, person: PersonId) -> Result<Option<WorkspaceId>, Error> {
    let id = sqlx::query_scalar!(
        "select m.workspace_id from member m join workspace w on w.id = m.workspace_id and w.deleted_at is null
         where m.person_id = $1 order by m.created_at, m.workspace_id limit 1",
        person.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(WorkspaceId))
}

/// Makes a person a member who isn't one; a member keeps the role that they have.
pub async fn join(connection: &mut PgConnection, workspace: WorkspaceId, person: PersonId, role: Role) -> Result<bool, Error> {
    let joined = sqlx::query!(
        "insert into member (workspace_id, person_id, role) values ($1, $2, $3) on conflict (workspace_id, person_id) do nothing",
        workspace.0,
        person.0,
        role.name(),
    )
    .execute(connection)
    .await?;
    Ok(joined.rows_affected() > 0)
}

/// A member as admins see them.
#[derive(Clone, Debug)]
pub struct Listed {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
    /// When they last used the workspace in a browser, as far as a session remembers it.
    pub seen_at: Option<DateTime<Utc>>,
    pub disabled: bool,
}

/// The members of a workspace by name, from after a person; at most `limit`.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        r#"select p.id, p.name, p.email, m.role, m.created_at, p.disabled_at is not null as "disabled!",
               (select max(s.seen_at) from session s where s.workspace_id = m.workspace_id and s.person_id = p.id) as seen_at
           from member m join person p on p.id = m.person_id
           where m.workspace_id = $1
             and ($2::uuid is null or (lower(p.name), p.id) > (select lower(q.name), q.id from person q where q.id = $2))
           order by lower(p.name), p.id limit $3"#,
        workspace.0,
        after.map(|id| id.0),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            person: PersonId(row.id),
            name: row.name,
            email: row.email,
            role: Role::from_name(&row.role),
            joined_at: row.created_at,
            seen_at: row.seen_at,
            disabled: row.disabled,
        })
        .collect())
}

/// One member with the figure that decides about owners.
pub struct Locked {
    pub name: String,
    pub email: String,
    pub role: Role,
    /// Owners of the workspace who can sign in, without this member.
    pub other_owners: i64,
}

/// A member, and the workspace's members kept as they are until the transaction ends: of two owners who leave at once, one stays.
pub async fn lock(connection: &mut PgConnection, workspace: WorkspaceId, person: PersonId) -> Result<Locked, Error> {
    sqlx::query!("select from workspace where id = $1 and deleted_at is null for no key update", workspace.0)
        .fetch_one(&mut *connection)
        .await?;
    let row = sqlx::query!(
        r#"select p.name, p.email, m.role,
               (select count(*) from member o join person q on q.id = o.person_id and q.disabled_at is null
                where o.workspace_id = $1 and o.role = 'owner' and o.person_id <> $2) as "other_owners!"
           from member m join person p on p.id = m.person_id where m.workspace_id = $1 and m.person_id = $2"#,
        workspace.0,
        person.0,
    )
    .fetch_one(connection)
    .await?;
    Ok(Locked { name: row.name, email: row.email, role: Role::from_name(&row.role), other_owners: row.other_owners })
}

/// Ends a membership; `NotFound` when there is none.
pub async fn remove(connection: &mut PgConnection, workspace: WorkspaceId, person: PersonId) -> Result<(), Error> {
    let removed = sqlx::query!("delete from member where workspace_id = $1 and person_id = $2", workspace.0, person.0)
        .execute(connection)
        .await?;
    if removed.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// The role of a person in a workspace that is there; none when they are no member or disabled.
pub async fn role(db: impl PgExecutor<'_>, workspace: WorkspaceId, person: PersonId) -> Result<Option<Role>, Error> {
    let role = sqlx::query_scalar!(
        "select m.role from member m
         join person p on p.id = m.person_id and p.disabled_at is null
         join workspace w on w.id = m.workspace_id and w.deleted_at is null
         where m.workspace_id = $1 and m.person_id = $2",
        workspace.0,
        person.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(role.as_deref().map(Role::from_name))
}

/// Is somebody with this address a member?
pub async fn has_address(db: impl PgExecutor<'_>, workspace: WorkspaceId, email: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        "select exists (select from member m join person p on p.id = m.person_id where m.workspace_id = $1 and p.email = $2) as \"there!\"",
        workspace.0,
        email,
    )
    .fetch_one(db)
    .await?)
}

/// A workspace that a person may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub workspace: WorkspaceId,
    pub name: String,
    pub role: Role,
}

/// The workspaces of a person by name; at most `limit`.
pub async fn of_person(db: impl PgExecutor<'_>, person: PersonId, limit: i64) -> Result<Vec<Membership>, Error> {
    let rows = sqlx::query!(
        "select w.id, w.name, m.role from member m join workspace w on w.id = m.workspace_id and w.deleted_at is null
         where m.person_id = $1 order by lower(w.name), w.id limit $2",
        person.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Membership { workspace: WorkspaceId(row.id), name: row.name, role: Role::from_name(&row.role) })
        .collect())
}

/// The workspaces whose only owner this person is: they would be left without one.
pub async fn owned_alone(db: impl PgExecutor<'_>, person: PersonId) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar!(
        "select w.name from member m join workspace w on w.id = m.workspace_id and w.deleted_at is null
         where m.person_id = $1 and m.role = 'owner' and not exists (
             select from member o join person q on q.id = o.person_id and q.disabled_at is null
             where o.workspace_id = m.workspace_id and o.role = 'owner' and o.person_id <> $1)
         order by lower(w.name) limit 20",
        person.0,
    )
    .fetch_all(db)
    .await?)
}
