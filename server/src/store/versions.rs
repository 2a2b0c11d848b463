//! `workflow_version`: what was published, word for word. Rows are inserted and read, never changed.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, types::Json as Sql};
use towpath_engine::{
    Json,
    ids::{PersonId, WorkflowId, WorkspaceId},
};

/// One line of the list of versions.
#[derive(Clone, Debug)]
pub struct Listed {
    pub version: i32,
    pub published_at: DateTime<Utc>,
    /// Absent when the person was deleted since.
    pub published_by: Option<String>,
}

/// Stores the next version of a workflow whose row the caller has locked.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: i32,
    document: &Json,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into workflow_version (workflow_id, version, workspace_id, document, published_by, published_at, language)
         select $1, $2, $3, $4, $5, $6, language from workspace where id = $3",
        workflow.0,
        version,
        workspace.0,
        Written(document) as _,
        by.0,
        now
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// The newest versions before `before`, newest first, at most `limit`.
pub async fn list(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        r#"select v.version, v.published_at, p.name as "by?"
           from workflow_version v left join person p on p.id = v.published_by
           where v.workspace_id = $1 and v.workflow_id = $2 and v.version < $3
           order by v.version desc limit $4"#,
        workspace.0,
        workflow.0,
        before.unwrap_or(i32::MAX),
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed { version: row.version, published_at: row.published_at, published_by: row.by })
        .collect())
}

/// A version's document.
pub async fn document(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: i32,
) -> Result<Json, Error> {
    let row = sqlx::query!(
        r#"select document as "document: Sql<Json>" from workflow_version
           where workspace_id = $1 and workflow_id = $2 and version = $3"#,
        workspace.0,
        workflow.0,
        version
    )
    .fetch_one(executor)
    .await?;
    Ok(row.document.0)
}
