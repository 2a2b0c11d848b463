//! `variable_revision`: the variables of a workspace, as they were after each change. Rows are never changed; what no run can see any
//! more is deleted.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Json,
    ids::{PersonId, WorkspaceId},
};

/// The newest revision of every workspace that has one: its number and the list as it is stored. For the server's start, so it names no
/// workspace.
pub async fn newest(executor: impl PgExecutor<'_>) -> Result<Vec<(WorkspaceId, i32, Json)>, Error> {
    let rows = sqlx::query!(
        r#"select distinct on (workspace_id) workspace_id, number, variables as "variables: Sql<Json>"
           from variable_revision order by workspace_id, number desc"#
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), row.number, row.variables.0)).collect())
}

/// One revision, if it is there.
pub async fn find(executor: impl PgExecutor<'_>, workspace: WorkspaceId, number: i32) -> sqlx::Result<Option<Json>> {
    let list = sqlx::query_scalar!(
        r#"select variables as "variables: Sql<Json>" from variable_revision where workspace_id = $1 and number = $2"#,
        workspace.0,
        number
    )
    .fetch_optional(executor)
    .await?;
    Ok(list.map(|list| list.0))
}

/// The newest revision of a workspace, which nobody else changes until the transaction is over.
pub async fn newest_for_change(connection: &mut PgConnection, workspace: WorkspaceId) -> Result<(i32, Option<Json>), Error> {
    sqlx::query!("select id from workspace where id = $1 for no key update", workspace.0).fetch_one(&mut *connection).await?;
    let row = sqlx::query!(
        r#"select number, variables as "variables: Sql<Json>" from variable_revision
           where workspace_id = $1 order by number desc limit 1"#,
        workspace.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or((0, None), |row| (row.number, Some(row.variables.0))))
}

/// Adds a revision.
pub async fn insert(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    number: i32,
    variables: &Json,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into variable_revision (workspace_id, number, variables, written_at, written_by) values ($1, $2, $3, $4, $5)",
        workspace.0,
        number,
        Written(variables) as _,
        now,
        by.0
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the revisions that were out of date before `before`: the one that counted then stays, and all later ones.
pub async fn forget(connection: &mut PgConnection, workspace: WorkspaceId, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        "delete from variable_revision where workspace_id = $1
         and number < (select max(number) from variable_revision where workspace_id = $1 and written_at < $2)",
        workspace.0,
        before
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
