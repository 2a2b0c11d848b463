//! `workflow_edit`: the edits of a draft, by the revision that each led to. A stale tab reads what it missed here.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Json,
    ids::{PersonId, WorkflowId, WorkspaceId},
};

/// How many edits of a workflow are kept.
const KEPT: i32 = 1_000;

/// One edit: the operations and what takes them back.
#[derive(Clone, Debug)]
pub struct Edit {
    pub revision: i32,
    pub operations: Json,
    pub by: Option<PersonId>,
}

/// Stores the edit that led to `revision`, and lets go of very old ones.
#[allow(clippy::too_many_arguments, reason = "one per column")]
pub async fn insert(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    revision: i32,
    operations: &Json,
    inverse: &Json,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into workflow_edit (workflow_id, revision, workspace_id, operations, inverse, edited_by, edited_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        workflow.0,
        revision,
        workspace.0,
        Written(operations) as _,
        Written(inverse) as _,
        by.0,
        now
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from workflow_edit where workspace_id = $1 and workflow_id = $2 and revision <= $3",
        workspace.0,
        workflow.0,
        revision - KEPT
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The edits after `base`, oldest first.
pub async fn since(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    base: i32,
) -> Result<Vec<Edit>, Error> {
    let rows = sqlx::query!(
        r#"select revision, operations as "operations: Sql<Json>", edited_by from workflow_edit
           where workspace_id = $1 and workflow_id = $2 and revision > $3 order by revision limit 1000"#,
        workspace.0,
        workflow.0,
        base
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Edit { revision: row.revision, operations: row.operations.0, by: row.edited_by.map(PersonId) })
        .collect())
}
