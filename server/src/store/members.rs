//! The table `member`: who is what in which workspace.

use super::Error;
use crate::auth::permission::Role;
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{PersonId, WorkspaceId};

/// Makes a person a member, or gives a member another role.
pub async fn put(connection: &mut PgConnection, workspace: WorkspaceId, person: PersonId, role: Role) -> Result<(), Error> {
    sqlx::query!(
        "insert into member (workspace_id, person_id, role) values ($1, $2, $3)
         on conflict (workspace_id, person_id) do update set role = excluded.role",
        workspace.0,
        person.0,
        role.name(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The workspace that a person joined first: where their next session begins.
pub async fn first_workspace(db: impl PgExecutor<'_>, person: PersonId) -> Result<Option<WorkspaceId>, Error> {
    let id = sqlx::query_scalar!(
        "select workspace_id from member where person_id = $1 order by created_at, workspace_id limit 1",
        person.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(WorkspaceId))
}
