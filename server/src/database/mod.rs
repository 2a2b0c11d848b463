//! PostgreSQL: which server, how to connect to it, and its schema. [`open`] and its kin are the only way in; a server's answers once the
//! schema is the one that this build was made for.

pub mod embedded;
pub mod migrate;

use crate::{
    backup::snapshots,
    clock::Clock,
    config::{Config, Secret},
};
use anyhow::{Context, bail};
use embedded::{Embedded, Place, Start};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// The oldest PostgreSQL that has everything the schema uses.
const OLDEST: u32 = 14;

/// How to reach the database. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Database {
    /// For parts that open connections of their own: the engine's writer and listeners.
    pub options: PgConnectOptions,
    /// For pages, the API and look-ups. Eight connections: they can't starve the engine.
    pub pool: PgPool,
}

/// An open database, and the server if it is ours.
pub struct Opened {
    pub database: Database,
    embedded: Option<Embedded>,
}

impl Opened {
    /// Closes the pool and stops the server that [`open`] started, if it did.
    pub async fn close(self) {
        self.database.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }

    /// As [`Opened::close`], and does one more thing before another process may have the data directory.
    ///
    /// # Errors
    /// When the server isn't ours: then nothing is done.
    pub async fn close_with<T>(self, then: impl FnOnce() -> T) -> anyhow::Result<T> {
        self.database.pool.close().await;
        Ok(self.embedded.context("Another process runs this database")?.stop_with(then).await)
    }
}

/// What [`open_as`] does about the schema, and about a server that runs already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Bring the schema up to date; a snapshot is written first where there is something to lose.
    migrate: bool,
    snapshot: bool,
    /// Beside a server that runs on the same data directory, in place of refusing.
    beside: bool,
    /// Make the embedded database where there is none. A command that is about what is there must not: in the wrong directory it would
    /// find nothing, and call that everything.
    make: bool,
}

impl Manner {
    /// As a server does.
    pub const SERVE: Self = Self { migrate: true, snapshot: true, beside: false, make: true };
    /// As a command does.
    pub const COMMAND: Self = Self { beside: true, ..Self::SERVE };
    /// As a command does that is about what is there already.
    pub const OF_EXISTING: Self = Self { make: false, ..Self::COMMAND };
    /// What is there already, and its schema is left as it is.
    pub const LOOK: Self = Self { migrate: false, snapshot: false, ..Self::OF_EXISTING };
    /// Alone, and the schema is left as it is.
    pub const ALONE: Self = Self { beside: false, make: true, ..Self::LOOK };
    /// As a command does, without a way back.
    pub const WITHOUT_SNAPSHOT: Self = Self { snapshot: false, ..Self::COMMAND };
}

/// Opens the database for a server: starts the embedded one where no other is named, and brings the schema up to date.
///
/// # Errors
/// A sentence for the person who starts the server.
pub async fn open(config: &Config) -> anyhow::Result<Opened> {
    open_as(config, Manner::SERVE).await
}

/// Opens the database for a command: as [`open`], but beside a server that runs on the same data directory.
///
/// # Errors
/// A sentence for the person who runs the command.
pub async fn open_beside(config: &Config) -> anyhow::Result<Opened> {
    open_as(config, Manner::COMMAND).await
}

/// Opens the database.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn open_as(config: &Config, manner: Manner) -> anyhow::Result<Opened> {
    match &config.database.url {
        Some(url) => connect(config, external(url)?, None, manner).await,
        None => match embedded::start(place(config, manner.make)).await? {
            Start::Started(embedded) => connect(config, embedded.options.clone(), Some(*embedded), manner).await,
            Start::Taken(_) if manner.beside => {
                connect(config, embedded::options_of_running(&config.data.directory)?, None, manner).await
            }
            Start::Taken(holder) => bail!("{holder}"),
        },
    }
}

/// Starts the embedded server and nothing else: its schema is left as it is.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn open_alone(config: &Config) -> anyhow::Result<Embedded> {
    if config.database.url.is_some() {
        bail!("DATABASE_URL names a PostgreSQL server, so there is no embedded one to run.");
    }
    match embedded::start(place(config, false)).await? {
        Start::Started(embedded) => Ok(*embedded),
        Start::Taken(holder) => bail!("{holder}"),
    }
}

fn place(config: &Config, make: bool) -> Place {
    Place { data: config.data.directory.clone(), programs: config.database.programs.clone(), make }
}

fn external(url: &Secret) -> anyhow::Result<PgConnectOptions> {
    PgConnectOptions::from_str(url.reveal()).context("DATABASE_URL can't be read")
}

async fn connect(
    config: &Config,
    options: PgConnectOptions,
    embedded: Option<Embedded>,
    manner: Manner,
) -> anyhow::Result<Opened> {
    let options = session(options);
    let prepared = async {
        let mut connection = connect_first(&options).await?;
        check_version(&mut connection).await?;
        if manner.snapshot {
            snapshots::before_migration(&mut connection, &config.data.directory, Clock::system().now()).await?;
        }
        if manner.migrate {
            migrate::run(&mut connection).await?;
        }
        let _ = connection.close().await;
        anyhow::Ok(())
    };
    match prepared.await {
        Ok(()) => Ok(Opened { database: Database { pool: pool(&options), options }, embedded }),
        Err(error) => {
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
            Err(error)
        }
    }
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
            // "already exists, skipping" is no news.
            ("client_min_messages", "warning"),
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
    let major = u32::try_from(number / 10_000)?;
    if major < OLDEST {
        bail!("This is PostgreSQL {major}; Towpath needs version {OLDEST} or later.");
    }
    Ok(())
}
