//! Connections: links to accounts at services, owned by a workspace, used by its workflows.
//!
//! [`grant::use_connection`] is the only code that opens a connection's secret, at the time of use and for one address. [`door`] attaches
//! what it opened to a request that is about to leave; [`bind`] decides at save time which workflow is given which connection.

pub mod bind;
pub mod door;
pub mod form;
pub mod grant;
pub mod health;
pub mod hosts;
pub mod naming;
pub mod probe;
mod smtp;

pub use grant::{Granted, Rights};

use crate::{
    clock::Clock,
    dispatch::For,
    egress::Egress,
    store::{connections as stored, files::WorkspaceFiles},
    vault::{Secret, Vault},
};
use health::Recent;
use sqlx::PgPool;
use std::sync::Arc;
use towpath_connectors::{
    registry::Registry,
    sdk::{Doors, connector::Connected},
};
use towpath_engine::error::{ErrorKind, StepError};

/// Everything that using a connection needs. Cloning it is cheap.
#[derive(Clone)]
pub struct Connections(Arc<Parts>);

/// What it is built from.
pub struct Parts {
    pub pool: PgPool,
    pub clock: Clock,
    pub vault: Vault,
    pub registry: Arc<Registry>,
    pub egress: Egress,
    /// The largest file that a step may store, in bytes.
    pub largest_file: u64,
    recent: Recent,
}

impl Parts {
    pub fn new(pool: PgPool, clock: Clock, vault: Vault, registry: Arc<Registry>, egress: Egress, largest_file: u64) -> Self {
        Self { pool, clock, vault, registry, egress, largest_file, recent: Recent::default() }
    }
}

impl Connections {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Opens the doors for somebody. With a connection they attach its secrets, to the addresses that it allows.
    pub fn doors(&self, whom: For) -> Doors {
        let files = WorkspaceFiles::new(self.0.pool.clone(), whom.workspace, self.0.largest_file);
        match whom.connection {
            None => self.0.egress.doors(files),
            Some(id) => door::doors(self.clone(), whom, id, files),
        }
    }

    /// The connection that somebody is about to work through, without its secrets; `None` when there is none to work through.
    ///
    /// # Errors
    /// A sentence for the owner of the workflow: the connection is gone, or may not be used here.
    pub async fn connected(&self, whom: For) -> Result<Option<Connected>, StepError> {
        let Some(id) = whom.connection else { return Ok(None) };
        let found = grant::allowed(self, whom, id).await?;
        self.0.recent.saw(id, &found.health);
        Ok(Some(Connected { id, name: found.name, connector: found.connector, auth: found.auth, fields: found.fields }))
    }

    /// As [`Self::connected`], with the secrets of these names, to verify what a service sends to the workflow.
    ///
    /// # Errors
    /// A sentence for the owner of the workflow: the connection is gone, or may not be used here.
    pub async fn verifying(&self, whom: For, names: &[String]) -> Result<Vec<(String, Secret)>, StepError> {
        match whom.connection {
            Some(id) => grant::verifying(self, whom, id, names).await,
            None => Ok(Vec::new()),
        }
    }

    /// Notes how a call through a connection went: `refused` when the service didn't take its secrets. Writes only what is news.
    pub async fn heard(&self, whom: For, refused: bool, result: Result<(), &StepError>) {
        let Some(id) = whom.connection else { return };
        let now = self.0.clock.now();
        let told = match health::of_call(refused, result) {
            Some((health, sentence)) if self.0.recent.is_news(id, health) => {
                stored::set_health(&self.0.pool, whom.workspace, id, health.name(), sentence.as_deref(), now).await
            }
            _ => Ok(()),
        };
        let told = match told {
            Ok(()) if self.0.recent.is_due(id, now) => stored::set_used(&self.0.pool, whom.workspace, id, now).await,
            other => other,
        };
        if let Err(error) = told {
            tracing::warn!(%error, connection = %id, "how a connection is could not be noted");
        }
    }
}

impl crate::dispatch::Connections for Connections {
    fn connected(&self, whom: For) -> futures_util::future::BoxFuture<'_, Result<Option<Connected>, StepError>> {
        Box::pin(self.connected(whom))
    }

    fn heard<'a>(
        &'a self,
        whom: For,
        refused: bool,
        result: Result<(), &'a StepError>,
    ) -> futures_util::future::BoxFuture<'a, ()> {
        Box::pin(self.heard(whom, refused, result))
    }
}

/// The store has no answer at the moment: the step may try again.
fn unavailable(error: &crate::store::Error) -> StepError {
    tracing::warn!(%error, "a connection could not be looked up");
    StepError::new(ErrorKind::Unavailable, "Towpath could not look the step's connection up. Nothing was sent.")
}
