//! Drain: on SIGTERM or SIGINT the server takes nothing new, finishes what is under way, and ends. Live streams are ended
//! at once by the HTTP server's gate: nobody waits for them.

use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
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

/// Waits for the first SIGTERM or SIGINT; a second one ends the process at once.
///
/// # Errors
/// When the process can't watch its signals.
pub async fn wait_for_signal() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("a second signal: stopping at once");
        std::process::exit(130);
    });
    Ok(name)
}
