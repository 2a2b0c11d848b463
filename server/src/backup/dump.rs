//! Writes a backup: all tables as they are at one moment, whatever is written meanwhile.

use super::{
    archive::Writer,
    catalogue::{self, column_list, quoted},
    manifest::{FORMAT, Manifest},
};
use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{Executor, PgConnection};
use std::{collections::BTreeMap, path::Path};

const NOTE: &str = "The keys that open the secrets in here are not in here. Without the key file (towpath keys export) the secrets can't be read.";

/// Writes everything in the database to a new file, and answers with the file's size in bytes. The connection is in a transaction of its own
/// meanwhile; nobody waits for it.
///
/// # Errors
/// A sentence; then there is no file.
pub async fn dump(
    connection: &mut PgConnection,
    to: &Path,
    settings: BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> anyhow::Result<u64> {
    connection.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0").await?;
    connection.execute("begin isolation level repeatable read read only").await?;
    let written = write(connection, to, settings, now).await;
    // It changed nothing; whoever closes the connection ends it as well.
    let _ = connection.execute("rollback").await;
    written
}

async fn write(
    connection: &mut PgConnection,
    to: &Path,
    settings: BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> anyhow::Result<u64> {
    let postgresql: String = sqlx::query_scalar("select current_setting('server_version')").fetch_one(&mut *connection).await?;
    let manifest = Manifest {
        format: FORMAT,
        towpath: env!("CARGO_PKG_VERSION").to_owned(),
        postgresql,
        made_at: now,
        migrations: catalogue::migrations(connection).await?,
        tables: catalogue::tables(connection).await?,
        partitions: catalogue::partitions(connection).await?,
        sequences: catalogue::sequences(connection).await?,
        settings,
        note: NOTE.to_owned(),
    };
    let mut file = Writer::create(to, &manifest)?;
    for table in &manifest.tables {
        file.table(&table.name)?;
        let statement = format!("copy (select {} from {}) to stdout", column_list(table), quoted(&table.name));
        let mut rows = connection.copy_out_raw(&statement).await.with_context(|| format!("{} can't be read", table.name))?;
        while let Some(bytes) = rows.try_next().await.with_context(|| format!("{} can't be read", table.name))? {
            file.rows(&bytes)?;
        }
    }
    file.finish()
}
