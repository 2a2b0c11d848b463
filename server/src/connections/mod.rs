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
    dispatch::{For, Standing},
    egress::Egress,
    sandbox::Sandbox,
    store::{self, connections as stored, files::WorkspaceFiles},
    tables::{Tables, WorkspaceTables},
    vault::{Secret, Vault},
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use health::{Health, Recent};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Notify;
use towpath_connectors::{
    registry::Registry,
    sdk::{Doors, connector::Connected},
};
use towpath_engine::{
    error::{ErrorKind, StepError},
    ids::{ConnectionId, WorkspaceId},
};

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
    /// Where users' code runs.
    pub sandbox: Sandbox,
    /// The largest file that a step may store, in bytes.
    pub largest_file: u64,
    /// What steps reach as their workspace's data tables.
    pub tables: Tables,
    recent: Recent,
    /// Some connection may have become usable again.
    renewed: Notify,
}

impl Parts {
    pub fn new(
        pool: PgPool,
        clock: Clock,
        vault: Vault,
        registry: Arc<Registry>,
        (egress, sandbox): (Egress, Sandbox),
        largest_file: u64,
    ) -> Self {
        let tables = Tables::new(pool.clone(), clock.clone());
        let (recent, renewed) = (Recent::default(), Notify::new());
        Self { pool, clock, vault, registry, egress, sandbox, largest_file, tables, recent, renewed }
    }
}

impl Connections {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Opens the doors for somebody. With a connection they attach its secrets, to the addresses that it allows.
    pub fn doors(&self, whom: For) -> Doors {
        let tables = Box::new(WorkspaceTables::new(self.0.tables.clone(), whom.workspace));
        let files = WorkspaceFiles::new(self.0.pool.clone(), whom.workspace, self.0.largest_file);
        match whom.connection {
            None => Doors { tables, ..self.0.egress.doors(files, self.0.sandbox.door(whom.workspace)) },
            Some(id) => Doors { tables, ..door::doors(self.clone(), whom, id, files) },
        }
    }

    /// The data tables, which steps reach by the doors.
    pub fn tables(&self) -> &Tables {
        &self.0.tables
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

    /// Notes how a call through a connection went that began at this time: `refused` when the service didn't take its secrets.
    /// Writes only what is news, and says how the connection stands now.
    pub async fn heard(&self, whom: For, began: DateTime<Utc>, refused: bool, result: Result<(), &StepError>) -> Standing {
        let Some(id) = whom.connection else { return Standing::Accepted };
        let mut told = health::of_call(refused, result);
        // Some services answer 401 to what the account may not do. All runs of the connection would wait for nothing.
        let doubtful = told.as_ref().is_some_and(|(health, _)| health.is_refused()) && !self.0.recent.is_refused(id);
        if doubtful && probe::again(self, whom, id).await == Some(Health::Works) {
            told = Some((Health::Works, None));
        }
        let standing = match &told {
            Some((health, _)) if health.is_refused() => Standing::Refused,
            _ => Standing::Accepted,
        };
        let now = self.0.clock.now();
        let told = match told {
            Some((health, sentence)) if self.0.recent.is_news(id, health) => {
                self.found_out(whom.workspace, id, health, sentence.as_deref(), began).await
            }
            _ => Ok(()),
        };
        let told = match told {
            Ok(()) if self.0.recent.is_due(id, now) => stored::set_used(&self.0.pool, whom.workspace, id, now).await,
            other => other,
        };
        if let Err(error) = told {
            tracing::warn!(%error, connection = %id, "how a connection is could not be noted");
            self.0.recent.forget(id);
        }
        standing
    }

    /// Notes what somebody found out who began at this time. Runs that wait for the connection hear of it.
    async fn found_out(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        health: Health,
        sentence: Option<&str>,
        began: DateTime<Utc>,
    ) -> Result<(), store::Error> {
        let sentence = sentence.filter(|_| health != Health::Works);
        let now = self.0.clock.now();
        let current = stored::set_health(&self.0.pool, workspace, id, health.name(), sentence, began, now).await?;
        if !current {
            self.0.recent.forget(id);
        }
        if !health.is_refused() {
            self.changed();
        }
        Ok(())
    }

    /// A connection was changed, or is gone: runs that wait for it look again.
    pub fn changed(&self) {
        self.0.renewed.notify_one();
    }

    /// The connection that a run is about to work through. One that its service refuses is not tried: the run waits.
    async fn admitted(&self, whom: For) -> Result<Option<Connected>, StepError> {
        let connected = self.connected(whom).await?;
        match &connected {
            Some(connected) if self.0.recent.is_refused(connected.id) => Err(StepError::new(
                ErrorKind::Unauthorized,
                format!("The service doesn't take the connection “{}” any more, so nothing was sent.", connected.name),
            )
            .hint("Open the connection and enter its secrets again. The runs that wait for it go on by themselves then.")),
            _ => Ok(connected),
        }
    }
}

impl crate::dispatch::Connections for Connections {
    fn connected(&self, whom: For) -> BoxFuture<'_, Result<Option<Connected>, StepError>> {
        Box::pin(self.admitted(whom))
    }

    fn heard<'a>(
        &'a self,
        whom: For,
        began: DateTime<Utc>,
        refused: bool,
        result: Result<(), &'a StepError>,
    ) -> BoxFuture<'a, Standing> {
        Box::pin(self.heard(whom, began, refused, result))
    }

    fn accepts(&self, workspace: WorkspaceId, id: ConnectionId) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            match stored::is_refused(&self.0.pool, workspace, id).await {
                Ok(refused) => refused != Some(true),
                Err(error) => {
                    tracing::warn!(%error, connection = %id, "how a connection is could not be looked up");
                    true
                }
            }
        })
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.renewed.notified())
    }
}

/// The store has no answer at the moment: the step may try again.
fn unavailable(error: &store::Error) -> StepError {
    tracing::warn!(%error, "a connection could not be looked up");
    StepError::new(ErrorKind::Unavailable, "Towpath could not look the step's connection up. Nothing was sent.")
}
