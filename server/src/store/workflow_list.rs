//! `workflow` as a list: its rows with their last runs, and what is done to a whole workflow. Drafts and versions are elsewhere.

use super::{Error, written::Written};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::{
    Json,
    ids::{PersonId, RunId, WorkflowId, WorkspaceId},
};

/// A row of the list.
#[derive(Clone, Debug)]
pub struct ListedWorkflow {
    pub id: WorkflowId,
    pub name: String,
    /// `draft`, `published` or `paused`.
    pub state: String,
    pub draft: Json,
    pub revision: i32,
    pub published_revision: Option<i32>,
    pub published_version: Option<i32>,
    pub last_run: Option<ListedRun>,
}

/// The last run of a workflow.
#[derive(Clone, Debug)]
pub struct ListedRun {
    pub id: RunId,
    pub created_at: DateTime<Utc>,
    /// How it ended, as `run_end` has it; none while it goes on.
    pub ended: Option<i16>,
    /// Some lane of it sleeps.
    pub waits: bool,
}

/// The newest first, from before an id; at most `limit`.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    before: Option<WorkflowId>,
    limit: i64,
) -> Result<Vec<ListedWorkflow>, Error> {
    let rows = sqlx::query!(
        r#"select w.id, w.name, w.state, w.draft as "draft: sqlx::types::Json<Json>", w.revision, w.published_revision, w.published_version,
               r.id as "run?", r.created_at as "run_at?", e.state as "ended?",
               (r.id is not null and e.id is null and exists (select from wait t where t.run_id = r.id)) as "waits!"
           from workflow w
           left join lateral (
               select r.id, r.created_at from run r where r.workspace_id = w.workspace_id and r.workflow_id = w.id order by r.id desc limit 1
           ) r on true
           left join run_end e on e.id = r.id and e.workspace_id = w.workspace_id
           where w.workspace_id = $1 and w.deleted_at is null and ($2::uuid is null or w.id < $2)
           order by w.id desc limit $3"#,
        workspace.0,
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ListedWorkflow {
            id: WorkflowId(row.id),
            name: row.name,
            state: row.state,
            draft: row.draft.0,
            revision: row.revision,
            published_revision: row.published_revision,
            published_version: row.published_version,
            last_run: row.run.zip(row.run_at).map(|(id, created_at)| ListedRun {
                id: RunId(id),
                created_at,
                ended: row.ended,
                waits: row.waits,
            }),
        })
        .collect())
}

/// Adds a draft at revision 0. The document is of the server's making, so it is not checked here.
pub async fn insert(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: WorkflowId,
    name: &str,
    draft: &Json,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into workflow (id, workspace_id, name, draft, created_by, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)",
        id.0,
        workspace.0,
        name,
        Written(draft) as _,
        by.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// From one state to another; `false` when the workflow is not in the first.
pub async fn change_state(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: WorkflowId,
    from: &str,
    to: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let changed = sqlx::query!(
        "update workflow set state = $4, updated_at = $5 where workspace_id = $1 and id = $2 and state = $3",
        workspace.0,
        id.0,
        from,
        to,
        now,
    )
    .execute(db)
    .await?;
    Ok(changed.rows_affected() > 0)
}

/// What deleting a workflow takes along.
pub struct Consequences {
    pub name: String,
    pub published: bool,
    /// Runs that are queued, under way or waiting.
    pub running: i64,
    /// Events in its inbox.
    pub parked: i64,
}

pub async fn consequences(db: impl PgExecutor<'_>, workspace: WorkspaceId, id: WorkflowId) -> Result<Consequences, Error> {
    let row = sqlx::query!(
        r#"select name, state = 'published' as "published!",
               (select count(*) from (select j.run_id from job j where j.workspace_id = $1 and j.workflow_id = $2
                                      union select t.run_id from wait t where t.workspace_id = $1 and t.workflow_id = $2) live) as "running!",
               (select count(*) from parked p where p.workspace_id = $1 and p.workflow_id = $2) as "parked!"
           from workflow where workspace_id = $1 and id = $2 and deleted_at is null"#,
        workspace.0,
        id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(Consequences { name: row.name, published: row.published, running: row.running, parked: row.parked })
}

/// Takes a workflow away: out of the list, its addresses dead. Its versions and runs stay, for runs that are under way.
pub async fn delete(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    id: WorkflowId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let deleted = sqlx::query!(
        "update workflow set state = 'deleted', deleted_at = $3, updated_at = $3 where workspace_id = $1 and id = $2 and deleted_at is null",
        workspace.0,
        id.0,
        now,
    )
    .execute(&mut *connection)
    .await?;
    if deleted.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    sqlx::query!(
        "update endpoint set revoked_at = $3 where workspace_id = $1 and workflow_id = $2 and revoked_at is null",
        workspace.0,
        id.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A workflow with its documents, for finding out what they name.
pub struct Documents {
    pub workflow: WorkflowId,
    pub name: String,
    pub draft: Json,
    /// The version that runs.
    pub published: Option<Json>,
}

/// The workflows in whose documents these words stand somewhere. What they mean there is for the caller to read.
pub async fn mentioning(db: impl PgExecutor<'_>, workspace: WorkspaceId, words: &str) -> Result<Vec<Documents>, Error> {
    let rows = sqlx::query!(
        r#"select w.id, w.name, w.draft as "draft: sqlx::types::Json<Json>", v.document as "published?: sqlx::types::Json<Json>"
           from workflow w
           left join workflow_version v on v.workflow_id = w.id and v.workspace_id = w.workspace_id and v.version = w.published_version
           where w.workspace_id = $1 and w.deleted_at is null
             and (position($2 in w.draft::text) > 0 or position($2 in v.document::text) > 0)
           order by lower(w.name), w.id"#,
        workspace.0,
        words
    )
    .fetch_all(db)
    .await?;
    let documents = rows.into_iter().map(|row| Documents {
        workflow: WorkflowId(row.id),
        name: row.name,
        draft: row.draft.0,
        published: row.published.map(|document| document.0),
    });
    Ok(documents.collect())
}
