//! `connection_binding`: which workflow may use which connection, and who vouches for it.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Json,
    ids::{ConnectionId, PersonId, WorkflowId, WorkspaceId},
};
use uuid::Uuid;

/// Gives a workflow connections; who gives them vouches from now on. Connections of other workspaces are passed over.
pub async fn put(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    connections: &[ConnectionId],
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = connections.iter().map(|id| id.0).collect();
    sqlx::query!(
        "insert into connection_binding (workspace_id, workflow_id, connection_id, bound_by, bound_at)
         select $1, $2, c.id, $4, $5 from connection c where c.workspace_id = $1 and c.id = any($3::uuid[])
         on conflict (workflow_id, connection_id) do update set bound_by = excluded.bound_by, bound_at = excluded.bound_at",
        workspace.0,
        workflow.0,
        &ids,
        by.0,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A connection as a workflow's document needs to know it.
pub struct Known {
    pub id: ConnectionId,
    pub name: String,
    pub connector: String,
    pub health: String,
    /// The person who asks may use it.
    pub usable: bool,
    /// The workflow was given it, and that still counts: see `connections::grant`.
    pub vouched: bool,
}

/// Those of the connections that are there, for a person who edits the workflow.
pub async fn known(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    person: PersonId,
    connections: &[ConnectionId],
) -> Result<Vec<Known>, Error> {
    let ids: Vec<Uuid> = connections.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"with may as (
               select m.person_id, c.id as connection_id from member m
               join person p on p.id = m.person_id and p.disabled_at is null
               join connection c on c.workspace_id = m.workspace_id
               where m.workspace_id = $1 and m.role in ('owner', 'admin', 'builder') and c.id = any($4::uuid[])
                 and (c.sharing = 'everybody' or coalesce(c.owner_id = m.person_id, false) or exists (
                     select from connection_person s where s.connection_id = c.id and s.person_id = m.person_id)))
           select c.id, c.name, c.connector, c.health,
               exists (select from may where may.connection_id = c.id and may.person_id = $3) as "usable!",
               exists (select from connection_binding b
                   where b.workspace_id = $1 and b.workflow_id = $2 and b.connection_id = c.id
                     and (c.sharing = 'everybody'
                          or (c.id, b.bound_by) in (select connection_id, person_id from may))) as "vouched!"
           from connection c where c.workspace_id = $1 and c.id = any($4::uuid[])"#,
        workspace.0,
        workflow.0,
        person.0,
        &ids
    )
    .fetch_all(executor)
    .await?;
    let known = rows.into_iter().map(|row| Known {
        id: ConnectionId(row.id),
        name: row.name,
        connector: row.connector,
        health: row.health,
        usable: row.usable,
        vouched: row.vouched,
    });
    Ok(known.collect())
}

/// A workflow that was given a connection, with the documents in which it may stand.
pub struct Bound {
    pub workflow: WorkflowId,
    pub name: String,
    pub state: String,
    /// Those of the connections asked for that it was given.
    pub connections: Vec<ConnectionId>,
    pub draft: Json,
    pub published: Option<Json>,
}

/// The workflows that were given one of the connections. Whether they still name it is in their documents.
pub async fn workflows(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    connections: &[ConnectionId],
) -> Result<Vec<Bound>, Error> {
    let ids: Vec<Uuid> = connections.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"with given as (
               select b.workflow_id, array_agg(b.connection_id) as connections from connection_binding b
               where b.workspace_id = $1 and b.connection_id = any($2::uuid[]) group by b.workflow_id)
           select w.id, w.name, w.state, g.connections as "connections!", w.draft as "draft: Sql<Json>",
                  v.document as "published?: Sql<Json>"
           from given g
           join workflow w on w.workspace_id = $1 and w.id = g.workflow_id and w.deleted_at is null
           left join workflow_version v on v.workflow_id = w.id and v.workspace_id = w.workspace_id and v.version = w.published_version
           order by lower(w.name), w.id"#,
        workspace.0,
        &ids
    )
    .fetch_all(executor)
    .await?;
    let bound = rows.into_iter().map(|row| Bound {
        workflow: WorkflowId(row.id),
        name: row.name,
        state: row.state,
        connections: row.connections.into_iter().map(ConnectionId).collect(),
        draft: row.draft.0,
        published: row.published.map(|document| document.0),
    });
    Ok(bound.collect())
}
