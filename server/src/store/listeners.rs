//! `listener`: published workflows whose service sends its news to one address for all of them.

use super::{Error, written::Written};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Object,
    ids::{ConnectionId, WorkflowId, WorkspaceId},
};

/// A workflow that hears what a service sends to its connector's address.
#[derive(Clone, Debug)]
pub struct Listener {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub version: i32,
    pub connector: String,
    pub operation: String,
    pub connection: ConnectionId,
    pub input: Object,
    /// False while the workflow is paused.
    pub running: bool,
}

/// Stores a listener in the place of what there was.
pub async fn put(connection: &mut PgConnection, listener: &Listener) -> Result<(), Error> {
    sqlx::query!(
        "insert into listener (workflow_id, workspace_id, version, connector, operation, connection_id, input, running)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (workflow_id) do update set version = $3, connector = $4, operation = $5, connection_id = $6, input = $7, running = $8
         where listener.workspace_id = $2",
        listener.workflow.0,
        listener.workspace.0,
        listener.version,
        listener.connector,
        listener.operation,
        listener.connection.0,
        Written(&listener.input) as _,
        listener.running
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The workflow is started by something else, or gone.
pub async fn remove(connection: &mut PgConnection, workspace: WorkspaceId, workflow: WorkflowId) -> Result<(), Error> {
    sqlx::query!("delete from listener where workspace_id = $1 and workflow_id = $2", workspace.0, workflow.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Who hears what arrives for a connector, in every workspace, each with the account of its connection. A delivery comes from outside,
/// where nobody has a workspace yet: each is verified by the secrets of the connection that it would start a workflow through.
pub async fn of_connector(
    executor: impl PgExecutor<'_>,
    connector: &str,
    most: i64,
) -> Result<Vec<(Listener, Option<String>)>, Error> {
    let rows = sqlx::query!(
        r#"select l.workspace_id, l.workflow_id, l.version, l.connector, l.operation, l.connection_id, l.input as "input: Sql<Object>",
               l.running, c.account_id
           from listener l
           join workflow w on w.id = l.workflow_id and w.workspace_id = l.workspace_id
           join connection c on c.id = l.connection_id and c.workspace_id = l.workspace_id
           where l.connector = $1 and w.published_version = l.version and w.state in ('published', 'paused')
           order by l.workflow_id limit $2"#,
        connector,
        most
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let listener = Listener {
                workspace: WorkspaceId(row.workspace_id),
                workflow: WorkflowId(row.workflow_id),
                version: row.version,
                connector: row.connector,
                operation: row.operation,
                connection: ConnectionId(row.connection_id),
                input: row.input.0,
                running: row.running,
            };
            (listener, row.account_id)
        })
        .collect())
}
