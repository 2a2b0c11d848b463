//! What the engine is built from, and the numbers that bound it.

use crate::{clock::Clock, live::Live, variables::Variables};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::{PgPool, postgres::PgConnectOptions};
use std::{path::PathBuf, sync::Arc, time::Duration};
use towpath_connectors::{
    registry::Registry,
    sdk::{Doors, connector::Connected},
};
use towpath_engine::error::StepError;
use towpath_engine::ids::{ConnectionId, PersonId, WorkflowId, WorkspaceId};

/// Opens the doors that a step may use.
pub type OpenDoors = Arc<dyn Fn(For) -> Doors + Send + Sync>;

/// What runs know of connections.
pub trait Connections: Send + Sync {
    /// The connection that a run is about to work through, without its secrets; `None` when there is none to work through. An error
    /// fails the step before it acts; one of a connection that is known to be refused makes it wait.
    fn connected(&self, whom: For) -> BoxFuture<'_, Result<Option<Connected>, StepError>>;

    /// How a call through it went that began at this time; `refused` when the service did not take its secrets. Says how the
    /// connection stands now.
    fn heard<'a>(
        &'a self,
        whom: For,
        began: DateTime<Utc>,
        refused: bool,
        result: Result<(), &'a StepError>,
    ) -> BoxFuture<'a, Standing>;

    /// Need runs wait for this connection no longer? True when it is gone, and when that can't be told: a call will.
    fn accepts(&self, workspace: WorkspaceId, id: ConnectionId) -> BoxFuture<'_, bool>;

    /// Returns when some connection may have become usable again since this was last awaited.
    fn renewed(&self) -> BoxFuture<'_, ()>;
}

/// How a connection stands at its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is taken, so far as anybody knows: what was refused was the call.
    Accepted,
    /// It is not taken any more. Its runs wait.
    Refused,
}

/// For whom doors are opened: they reach this workspace's files, and may use this connection as this workflow.
#[derive(Clone, Copy, Debug)]
pub struct For {
    pub workspace: WorkspaceId,
    /// The workflow that acts; `None` for what no workflow does, alerts for example.
    pub workflow: Option<WorkflowId>,
    pub connection: Option<ConnectionId>,
    /// Who tries something out; then the connection must be shared with this person as well.
    pub person: Option<PersonId>,
}

impl For {
    /// Without a connection.
    pub fn workspace(workspace: WorkspaceId) -> Self {
        Self { workspace, workflow: None, connection: None, person: None }
    }
}

/// What the engine is given at start.
#[derive(Clone)]
pub struct Parts {
    /// How to reach the database: the writer and the lease have connections of their own, outside every pool.
    pub database: PgConnectOptions,
    /// For loading runs and their records.
    pub pool: PgPool,
    pub clock: Clock,
    pub registry: Arc<Registry>,
    pub doors: OpenDoors,
    pub connections: Arc<dyn Connections>,
    /// What runs read as `vars`.
    pub variables: Variables,
    pub live: Live,
    pub settings: Settings,
}

/// The engine's bounds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Steps that may be outside at the same time, in the whole process.
    pub effects: usize,
    /// How many days ended runs, their records and files are kept.
    pub retention_days: u32,
    /// The folder whose file system must keep [`Settings::disk_reserve`] bytes free, when the database lives on it.
    pub data: Option<PathBuf>,
    pub disk_reserve: u64,
    /// A retry or delay shorter than this sleeps in memory; a longer one sleeps in the database.
    pub sleep_in_memory: Duration,
    /// The wall clock of an attempt whose step sets none.
    pub attempt_timeout: Duration,
    /// The largest output of a step, in bytes of JSON.
    pub max_output: usize,
    /// Nothing is started until [`super::Engine::release`]; events are taken and wait.
    pub held: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            effects: 64,
            retention_days: 30,
            data: None,
            disk_reserve: 1 << 30,
            sleep_in_memory: Duration::from_secs(3),
            attempt_timeout: Duration::from_secs(60),
            max_output: 5 << 20,
            held: false,
        }
    }
}
