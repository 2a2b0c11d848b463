//! One Towpath per data directory: an advisory lock that the system releases with the process, however it ends.

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The lock, for as long as it lives.
pub struct Lock(#[allow(dead_code, reason = "the open file is the lock")] File);

/// Who has the lock.
#[derive(Clone, Debug)]
pub struct Holder {
    data: PathBuf,
    process: Option<u32>,
}

pub enum Taking {
    Taken(Lock),
    HeldBy(Holder),
}

impl Lock {
    /// Takes the lock on `data`, or says who has it.
    ///
    /// # Errors
    /// A sentence, when the lock's file can't be opened.
    pub fn take(data: &Path) -> anyhow::Result<Taking> {
        let path = data.join("towpath.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{} can't be opened", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Ok(Taking::HeldBy(Holder { data: data.to_owned(), process: text.trim().parse().ok() }));
            }
            Err(error) => bail!("{} can't be locked ({error}). Is the data directory on a local disk?", path.display()),
        }
        // For the message that a second instance prints; whether it is there decides nothing.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Taking::Taken(Self(file)))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) => write!(formatter, "Another Towpath (process {process})")?,
            None => write!(formatter, "Another Towpath")?,
        }
        write!(
            formatter,
            " is using the data directory {}. Stop it first, or give this one a directory of its own with TOWPATH_DATA.",
            self.data.display()
        )
    }
}
