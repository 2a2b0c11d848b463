//! What every handler may use. Built once, at start; cloning it is cheap.

use crate::{
    auth::{self, Auth},
    clock::Clock,
    config::Config,
    connections::{self, Connections},
    database::Database,
    dispatch::{Engine, OpenDoors, Parts, Settings},
    egress::{self, Egress},
    hold,
    http_server::health::Readiness,
    ingest::Ingest,
    live::Live,
    reachability::Reachability,
    sandbox::{self, Sandbox},
    shutdown::Shutdown,
    tables::Tables,
    tls::Tls,
    variables::Variables,
    vault::Vault,
};
use anyhow::Context as _;
use sqlx::PgPool;
use std::sync::Arc;
use towpath_connectors::registry::Registry;

/// The application's parts. Handlers take `State<App>` and use the parts they need.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    /// For pages, the API and look-ups; the engine's writer has connections of its own.
    pub pool: PgPool,
    pub clock: Clock,
    pub registry: Arc<Registry>,
    /// Passwords, throttling, and how people reach this server.
    pub auth: Auth,
    /// Keys; what is sealed with them stays unreadable in the database.
    pub vault: Vault,
    /// Accepts events and runs workflows.
    pub engine: Engine,
    /// The one door out: HTTP, TCP, mail.
    pub egress: Egress,
    /// Named values of workspaces, which expressions read.
    pub variables: Variables,
    /// Where users' code runs.
    pub sandbox: Sandbox,
    /// Links to accounts at services, and the one way to use them.
    pub connections: Connections,
    /// Data tables.
    pub tables: Tables,
    /// The doors that a workspace's steps and alerts may use.
    pub doors: OpenDoors,
    /// The doors in: webhooks, forms, manual starts.
    pub ingest: Ingest,
    /// What changed, for pages that move by themselves.
    pub live: Live,
    /// Live streams end when it has begun.
    pub shutdown: Shutdown,
    pub readiness: Arc<Readiness>,
    /// What was found when the server last called its own public address.
    pub reachability: Reachability,
    /// The certificate in use, where TLS ends in this process.
    pub tls: Option<Tls>,
}

/// Builds the parts, in the order in which they need each other.
///
/// # Errors
/// A sentence that says which part could not start, and why.
pub async fn assemble(config: Config, database: Database, tls: Option<Tls>, shutdown: Shutdown) -> anyhow::Result<App> {
    let config = Arc::new(config);
    let clock = Clock::system();
    let registry = Arc::new(registry(&config)?);
    let auth = auth(&config);
    let live = Live::default();
    let vault = Vault::start(&config.data.key_file, &database.pool).await?;
    let ingest = Ingest::start(database.pool.clone(), clock.clone(), &live, config.limits.max_body);
    let egress = egress(&config, &clock);
    let sandbox = Sandbox::new(sandbox::Settings::default());
    let connections = Connections::new(connections::Parts::new(
        database.pool.clone(),
        clock.clone(),
        vault.clone(),
        Arc::clone(&registry),
        (egress.clone(), sandbox.clone()),
        config.limits.max_body,
    ));
    let doors = open_doors(&connections);
    let variables = Variables::start(database.pool.clone()).await.context("The variables could not be read")?;
    let held = hold::generation::check(&database.pool, &config.data.directory, clock.now()).await?;
    let engine = Engine::start(Parts {
        database: database.options.clone(),
        pool: database.pool.clone(),
        clock: clock.clone(),
        registry: Arc::clone(&registry),
        doors: Arc::clone(&doors),
        connections: Arc::new(connections.clone()),
        variables: variables.clone(),
        live: live.clone(),
        settings: Settings { held, ..engine_settings(&config) },
    })
    .await?;
    let readiness = Arc::new(Readiness::new(database.pool.clone(), engine.clone(), shutdown.clone()));
    Ok(App {
        config,
        pool: database.pool,
        clock,
        registry,
        auth,
        vault,
        engine,
        egress,
        variables,
        sandbox,
        tables: connections.tables().clone(),
        connections,
        doors,
        ingest,
        live,
        shutdown,
        readiness,
        reachability: Reachability::default(),
        tls,
    })
}

fn registry(config: &Config) -> anyhow::Result<Registry> {
    let registry = Registry::built_in();
    match &config.connectors.directory {
        Some(directory) => registry.with_directory(directory).context("TOWPATH_CONNECTORS"),
        None => Ok(registry),
    }
}

fn auth(config: &Config) -> Auth {
    Auth::new(auth::Settings {
        public_url: config.server.public_url.clone(),
        trusted_proxies: config.server.trusted_proxies.clone(),
    })
}

fn egress(config: &Config, clock: &Clock) -> Egress {
    Egress::new(egress::Settings { allow: config.egress.allow.clone(), mail: config.mail.smtp.clone() }, clock.clone())
}

fn open_doors(connections: &Connections) -> OpenDoors {
    let connections = connections.clone();
    Arc::new(move |whom| connections.doors(whom))
}

fn engine_settings(config: &Config) -> Settings {
    Settings {
        retention_days: config.limits.retention_days,
        data: config.database.url.is_none().then(|| config.data.directory.clone()),
        ..Settings::default()
    }
}
