//! `endpoint`: the public addresses of triggers. An address lives from the moment its trigger is picked and can be rotated; a
//! revoked one is never looked up again.

use super::Error;
use sqlx::{PgConnection, PgExecutor};
use towpath_connectors::{registry::Registry, sdk::receive::Address};
use towpath_engine::{
    Json,
    ids::{EndpointId, WorkflowId, WorkspaceId},
};

/// The triggers that have an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Webhook,
    Form,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Form => "form",
        }
    }

    /// The kind of a trigger's operation; `None` for triggers without an address of their own.
    pub fn of_operation(operation: &str, registry: &Registry) -> Option<Self> {
        match operation {
            "webhook" => Some(Self::Webhook),
            "form" => Some(Self::Form),
            other => {
                let receive = registry.receive(other)?;
                (receive.address() == Address::Workflow).then_some(Self::Webhook)
            }
        }
    }
}

/// An address and what verifies its callers.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: EndpointId,
    pub secret_sealed: Option<Vec<u8>>,
    pub secret_hint: Option<String>,
}

/// The trigger's current address; made when there is none. The same address however often it is called.
pub async fn ensure(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    kind: Kind,
) -> Result<EndpointId, Error> {
    sqlx::query!(
        "insert into endpoint (id, workspace_id, workflow_id, kind) values ($1, $2, $3, $4)
         on conflict (workflow_id, kind) where revoked_at is null do nothing",
        EndpointId::random().0,
        workspace.0,
        workflow.0,
        kind.as_str()
    )
    .execute(&mut *connection)
    .await?;
    Ok(current(connection, workspace, workflow, kind).await?.id)
}

/// The trigger's current address.
pub async fn current(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    kind: Kind,
) -> Result<Endpoint, Error> {
    let row = sqlx::query!(
        "select id, secret_sealed, secret_hint from endpoint
         where workspace_id = $1 and workflow_id = $2 and kind = $3 and revoked_at is null",
        workspace.0,
        workflow.0,
        kind.as_str()
    )
    .fetch_one(executor)
    .await?;
    Ok(Endpoint { id: EndpointId(row.id), secret_sealed: row.secret_sealed, secret_hint: row.secret_hint })
}

/// What an address leads to.
#[derive(Clone, Debug)]
pub struct Destination {
    pub endpoint: Endpoint,
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    /// `draft`, `published` or `paused`.
    pub state: String,
    pub draft: Json,
    pub published: Option<(u32, Json)>,
}

/// Follows an address from outside, where nobody has a workspace yet: the id alone is the right to call it. `NotFound` for unknown
/// and revoked ids and for deleted workflows.
pub async fn follow(executor: impl PgExecutor<'_>, id: EndpointId, kind: Kind) -> Result<Destination, Error> {
    let row = sqlx::query!(
        r#"select e.workspace_id, e.workflow_id, e.secret_sealed, e.secret_hint, w.state, w.draft as "draft: sqlx::types::Json<Json>",
               v.version as "version?", v.document as "document?: sqlx::types::Json<Json>"
           from endpoint e
           join workflow w on w.id = e.workflow_id and w.workspace_id = e.workspace_id
           left join workflow_version v on v.workflow_id = w.id and v.workspace_id = w.workspace_id and v.version = w.published_version
           where e.id = $1 and e.kind = $2 and e.revoked_at is null and w.deleted_at is null"#,
        id.0,
        kind.as_str()
    )
    .fetch_one(executor)
    .await?;
    let published = row.version.and_then(|version| u32::try_from(version).ok()).zip(row.document.map(|document| document.0));
    Ok(Destination {
        endpoint: Endpoint { id, secret_sealed: row.secret_sealed, secret_hint: row.secret_hint },
        workspace: WorkspaceId(row.workspace_id),
        workflow: WorkflowId(row.workflow_id),
        state: row.state,
        draft: row.draft.0,
        published,
    })
}

/// Sets or takes away what verifies the callers of an address.
pub async fn set_secret(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    id: EndpointId,
    secret: Option<(&[u8], &str)>,
) -> Result<(), Error> {
    let changed = sqlx::query!(
        "update endpoint set secret_sealed = $3, secret_hint = $4 where workspace_id = $1 and id = $2 and revoked_at is null",
        workspace.0,
        id.0,
        secret.map(|(sealed, _)| sealed),
        secret.map(|(_, hint)| hint)
    )
    .execute(executor)
    .await?;
    if changed.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Gives a trigger a new address; from the commit on the old one leads nowhere. The secret isn't carried over: it was sealed for
/// the old row, so the caller seals it anew.
pub async fn rotate(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    kind: Kind,
) -> Result<(Endpoint, EndpointId), Error> {
    let old = sqlx::query!(
        "update endpoint set revoked_at = now() where workspace_id = $1 and workflow_id = $2 and kind = $3 and revoked_at is null
         returning id, secret_sealed, secret_hint",
        workspace.0,
        workflow.0,
        kind.as_str()
    )
    .fetch_one(&mut *connection)
    .await?;
    let old = Endpoint { id: EndpointId(old.id), secret_sealed: old.secret_sealed, secret_hint: old.secret_hint };
    let new = ensure(connection, workspace, workflow, kind).await?;
    Ok((old, new))
}

/// Does any address hold a sealed secret? Asked once at start, before a key file may be made.
pub async fn any_sealed(executor: impl PgExecutor<'_>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(r#"select exists (select from endpoint where secret_sealed is not null) as "any!""#)
        .fetch_one(executor)
        .await?)
}
