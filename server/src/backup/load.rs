//! Loads a backup into an empty database: the schema that the backup was made with, then the rows, in one transaction. What is loaded is
//! held: nothing of it is started or sent until a person decides.

use super::{
    archive::{self, Piece},
    catalogue::{self, column_list, quoted},
    manifest::{Manifest, Table},
};
use crate::{
    database::migrate,
    store::{instance, partitions},
};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection};
use std::{collections::BTreeMap, path::Path, sync::mpsc};

/// What was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub made_at: DateTime<Utc>,
    pub towpath: String,
    pub settings: BTreeMap<String, String>,
    pub rows: u64,
}

/// Loads the backup; the schema is the backup's own afterwards, so migrate next. `hold`: why nothing may go on by itself; none where
/// the backup was made a moment ago and nothing else has happened since.
///
/// # Errors
/// A sentence; then the database is as empty as before.
pub async fn load(connection: &mut PgConnection, from: &Path, hold: Option<&str>, now: DateTime<Utc>) -> anyhow::Result<Loaded> {
    let manifest = archive::check(from)?;
    ensure_empty(connection).await?;
    connection.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0").await?;
    migrate::up_to(connection, &manifest.migrations).await?;
    let tables = catalogue::tables(connection).await?;
    for table in &manifest.tables {
        ensure!(tables.contains(table), "the backup holds the table {}, which its own schema does not have", table.name);
    }
    connection.execute("begin").await?;
    let filled = fill(connection, from, &manifest).await;
    let rows = match filled {
        Ok(rows) => rows,
        Err(error) => {
            let _ = connection.execute("rollback").await;
            return Err(error);
        }
    };
    connection.execute("commit").await?;
    // The columns of a hold may be younger than the backup.
    migrate::run(connection).await?;
    if let Some(because) = hold {
        instance::hold(&mut *connection, now, because).await?;
    }
    Ok(Loaded { made_at: manifest.made_at, towpath: manifest.towpath, settings: manifest.settings, rows })
}

/// Refuses a database that somebody uses.
async fn ensure_empty(connection: &mut PgConnection) -> anyhow::Result<()> {
    let exists: bool = sqlx::query_scalar("select to_regclass('public.person') is not null").fetch_one(&mut *connection).await?;
    if exists {
        let used: bool = sqlx::query_scalar("select exists (select from person) or exists (select from workspace)")
            .fetch_one(&mut *connection)
            .await?;
        ensure!(
            !used,
            "This database is in use: it holds people or workspaces. A backup is restored into an empty instance: give it another data \
             directory (TOWPATH_DATA) or an empty database (DATABASE_URL)."
        );
        let running: bool = sqlx::query_scalar("select exists (select from node where alive and lease_until > now())")
            .fetch_one(&mut *connection)
            .await?;
        ensure!(!running, "A Towpath runs on this database. Stop it first, and wait a quarter of a minute.");
        return Ok(());
    }
    let foreign: Option<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
         and relname <> '_sqlx_migrations' limit 1",
    )
    .fetch_optional(connection)
    .await?;
    match foreign {
        Some(table) => bail!("This database is in use by something else: it holds the table {table}. Give Towpath an empty one."),
        None => Ok(()),
    }
}

async fn fill(connection: &mut PgConnection, from: &Path, manifest: &Manifest) -> anyhow::Result<u64> {
    // What the migrations put there themselves comes again with the rows.
    for table in manifest.tables.iter().rev() {
        let name = quoted(&table.name);
        let filled = sqlx::AssertSqlSafe(format!("select exists (select from {name})"));
        // Only where there is something: some tables refuse the statement itself.
        if sqlx::query_scalar(filled).fetch_one(&mut *connection).await? {
            let statement = sqlx::AssertSqlSafe(format!("delete from {name}"));
            connection.execute(statement).await.with_context(|| format!("{} can't be emptied", table.name))?;
        }
    }
    for make in manifest.partitions.iter().filter_map(|name| partitions::by_name(name)) {
        partitions::make(&mut *connection, &make).await.with_context(|| format!("the partition {} can't be made", make.name))?;
    }
    let rows = copy_in(connection, from, manifest).await?;
    for (sequence, last) in &manifest.sequences {
        if let Some(last) = last {
            sqlx::query("select setval(to_regclass($1), $2)").bind(quoted(sequence)).bind(last).execute(&mut *connection).await?;
        }
    }
    Ok(rows)
}

/// Copies the rows of all tables in, one table after the other, as the file has them.
async fn copy_in(connection: &mut PgConnection, from: &Path, manifest: &Manifest) -> anyhow::Result<u64> {
    // The file is read by a thread of its own, a few pieces ahead.
    let (pieces, arrived) = mpsc::sync_channel(2);
    let path = from.to_owned();
    let reader = std::thread::spawn(move || {
        archive::read(&path, |piece| pieces.send(piece).map_err(|_| anyhow::anyhow!("nobody reads on")))
    });
    let mut rows = 0;
    let mut next = arrived.recv().ok();
    while let Some(Piece::Rows { table, bytes }) = next {
        let known =
            manifest.tables.iter().find(|known| known.name == table).context("a table that the manifest does not name")?;
        let mut first = Some(bytes);
        let mut copy = connection.copy_in_raw(&statement(known)).await?;
        loop {
            let bytes = match first.take() {
                Some(bytes) => bytes,
                None => match arrived.recv().ok() {
                    Some(Piece::Rows { table, bytes }) if table == known.name => bytes,
                    other => {
                        next = other;
                        break;
                    }
                },
            };
            copy.send(bytes).await.with_context(|| format!("the rows of {} can't be sent", known.name))?;
        }
        rows += copy.finish().await.with_context(|| format!("the rows of {} are refused", known.name))?;
    }
    drop(arrived);
    match reader.join() {
        Ok(read) => read.map(|_| rows),
        Err(_) => bail!("the backup could not be read"),
    }
}

fn statement(table: &Table) -> String {
    format!("copy {} ({}) from stdin", quoted(&table.name), column_list(table))
}
