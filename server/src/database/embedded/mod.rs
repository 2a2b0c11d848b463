//! The embedded PostgreSQL: a private server under the data directory, for everybody who doesn't bring one. Nobody else can reach
//! it (a unix socket in a closed folder, a random password), it writes to disk before it says so, and it ends with us.
//!
//! [`programs`] finds what is installed, [`account`] says as which user it runs, [`lock`] keeps a second Towpath away,
//! [`cluster`] makes the data on first start, [`leftovers`] clears up after a crash, [`process`] starts processes that end with
//! us, [`supervisor`] keeps the server running.

mod account;
mod cluster;
mod leftovers;
mod lock;
mod process;
mod programs;
mod supervisor;

use account::Account;
use anyhow::{Context, bail};
use cluster::Cluster;
use lock::Lock;
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use supervisor::Supervisor;

/// A server that dies so often while it starts won't start.
const TRIES: u32 = 3;
/// Recovery after a crash may take long; after this much silence we say what we are waiting for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running server. Dropping it leaves the server to end with the process; [`Embedded::stop`] ends it in order.
pub struct Embedded {
    pub options: PgConnectOptions,
    psql: String,
    supervisor: Supervisor,
    /// Held as long as the server may run.
    _lock: Lock,
}

/// Where the data directory is taken from, and which programs to run.
#[derive(Clone, Debug)]
pub struct Place {
    pub data: PathBuf,
    pub programs: Option<PathBuf>,
    /// Make the data where there is none.
    pub make: bool,
}

/// What became of the attempt to start a server.
pub enum Start {
    Started(Box<Embedded>),
    /// The process with this id has the data directory.
    Taken(lock::Holder),
}

/// Starts the server, making its data first where there is none, and answers when it takes connections.
///
/// # Errors
/// A sentence for the person who starts Towpath.
pub async fn start(place: Place) -> anyhow::Result<Start> {
    let prepared = tokio::task::spawn_blocking(move || prepare(&place)).await.context("The preparation was interrupted")??;
    let (lock, cluster) = match prepared {
        Prepared::Ready(lock, cluster) => (lock, cluster),
        Prepared::Taken(holder) => return Ok(Start::Taken(holder)),
    };
    let options = cluster.options()?;
    let psql = cluster.psql();
    let supervisor = Supervisor::start(cluster)?;
    match wait_until_ready(&options, &supervisor).await {
        Ok(()) => Ok(Start::Started(Box::new(Embedded { options, psql, supervisor, _lock: lock }))),
        Err(error) => {
            supervisor.stop().await;
            Err(error)
        }
    }
}

/// How to reach the server that another process runs on this data directory.
///
/// # Errors
/// A sentence, when its password can't be read.
pub fn options_of_running(data: &Path) -> anyhow::Result<PgConnectOptions> {
    Cluster::existing(data).options()
}

/// The major versions of the data in `data` and of the newest programs that are installed.
///
/// # Errors
/// A sentence, when one of them is missing.
pub fn majors(data: &Path, setting: Option<&Path>) -> anyhow::Result<(u32, u32)> {
    let existing = cluster::major_of_existing(data)?.context("There is no embedded database in the data directory.")?;
    let newest = programs::find(setting, None)?.major;
    if newest != existing {
        // The setting names where to move; the data is read by its own version's programs, from where systems put them.
        programs::find(None, Some(existing))?;
    }
    Ok((existing, newest))
}

impl Embedded {
    /// The shell's line that connects to the server.
    pub fn psql(&self) -> &str {
        &self.psql
    }

    /// Ends the server in order: open transactions are rolled back, everything committed is on disk.
    pub async fn stop(self) {
        self.stop_with(|| ()).await;
    }

    /// The same, and does one more thing while the data directory is still ours.
    pub async fn stop_with<T>(self, then: impl FnOnce() -> T) -> T {
        self.supervisor.stop().await;
        then()
    }
}

enum Prepared {
    Ready(Lock, Cluster),
    Taken(lock::Holder),
}

fn prepare(place: &Place) -> anyhow::Result<Prepared> {
    if !place.make && cluster::major_of_existing(&place.data)?.is_none() {
        bail!(
            "There is no database in {}. Name the data directory of the server that you mean with TOWPATH_DATA, or its PostgreSQL with \
             DATABASE_URL.",
            place.data.display()
        );
    }
    let account = Account::for_data(&place.data)?;
    account.make_data_directory(&place.data)?;
    let lock = match Lock::take(&place.data)? {
        lock::Taking::Taken(lock) => lock,
        lock::Taking::HeldBy(holder) => return Ok(Prepared::Taken(holder)),
    };
    let existing = cluster::major_of_existing(&place.data)?;
    let programs = programs::find(place.programs.as_deref(), existing)?;
    let cluster = Cluster::open_or_make(&place.data, account, programs)?;
    leftovers::clear(&cluster.folder(), &cluster.socket_folder())?;
    Ok(Prepared::Ready(lock, cluster))
}

async fn wait_until_ready(options: &PgConnectOptions, supervisor: &Supervisor) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut said = false;
    loop {
        let failure = match tokio::time::timeout(PATIENCE, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if supervisor.exits() >= TRIES {
            bail!("The embedded PostgreSQL does not start. The last it said:\n{}", supervisor.last_words());
        }
        if is_wrong_password(&failure) {
            bail!("The embedded PostgreSQL refuses our password ({failure}). Was the file postgresql/password changed?");
        }
        if began.elapsed() > PATIENCE && !said {
            tracing::info!("PostgreSQL is still starting; after a crash it may take a while to recover ({failure})");
            said = true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn is_wrong_password(failure: &str) -> bool {
    failure.contains("password authentication failed")
}

/// The connection options of a server on the socket in `folder`.
fn options(folder: &Path, password: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(folder)
        .port(cluster::PORT)
        .username(cluster::USER)
        .password(password)
        .database(cluster::DATABASE)
        .ssl_mode(PgSslMode::Disable)
}
