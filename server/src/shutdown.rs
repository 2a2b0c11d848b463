//! Drain: on SIGTERM or SIGINT the server takes nothing new, finishes what is under way, and ends. Live streams are ended
//! at once by the HTTP server's gate: nobody waits for them.

use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture, WaitForCancellationFutureOwned};

/// How long requests and steps under way may take to end. Orchestrators kill after 30 seconds by default.
pub const DRAIN: Duration = Duration::from_secs(25);

/// Whether the server is stopping. Cloning it is cheap; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    pub fn begin(&self) {
        self.0.cancel();
    }

    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Ready once the server is stopping.
    pub fn begun(&self) -> WaitForCancellationFuture<'_> {
        self.0.cancelled()
    }

    /// As [`Shutdown::begun`], for a stream that outlives its handler.
    pub fn begun_owned(&self) -> WaitForCancellationFutureOwned {
        self.0.clone().cancelled_owned()
    }
}

/// SIGTERM and SIGINT, watched from the moment this exists: one that comes before anybody waits for it is not lost.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// # Errors
    /// When the process can't watch its signals.
    pub fn watch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the first one; a second one ends the process at once.
    pub async fn first(mut self) -> &'static str {
        let name = self.next().await;
        tokio::spawn(async move {
            self.next().await;
            tracing::warn!("a second signal: stopping at once");
            std::process::exit(130);
        });
        name
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
