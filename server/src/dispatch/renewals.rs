//! Runs that wait for a connection: they go on once it may be used again, or is gone.

use super::{core::Core, driver::change};
use crate::{
    journal::{Change, Failure},
    store::waits,
};
use std::{sync::Arc, time::Duration};

/// Looked at this often without a signal: a connection may be renewed through another process, or while nobody listened.
const LOOK: Duration = Duration::from_secs(60);
/// Runs woken by one statement.
const BATCH: i64 = 500;

/// Wakes runs until the engine stops.
pub async fn run(core: Arc<Core>) {
    core.released.cancelled().await;
    loop {
        if let Err(error) = wake(&core).await {
            tracing::warn!(%error, "the runs that wait for connections could not be read");
        }
        // A run that went to sleep after its connection was renewed would never be told: look after each.
        tokio::select! {
            () = core.parts.connections.renewed() => {}
            () = core.refused.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn wake(core: &Arc<Core>) -> sqlx::Result<()> {
    loop {
        let runs = waits::renewed(&core.parts.pool, core.node.id, BATCH).await?;
        if runs.is_empty() {
            return Ok(());
        }
        let now = core.parts.clock.now();
        match change(core, |reply| Change::Renew { runs, now, reply }).await {
            Ok(woken) => {
                for woken in &woken {
                    core.signals.renewed(woken.run.run);
                    core.publish(woken.run);
                    core.enqueue(woken.run);
                }
                // Somebody else was quicker: they are looked at again later.
                if woken.is_empty() {
                    return Ok(());
                }
            }
            Err(Failure::Fenced) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "runs could not be woken");
                return Ok(());
            }
        }
    }
}
