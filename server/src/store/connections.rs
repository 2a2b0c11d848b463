//! `connection` and `connection_person`: links to accounts at services, and who may use them. Secrets are only carried, sealed.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use std::collections::BTreeMap;
use towpath_engine::{
    Object,
    ids::{ConnectionId, PersonId, WorkflowId, WorkspaceId},
};
use uuid::Uuid;

/// What may be shown of each secret field that is set: its end, or nothing.
pub type Hints = BTreeMap<String, String>;

/// A connection as its workspace may see it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: ConnectionId,
    pub connector: String,
    pub auth: String,
    pub name: String,
    pub fields: Object,
    pub hints: Hints,
    pub hosts: Vec<String>,
    pub owner: Option<PersonId>,
    pub owner_name: Option<String>,
    /// Everybody in the workspace may use it; else its owner and those it is shared with.
    pub for_everybody: bool,
    pub health: String,
    pub health_since: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub account_id: Option<String>,
    pub account_label: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    /// Is it shared with the person who asks, is it hers, or is it everybody's?
    pub usable: bool,
    /// With how many people it is shared by name.
    pub shared_with: i64,
}

/// What is written when a connection is made or changed.
pub struct Content<'a> {
    pub name: &'a str,
    pub fields: &'a Object,
    pub secret_sealed: Option<&'a [u8]>,
    pub hints: &'a Hints,
    pub hosts: &'a [String],
    pub for_everybody: bool,
}

fn sharing(for_everybody: bool) -> &'static str {
    if for_everybody { "everybody" } else { "people" }
}

/// Adds a connection. A second one of the same name is `Conflict("connection_name")`.
pub async fn insert(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
    (connector, auth): (&str, &str),
    owner: PersonId,
    content: &Content<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into connection (id, workspace_id, connector, auth, name, fields, secret_sealed, secret_hints, hosts, owner_id, sharing,
             health_since, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12)",
        id.0,
        workspace.0,
        connector,
        auth,
        content.name,
        Written(content.fields) as _,
        content.secret_sealed,
        Written(content.hints) as _,
        content.hosts,
        owner.0,
        sharing(content.for_everybody),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts new content in the place of the old. Its health begins anew, because nobody knows whether it still works.
pub async fn update(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
    content: &Content<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let changed = sqlx::query!(
        "update connection set name = $3, fields = $4, secret_sealed = $5, secret_hints = $6, hosts = $7, sharing = $8, updated_at = $9,
             health = 'untested', health_since = $9, last_error = null
         where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        content.name,
        Written(content.fields) as _,
        content.secret_sealed,
        Written(content.hints) as _,
        content.hosts,
        sharing(content.for_everybody),
        now
    )
    .execute(connection)
    .await?;
    if changed.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Another name, other people: nothing that decides whether it works.
pub async fn set_name_and_sharing(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
    name: &str,
    for_everybody: bool,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let changed = sqlx::query!(
        "update connection set name = $3, sharing = $4, updated_at = $5 where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        name,
        sharing(for_everybody),
        now
    )
    .execute(connection)
    .await?;
    if changed.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// The people that a connection is shared with, in the place of those before. Who isn't a member is a
/// `Conflict("connection_person_workspace_id_person_id_fkey")`.
pub async fn set_people(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
    people: &[PersonId],
) -> Result<(), Error> {
    let ids: Vec<Uuid> = people.iter().map(|person| person.0).collect();
    sqlx::query!("delete from connection_person where workspace_id = $1 and connection_id = $2", workspace.0, id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into connection_person (workspace_id, connection_id, person_id) select $1, $2, unnest($3::uuid[]) on conflict do nothing",
        workspace.0,
        id.0,
        &ids
    )
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// With whom a connection is shared by name.
pub async fn people(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: ConnectionId) -> Result<Vec<PersonId>, Error> {
    let ids = sqlx::query_scalar!(
        "select person_id from connection_person where workspace_id = $1 and connection_id = $2 order by person_id",
        workspace.0,
        id.0
    )
    .fetch_all(executor)
    .await?;
    Ok(ids.into_iter().map(PersonId).collect())
}

struct Row {
    id: Uuid,
    connector: String,
    auth: String,
    name: String,
    fields: Sql<Object>,
    hints: Sql<Hints>,
    hosts: Vec<String>,
    owner_id: Option<Uuid>,
    owner_name: Option<String>,
    sharing: String,
    health: String,
    health_since: DateTime<Utc>,
    checked_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    account_id: Option<String>,
    account_label: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    usable: bool,
    shared_with: i64,
}

impl From<Row> for Stored {
    fn from(row: Row) -> Self {
        Self {
            id: ConnectionId(row.id),
            connector: row.connector,
            auth: row.auth,
            name: row.name,
            fields: row.fields.0,
            hints: row.hints.0,
            hosts: row.hosts,
            owner: row.owner_id.map(PersonId),
            owner_name: row.owner_name,
            for_everybody: row.sharing == "everybody",
            health: row.health,
            health_since: row.health_since,
            checked_at: row.checked_at,
            last_error: row.last_error,
            account_id: row.account_id,
            account_label: row.account_label,
            created_at: row.created_at,
            updated_at: row.updated_at,
            used_at: row.used_at,
            usable: row.usable,
            shared_with: row.shared_with,
        }
    }
}

/// The workspace's connections by name, all or one connector's, `most` of them after `after`. `person` is who asks.
pub async fn list(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    person: PersonId,
    connector: Option<&str>,
    after: Option<&str>,
    most: i64,
) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select c.id, c.connector, c.auth, c.name, c.fields as "fields: Sql<Object>", c.secret_hints as "hints: Sql<Hints>", c.hosts,
               c.owner_id, p.name as "owner_name?", c.sharing, c.health, c.health_since, c.checked_at, c.last_error, c.account_id,
               c.account_label, c.created_at, c.updated_at, c.used_at,
               (c.sharing = 'everybody' or coalesce(c.owner_id = $2, false) or exists (
                   select from connection_person s where s.connection_id = c.id and s.person_id = $2)) as "usable!",
               (select count(*) from connection_person s where s.connection_id = c.id and s.person_id is distinct from c.owner_id) as "shared_with!"
           from connection c left join person p on p.id = c.owner_id
           where c.workspace_id = $1 and ($3::text is null or lower(c.name) > lower($3)) and ($5::text is null or c.connector = $5)
           order by lower(c.name) limit $4"#,
        workspace.0,
        person.0,
        after,
        most,
        connector
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(Stored::from).collect())
}

/// One connection. `person` is who asks.
pub async fn find(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    person: PersonId,
    id: ConnectionId,
) -> Result<Stored, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select c.id, c.connector, c.auth, c.name, c.fields as "fields: Sql<Object>", c.secret_hints as "hints: Sql<Hints>", c.hosts,
               c.owner_id, p.name as "owner_name?", c.sharing, c.health, c.health_since, c.checked_at, c.last_error, c.account_id,
               c.account_label, c.created_at, c.updated_at, c.used_at,
               (c.sharing = 'everybody' or coalesce(c.owner_id = $2, false) or exists (
                   select from connection_person s where s.connection_id = c.id and s.person_id = $2)) as "usable!",
               (select count(*) from connection_person s where s.connection_id = c.id and s.person_id is distinct from c.owner_id) as "shared_with!"
           from connection c left join person p on p.id = c.owner_id
           where c.workspace_id = $1 and c.id = $3"#,
        workspace.0,
        person.0,
        id.0
    )
    .fetch_one(executor)
    .await?;
    Ok(row.into())
}

/// The sealed secret; `None` when there is none.
pub async fn sealed(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<Vec<u8>>, Error> {
    Ok(sqlx::query_scalar!("select secret_sealed from connection where workspace_id = $1 and id = $2", workspace.0, id.0)
        .fetch_one(executor)
        .await?)
}

/// A connection for somebody who is about to use it, with what decides whether they may.
pub struct ForUse {
    pub connector: String,
    pub auth: String,
    pub name: String,
    pub fields: Object,
    pub hosts: Vec<String>,
    pub secret_sealed: Option<Vec<u8>>,
    pub for_everybody: bool,
    pub health: String,
    pub last_error: Option<String>,
    /// The workflow was given it.
    pub bound: bool,
    /// Whoever gave it is a member who may build and may still use it.
    pub vouched: bool,
    /// The person who asks is a member who may build and may use it; true when nobody asks.
    pub person_may: bool,
}

/// Everything that use depends on, as it is at this moment, in one statement.
pub async fn for_use(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: ConnectionId,
    workflow: Option<WorkflowId>,
    person: Option<PersonId>,
) -> Result<ForUse, Error> {
    let row = sqlx::query!(
        r#"with may as (
               select m.person_id from member m join person p on p.id = m.person_id and p.disabled_at is null
               join connection c on c.workspace_id = m.workspace_id and c.id = $2
               where m.workspace_id = $1 and m.role in ('owner', 'admin', 'builder')
                 and (c.sharing = 'everybody' or coalesce(c.owner_id = m.person_id, false) or exists (
                     select from connection_person s where s.connection_id = c.id and s.person_id = m.person_id)))
           select c.connector, c.auth, c.name, c.fields as "fields: Sql<Object>", c.hosts, c.secret_sealed, c.sharing, c.health,
               c.last_error, b.bound_by is not null as "bound!",
               coalesce(b.bound_by in (select person_id from may), false) as "vouched!",
               ($4::uuid is null or $4 in (select person_id from may)) as "person_may!"
           from connection c
           left join connection_binding b on b.workspace_id = c.workspace_id and b.connection_id = c.id and b.workflow_id = $3
           where c.workspace_id = $1 and c.id = $2"#,
        workspace.0,
        id.0,
        workflow.map(|workflow| workflow.0),
        person.map(|person| person.0)
    )
    .fetch_one(executor)
    .await?;
    Ok(ForUse {
        connector: row.connector,
        auth: row.auth,
        name: row.name,
        fields: row.fields.0,
        hosts: row.hosts,
        secret_sealed: row.secret_sealed,
        for_everybody: row.sharing == "everybody",
        health: row.health,
        last_error: row.last_error,
        bound: row.bound,
        vouched: row.vouched,
        person_may: row.person_may,
    })
}

/// What a use or a test found out that began at `began`. False, and nothing is written, when the connection was changed since: it says
/// nothing about what is there now.
pub async fn set_health(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: ConnectionId,
    health: &str,
    error: Option<&str>,
    began: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let written = sqlx::query!(
        "update connection set health_since = case when health = $3 then health_since else $5 end, health = $3, last_error = $4,
             checked_at = $5
         where workspace_id = $1 and id = $2 and updated_at <= $6",
        workspace.0,
        id.0,
        health,
        error,
        now,
        began
    )
    .execute(executor)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// Does the service refuse it, as far as is known? `None`: there is no such connection.
pub async fn is_refused(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<bool>, Error> {
    let refused = sqlx::query_scalar!(
        r#"select health in ('expired', 'revoked') as "refused!" from connection where workspace_id = $1 and id = $2"#,
        workspace.0,
        id.0
    );
    Ok(refused.fetch_optional(executor).await?)
}

/// Whose account it is, as the service says.
pub async fn set_account(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: ConnectionId,
    account: Option<&str>,
    label: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        "update connection set account_id = $3, account_label = $4 where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        account,
        label
    )
    .execute(executor)
    .await?;
    Ok(())
}

pub async fn set_used(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: ConnectionId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!("update connection set used_at = $3 where workspace_id = $1 and id = $2", workspace.0, id.0, now)
        .execute(executor)
        .await?;
    Ok(())
}

/// Takes a connection away, secrets and all.
pub async fn delete(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: ConnectionId) -> Result<(), Error> {
    let gone =
        sqlx::query!("delete from connection where workspace_id = $1 and id = $2", workspace.0, id.0).execute(executor).await?;
    if gone.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Does any connection hold a sealed secret? Asked once at start, before a key file may be made.
pub async fn any_sealed(executor: impl PgExecutor<'_>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(r#"select exists (select from connection where secret_sealed is not null) as "any!""#)
        .fetch_one(executor)
        .await?)
}

/// Somebody whom a connection can be shared with.
pub struct Member {
    pub person: PersonId,
    pub name: String,
    pub email: String,
}

/// Everybody in the workspace, by name.
pub async fn members(executor: impl PgExecutor<'_>, workspace: WorkspaceId) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query!(
        "select p.id, p.name, p.email from member m join person p on p.id = m.person_id
         where m.workspace_id = $1 and p.disabled_at is null order by lower(p.name), p.id",
        workspace.0
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| Member { person: PersonId(row.id), name: row.name, email: row.email }).collect())
}
