//! `towpath database upgrade`: moves the embedded database to a newer major version of PostgreSQL. Until everything is in the new cluster
//! the old one stays in its place, so an upgrade that fails or is cut off leaves things as they were.

use super::say;
use crate::{
    backup,
    clock::Clock,
    config::Config,
    database::{self, Manner, Opened},
};
use anyhow::{Context, ensure};
use sqlx::{Connection, PgConnection};
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Moves the data to the newest installed version, or to the one whose programs `TOWPATH_PG_BIN` names.
pub async fn upgrade_database(config: Config) -> anyhow::Result<()> {
    ensure!(config.database.url.is_none(), "DATABASE_URL names a PostgreSQL server; upgrade that one by its own means.");
    let places = Places::of(&config.data.directory);
    let (from, to) = database::embedded::majors(&places.data, config.database.programs.as_deref())?;
    ensure!(from != to, "The data is PostgreSQL {from}'s, and that is the newest that is installed. There is nothing to do.");
    let aside = places.data.join(format!("postgresql-{from}"));
    ensure!(!aside.exists(), "{} is there already. Look what it is, and move it away.", aside.display());

    // The setting names the programs to move to; the old data is read by those of its own version.
    let mut before = config.clone();
    before.database.programs = None;
    let old = database::open_as(&before, Manner::ALONE).await?;
    // From here on no other Towpath gets at the data directory: the old server is stopped at the very end.
    if let Err(error) = move_rows(&config, &places, &old).await {
        old.close().await;
        // What can't be removed now is removed by the next upgrade.
        let _ = places.clear();
        return Err(error.context("The data could not be moved, and is where it was"));
    }
    old.close_with(|| places.swap(&aside)).await??;
    places.clear()?;
    say(&format!("The data is PostgreSQL {to}'s now. The old one is in {}: remove it when all is well.", aside.display()));
    Ok(())
}

/// Where things are while they are moved.
struct Places {
    data: PathBuf,
    /// A data directory of its own, in which the new cluster is made and filled.
    beside: PathBuf,
    backup: PathBuf,
}

impl Places {
    fn of(data: &Path) -> Self {
        Self { data: data.to_owned(), beside: data.join("upgrade"), backup: data.join("upgrade.towpath-backup") }
    }

    /// The new cluster takes the old one's place. Cut off in between, the next start refuses to make an empty database.
    fn swap(&self, aside: &Path) -> anyhow::Result<()> {
        let home = self.data.join("postgresql");
        fs::rename(&home, aside).with_context(|| format!("{} can't be moved aside", home.display()))?;
        if let Err(error) = fs::rename(self.beside.join("postgresql"), &home) {
            fs::rename(aside, &home)?;
            return Err(error).with_context(|| format!("The new database can't be moved to {}", home.display()));
        }
        File::open(&self.data)?.sync_all()?;
        Ok(())
    }

    /// Removes what an upgrade leaves beside the database.
    fn clear(&self) -> anyhow::Result<()> {
        for removed in [fs::remove_dir_all(&self.beside), fs::remove_file(&self.backup)] {
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).context("The upgrade's files can't be removed");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

async fn move_rows(config: &Config, places: &Places, old: &Opened) -> anyhow::Result<()> {
    // The rest of an upgrade that was cut off.
    places.clear()?;
    let mut connection = PgConnection::connect_with(&old.database.options).await?;
    let dumped = backup::dump(&mut connection, &places.backup, Default::default(), Clock::system().now()).await;
    let _ = connection.close().await;
    dumped?;
    let mut after = config.clone();
    after.data.directory = places.beside.clone();
    let new = database::open_as(&after, Manner::ALONE).await?;
    let loaded = async {
        let mut connection = PgConnection::connect_with(&new.database.options).await?;
        let loaded = backup::load(&mut connection, &places.backup, None, Clock::system().now()).await;
        let _ = connection.close().await;
        loaded
    }
    .await;
    new.close().await;
    loaded.map(|_| ())
}
