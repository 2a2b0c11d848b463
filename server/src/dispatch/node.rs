//! This process among processes: its row, its lease, its shards. Leases decide when another process takes over; the fence inside
//! every statement decides who may write.

use crate::store::nodes;
use anyhow::Context;
use parking_lot::Mutex;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long a lease lives without being renewed.
pub const LEASE: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(5);
/// No effect starts when the lease has less than this left.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a start waits for another process to end.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(40);
/// After this long a process has shown that it doesn't die of what it recovered.
const PROVEN: Duration = Duration::from_secs(60);

/// A registered process. Dropping it releases nothing: a crash doesn't either.
pub struct Node {
    pub id: i64,
    /// How many processes in a row died before this one, soon after their start.
    pub deaths: i16,
    renewed: Mutex<Instant>,
    lost: watch::Sender<bool>,
}

impl Node {
    /// Registers this process and takes over every shard of the dead. Waits for a live process to end, for a while.
    pub async fn join(database: &PgConnectOptions, address: &str) -> anyhow::Result<(Arc<Self>, PgConnection)> {
        let mut connection = PgConnection::connect_with(database).await.context("connecting to the database")?;
        let build = env!("CARGO_PKG_VERSION");
        let id = nodes::register(&mut connection, build, address, LEASE.as_secs_f64()).await?;
        nodes::try_lock(&mut connection, id).await?;
        let begun = Instant::now();
        let mut deaths = 0;
        loop {
            let mut living = 0;
            for other in nodes::others(&mut connection, id).await? {
                // The session's lock proves death at once; a lease that ran out decides about a process that hangs.
                let free = nodes::try_lock(&mut connection, other.id).await?;
                if free {
                    nodes::unlock(&mut connection, other.id).await?;
                }
                if free || other.expired {
                    nodes::declare_dead(&mut connection, other.id).await?;
                    deaths = deaths.max(other.deaths.saturating_add(1));
                } else {
                    living += 1;
                }
            }
            if living == 0 {
                break;
            }
            if begun.elapsed() > WAIT_FOR_OTHERS {
                nodes::declare_dead(&mut connection, id).await?;
                anyhow::bail!("Another Towpath runs on this database. Stop it first, or give this one a database of its own.");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            nodes::renew(&mut connection, id, LEASE.as_secs_f64()).await?;
        }
        let owned = nodes::take_shards(&mut connection, id, deaths).await?;
        tracing::info!(node = id, shards = owned, deaths, "took over");
        let node = Self { id, deaths, renewed: Mutex::new(Instant::now()), lost: watch::Sender::new(false) };
        Ok((Arc::new(node), connection))
    }

    /// May an effect start now? Not when the lease is about to end: somebody else may already be at it.
    pub fn may_act(&self) -> bool {
        !*self.lost.borrow() && self.renewed.lock().elapsed() < LEASE - MARGIN
    }

    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    /// This process commits nothing more.
    pub fn lose(&self) {
        self.lost.send_replace(true);
    }

    /// Returns when another process has taken over.
    pub async fn lost(&self) {
        let mut lost = self.lost.subscribe();
        // The sender lives as long as `self`.
        let _ = lost.wait_for(|lost| *lost).await;
    }

    /// Renews the lease until the process loses it. `connection` is the session that holds the node's lock.
    pub async fn keep(self: Arc<Self>, database: PgConnectOptions, connection: PgConnection) {
        let mut connection = Some(connection);
        let born = Instant::now();
        let mut proven = self.deaths == 0;
        loop {
            tokio::time::sleep(RENEW).await;
            let before = Instant::now();
            match self.renew(&database, &mut connection).await {
                Ok(true) => *self.renewed.lock() = before,
                Ok(false) => {
                    self.lose();
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "the lease could not be renewed");
                    connection = None;
                }
            }
            if !proven
                && born.elapsed() > PROVEN
                && let Some(connection) = &mut connection
            {
                proven = nodes::forget_deaths(connection, self.id).await.is_ok();
            }
        }
    }

    async fn renew(&self, database: &PgConnectOptions, connection: &mut Option<PgConnection>) -> sqlx::Result<bool> {
        let work = async {
            let session = match connection {
                Some(session) => session,
                None => {
                    let mut session = PgConnection::connect_with(database).await?;
                    nodes::try_lock(&mut session, self.id).await?;
                    connection.insert(session)
                }
            };
            nodes::renew(session, self.id, LEASE.as_secs_f64()).await
        };
        tokio::time::timeout(RENEW, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

/// Gives the shards back: the end of this process is no death.
pub async fn release(node: &Node, database: &PgConnectOptions) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect_with(database).await?;
    nodes::release(&mut connection, node.id).await
}
