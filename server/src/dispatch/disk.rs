//! The disk guard: a server whose database's disk is nearly full refuses events instead of promising what it can't keep.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

const LOOK: Duration = Duration::from_secs(5);

/// How much is free, as of a few seconds ago.
pub struct Disk {
    folder: Option<PathBuf>,
    reserve: u64,
    free: AtomicU64,
}

impl Disk {
    /// Watches the file system of `folder`; without one, nothing.
    pub fn new(folder: Option<PathBuf>, reserve: u64) -> Self {
        let disk = Self { folder, reserve, free: AtomicU64::new(u64::MAX) };
        disk.look();
        disk
    }

    fn look(&self) {
        let Some(folder) = &self.folder else { return };
        match rustix::fs::statvfs(folder) {
            Ok(system) => self.free.store(system.f_bavail.saturating_mul(system.f_frsize), Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "the free disk space could not be read"),
        }
    }

    /// Refuses when less than the reserve is free.
    pub fn check(&self) -> Result<(), String> {
        let free = self.free.load(Ordering::Relaxed);
        if free >= self.reserve {
            return Ok(());
        }
        Err(format!("only {} MB of disk space are left; {} MB are needed", free >> 20, self.reserve >> 20))
    }

    /// Keeps looking.
    pub async fn watch(&self) {
        let mut was_low = false;
        loop {
            self.look();
            let low = self.check();
            if was_low != low.is_err() {
                was_low = low.is_err();
                match low {
                    Err(why) => tracing::error!("events are refused: {why}"),
                    Ok(()) => tracing::info!("there is enough disk space again"),
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_refused_when_less_than_the_reserve_is_free() {
        let here = Some(PathBuf::from("/"));
        assert_eq!(Disk::new(here.clone(), 1).check(), Ok(()));
        let refused = Disk::new(here, u64::MAX).check().unwrap_err();
        assert!(refused.contains("disk space"), "{refused}");
        assert_eq!(Disk::new(None, u64::MAX - 1).check(), Ok(()), "nothing is watched");
    }
}
