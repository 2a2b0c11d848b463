//! `workflow`: a draft that is edited, and which version is published. Names and states here; documents are only carried.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, types::Json as Sql};
use towpath_engine::{
    Json,
    ids::{WorkflowId, WorkspaceId},
};

/// What a workflow is at the moment.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: WorkflowId,
    pub name: String,
    /// `draft`, `published` or `paused`.
    pub state: String,
    pub draft: Json,
    /// Counts the edits of the draft.
    pub revision: i32,
    /// The revision that is the published version.
    pub published_revision: Option<i32>,
    pub published_version: Option<i32>,
    pub latest_version: i32,
    pub updated_at: DateTime<Utc>,
}

impl Stored {
    /// Does the draft differ from what is published?
    pub fn has_unpublished_changes(&self) -> bool {
        self.published_revision.is_some_and(|published| published != self.revision)
    }
}

/// A workflow with its draft; `NotFound` for deleted ones.
pub async fn find(executor: impl PgExecutor<'_>, workspace: WorkspaceId, id: WorkflowId) -> Result<Stored, Error> {
    let row = sqlx::query!(
        r#"select name, state, draft as "draft: Sql<Json>", revision, published_revision, published_version, latest_version, updated_at
           from workflow where workspace_id = $1 and id = $2 and deleted_at is null"#,
        workspace.0,
        id.0
    )
    .fetch_one(executor)
    .await?;
    Ok(Stored {
        id,
        name: row.name,
        state: row.state,
        draft: row.draft.0,
        revision: row.revision,
        published_revision: row.published_revision,
        published_version: row.published_version,
        latest_version: row.latest_version,
        updated_at: row.updated_at,
    })
}

/// As [`find`], and keeps others from changing it until the transaction ends.
pub async fn lock(connection: &mut PgConnection, workspace: WorkspaceId, id: WorkflowId) -> Result<Stored, Error> {
    sqlx::query!("select from workflow where workspace_id = $1 and id = $2 and deleted_at is null for update", workspace.0, id.0)
        .fetch_one(&mut *connection)
        .await?;
    find(connection, workspace, id).await
}

/// Puts a new draft in the place of a locked one and counts the revision up to `revision`.
pub async fn set_draft(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: WorkflowId,
    name: &str,
    draft: &Json,
    revision: i32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update workflow set name = $3, draft = $4, revision = $5, updated_at = $6 where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        name,
        Written(draft) as _,
        revision,
        now
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Makes `version`, which was just stored from `revision`, the one that runs.
pub async fn set_published(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: WorkflowId,
    version: i32,
    revision: i32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update workflow set state = 'published', published_version = $3, latest_version = $3, published_revision = $4, updated_at = $5
         where workspace_id = $1 and id = $2",
        workspace.0,
        id.0,
        version,
        revision,
        now
    )
    .execute(executor)
    .await?;
    Ok(())
}
