//! Workflows that other workflows may call, as the step that calls them sees them.

use super::Error;
use sqlx::PgExecutor;
use towpath_engine::{
    ids::{WorkflowId, WorkspaceId},
    plan::CALLED,
};
use uuid::Uuid;

/// A workflow that can be called.
pub struct Callee {
    pub id: WorkflowId,
    pub name: String,
    /// The published one; absent while it is paused or was never published.
    pub version: Option<u32>,
    pub is_paused: bool,
}

/// The workflow of this id; of this name where it is no id. Of several with the name the one that is published, the oldest first.
pub async fn find(executor: impl PgExecutor<'_>, workspace: WorkspaceId, wanted: &str) -> Result<Callee, Error> {
    let id = wanted.parse::<Uuid>().ok();
    let row = sqlx::query!(
        "select id, name, state, published_version from workflow
         where workspace_id = $1 and deleted_at is null and (id = $2 or ($2 is null and name = $3))
         order by state = 'published' desc, id limit 1",
        workspace.0,
        id,
        wanted
    )
    .fetch_one(executor)
    .await?;
    let version = row.published_version.filter(|_| row.state == "published").and_then(|version| u32::try_from(version).ok());
    Ok(Callee { id: row.id.into(), name: row.name, version, is_paused: row.state == "paused" })
}

/// The ids and names of the workflows whose draft or published version waits to be called, by name; at most `limit`.
pub async fn all(executor: impl PgExecutor<'_>, workspace: WorkspaceId, limit: i64) -> Result<Vec<(WorkflowId, String)>, Error> {
    let rows = sqlx::query!(
        r#"select w.id, w.name from workflow w
           left join workflow_version v on v.workflow_id = w.id and v.version = w.published_version
           where w.workspace_id = $1 and w.deleted_at is null
             and (v.document -> 'trigger' ->> 'use' = $2 or w.draft -> 'trigger' ->> 'use' = $2)
           order by lower(w.name), w.id limit $3"#,
        workspace.0,
        CALLED,
        limit
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.into(), row.name)).collect())
}
