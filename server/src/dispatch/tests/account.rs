//! A connection to the service outside, which the service stops taking when the test says so.

use crate::dispatch::{Connections, For, Standing};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;
use towpath_connectors::sdk::connector::Connected;
use towpath_engine::{
    error::{ErrorKind, StepError},
    ids::{ConnectionId, WorkspaceId},
};

pub struct Account {
    pool: PgPool,
    workspace: WorkspaceId,
    renewed: Notify,
    /// It is renewed before the run that was refused gets to sleep.
    pub is_quick: AtomicBool,
}

impl Account {
    pub fn new(pool: PgPool, workspace: WorkspaceId) -> Self {
        Self { pool, workspace, renewed: Notify::new(), is_quick: AtomicBool::new(false) }
    }

    /// Makes a connection.
    pub async fn add(&self) -> ConnectionId {
        let id = ConnectionId::new();
        sqlx::query!(
            "insert into connection (id, workspace_id, connector, auth, name, health) values ($1, $2, 'http', 'bearer', $3, 'works')",
            id.0,
            self.workspace.0,
            id.to_string()
        )
        .execute(&self.pool)
        .await
        .unwrap();
        id
    }

    pub async fn is(&self, id: ConnectionId, health: &str) {
        sqlx::query!("update connection set health = $2 where id = $1", id.0, health).execute(&self.pool).await.unwrap();
    }

    /// Its owner entered its secrets again.
    pub async fn renew(&self, id: ConnectionId) {
        self.is(id, "untested").await;
        self.renewed.notify_one();
    }

    pub async fn delete(&self, id: ConnectionId) {
        sqlx::query!("delete from connection where id = $1", id.0).execute(&self.pool).await.unwrap();
        self.renewed.notify_one();
    }

    async fn health(&self, id: ConnectionId) -> Option<String> {
        let health = sqlx::query_scalar!("select health from connection where id = $1", id.0);
        health.fetch_optional(&self.pool).await.unwrap()
    }
}

impl Connections for Account {
    fn connected(&self, whom: For) -> BoxFuture<'_, Result<Option<Connected>, StepError>> {
        Box::pin(async move {
            let Some(id) = whom.connection else { return Ok(None) };
            match self.health(id).await.as_deref() {
                None => Err(StepError::new(ErrorKind::Forbidden, "The connection was deleted.")),
                Some("expired") => Err(StepError::new(ErrorKind::Unauthorized, "The service doesn't take it any more.")),
                Some(_) => Ok(None),
            }
        })
    }

    fn heard<'a>(&'a self, whom: For, _: DateTime<Utc>, _: bool, result: Result<(), &'a StepError>) -> BoxFuture<'a, Standing> {
        Box::pin(async move {
            match (whom.connection, result) {
                (Some(id), Err(error)) if error.kind == ErrorKind::Unauthorized => {
                    self.is(id, if self.is_quick.load(Ordering::SeqCst) { "untested" } else { "expired" }).await;
                    Standing::Refused
                }
                _ => Standing::Accepted,
            }
        })
    }

    fn accepts(&self, _: WorkspaceId, id: ConnectionId) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.health(id).await.as_deref() != Some("expired") })
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.renewed.notified())
    }
}
