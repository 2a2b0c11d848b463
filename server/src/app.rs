//! What every handler may use. Built once, at start; cloning it is cheap.

use crate::{auth::Auth, clock::Clock, dispatch::Engine, live::Live};
use sqlx::PgPool;
use std::sync::Arc;
use towpath_connectors::registry::Registry;

/// The application's parts. Handlers take `State<App>` and use the parts they need.
#[derive(Clone)]
pub struct App {
    /// For pages, the API and look-ups; the engine's writer has a connection of its own.
    pub pool: PgPool,
    pub clock: Clock,
    pub registry: Arc<Registry>,
    /// Passwords, throttling, and how people reach this server.
    pub auth: Auth,
    /// Accepts events and runs workflows.
    pub engine: Engine,
    /// What changed, for pages that move by themselves.
    pub live: Live,
}
