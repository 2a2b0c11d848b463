//! Snapshots of the database before a migration, in the data directory: the way back if a new version does not please. The last three
//! are kept.

use super::dump;
use crate::database::migrate;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

const KEPT: usize = 3;
const ENDING: &str = ".towpath-backup";

/// Writes one if something is to be migrated and there is something to lose; answers with its path.
///
/// # Errors
/// A sentence: without a way back nothing is migrated.
pub async fn before_migration(connection: &mut PgConnection, data: &Path, now: DateTime<Utc>) -> anyhow::Result<Option<PathBuf>> {
    let plan = migrate::plan(connection).await?;
    if plan.pending.is_empty() || plan.applied == 0 {
        return Ok(None);
    }
    let used: bool = sqlx::query_scalar("select exists (select from person) or exists (select from workspace)")
        .fetch_one(&mut *connection)
        .await?;
    if !used {
        return Ok(None);
    }
    let folder = data.join("snapshots");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("{} can't be made", folder.display()))?;
    let newest = plan.newest_applied;
    let file = folder.join(format!("{}-schema-{newest:04}{ENDING}", now.format("%Y%m%dT%H%M%SZ")));
    tracing::info!("the schema changes: writing a snapshot to {} first", file.display());
    dump(connection, &file, std::collections::BTreeMap::new(), now).await.context(
        "No snapshot could be written, so nothing was changed. Make room, or bring the schema up to date without one: towpath migrate \
         --no-snapshot",
    )?;
    for old in surplus(&folder)? {
        fs::remove_file(&old).with_context(|| format!("{} can't be removed", old.display()))?;
    }
    Ok(Some(file))
}

/// The oldest beyond those that are kept; their names are in the order of their making.
fn surplus(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ENDING)).collect();
    files.sort();
    let extra = files.len().saturating_sub(KEPT);
    files.truncate(extra);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_three_are_kept() {
        let folder = std::env::temp_dir().join(format!("towpath-snapshots-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&folder).unwrap();
        for day in 1..=5 {
            fs::write(folder.join(format!("2026010{day}T000000Z-schema-0005{ENDING}")), "").unwrap();
        }
        fs::write(folder.join("a-note.txt"), "").unwrap();
        let surplus: Vec<_> =
            surplus(&folder).unwrap().iter().map(|path| path.file_name().unwrap().to_string_lossy()[..8].to_owned()).collect();
        assert_eq!(surplus, ["20260101", "20260102"]);
        fs::remove_dir_all(folder).unwrap();
    }
}
