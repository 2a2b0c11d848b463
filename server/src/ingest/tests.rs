//! What the tests of this area share: a workspace with a workflow, without the rest of the application.

use sqlx::PgPool;
use towpath_engine::ids::{WorkflowId, WorkspaceId};

/// A new workspace with one draft in it.
pub async fn place(pool: &PgPool) -> (WorkspaceId, WorkflowId) {
    let (workspace, workflow) = (WorkspaceId::new(), WorkflowId::new());
    sqlx::query!("insert into workspace (id, name) values ($1, 'Test')", workspace.0).execute(pool).await.unwrap();
    sqlx::query!("insert into workflow (id, workspace_id, name, draft) values ($1, $2, 'Test', '{}')", workflow.0, workspace.0)
        .execute(pool)
        .await
        .unwrap();
    (workspace, workflow)
}
