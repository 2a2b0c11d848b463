//! PostgreSQL: which server, how to connect to it, and its schema. [`open`] is the only way in; it answers once the schema is
//! the one that this build was made for.

pub mod migrate;

use crate::config::Config;
use anyhow::{Context, bail};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// The oldest PostgreSQL that has everything the schema uses.
const OLDEST: i32 = 14;

/// How to reach the database. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Database {
    /// For parts that open connections of their own: the engine's writer and listeners.
    pub options: PgConnectOptions,
    /// For pages, the API and look-ups. Eight connections: they can't starve the engine.
    pub pool: PgPool,
}

/// An open database.
pub struct Opened {
    pub database: Database,
}

impl Opened {
    /// Stops what [`open`] started.
    pub async fn stop(self) {}
}

/// Connects, checks the server's version and brings the schema up to date.
///
/// # Errors
/// A sentence for the person who starts the server.
pub async fn open(config: &Config) -> anyhow::Result<Opened> {
    let Some(url) = &config.database.url else {
        bail!("Set DATABASE_URL to a PostgreSQL server.");
    };
    let options = PgConnectOptions::from_str(url.reveal()).context("DATABASE_URL can't be read")?;
    let options = session(options);
    let mut connection = connect_first(&options).await?;
    check_version(&mut connection).await?;
    migrate::run(&mut connection).await?;
    let _ = connection.close().await;
    Ok(Opened { database: Database { pool: pool(&options), options } })
}

/// What holds for every connection of the server.
fn session(options: PgConnectOptions) -> PgConnectOptions {
    options
        .application_name("towpath")
        .options([
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "60s"),
            // A half-open connection is noticed within seconds, not hours; without effect on a unix socket.
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
            ("TimeZone", "UTC"),
        ])
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1))
}

fn pool(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(300))
        .connect_lazy_with(options.clone())
}

/// The first connection; a server that is just starting is waited for.
async fn connect_first(options: &PgConnectOptions) -> anyhow::Result<PgConnection> {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let mut tries = 0;
    loop {
        match tokio::time::timeout(Duration::from_secs(10), PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) if tries < 30 && is_starting(&error) => {
                if tries == 0 {
                    tracing::info!("PostgreSQL at {place} does not answer yet; waiting for it");
                }
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(Err(error)) => bail!("PostgreSQL at {place} refused the connection that DATABASE_URL describes: {error}."),
            Err(_) => bail!("PostgreSQL at {place} did not answer within 10 seconds. Check DATABASE_URL."),
        }
    }
}

/// Nobody listens yet, or the server says that it is starting up.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

async fn check_version(connection: &mut PgConnection) -> anyhow::Result<()> {
    let number: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(connection).await?;
    let major = number / 10_000;
    if major < OLDEST {
        bail!("This is PostgreSQL {major}; Towpath needs version {OLDEST} or later.");
    }
    Ok(())
}
