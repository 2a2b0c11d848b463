//! `data_write`: which changes of data tables were made, by the idempotency keys of the steps that made them.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, types::Json as Sql};
use towpath_engine::{
    Json,
    ids::{TableId, WorkspaceId},
};
use uuid::Uuid;

/// What the change with this key was answered with, if it was made.
pub async fn find(connection: &mut PgConnection, workspace: WorkspaceId, key: Uuid) -> Result<Option<Json>, Error> {
    let answer = sqlx::query_scalar!(
        r#"select answer as "answer: Sql<Json>" from data_write where workspace_id = $1 and key = $2"#,
        workspace.0,
        key
    )
    .fetch_optional(connection)
    .await?;
    Ok(answer.map(|answer| answer.0))
}

/// Notes a change, in the transaction that makes it.
pub async fn insert(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    key: Uuid,
    table: TableId,
    answer: &Json,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into data_write (workspace_id, key, table_id, answer, at) values ($1, $2, $3, $4, $5)",
        workspace.0,
        key,
        table.0,
        Written(answer) as _,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets changes from before `before`, except those that a run may repeat which has not ended: its steps made them after it was
/// accepted. Housekeeping, over all workspaces. Returns how many were forgotten.
pub async fn forget(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let workspaces =
        sqlx::query_scalar!("select distinct workspace_id from data_write where at < $1", before).fetch_all(pool).await?;
    let mut forgotten = 0;
    for workspace in workspaces {
        let mut connection = pool.acquire().await?;
        let oldest = super::live_runs::oldest(&mut connection, WorkspaceId(workspace)).await?;
        let until = oldest.map_or(before, |accepted| accepted.min(before));
        let gone = sqlx::query!("delete from data_write where workspace_id = $1 and at < $2", workspace, until)
            .execute(&mut *connection)
            .await?;
        forgotten += gone.rows_affected();
    }
    Ok(forgotten)
}
