//! The schema: brought up to date at start, compared for `/readyz`. It refuses a database that a newer Towpath has migrated.

use crate::backup::Applied;
use anyhow::{Context, bail, ensure};
use sqlx::{
    Executor, PgConnection, PgExecutor,
    migrate::{Migrate, MigrateError, Migrator},
};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");
/// Where it is written down what was migrated.
const TABLE: &str = "_sqlx_migrations";

/// What a start would do to the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many migrations have been applied.
    pub applied: usize,
    /// The number of the last of them; 0 for none.
    pub newest_applied: i64,
    /// Those that a start would apply: number and description.
    pub pending: Vec<(i64, String)>,
}

/// Looks what would be done, and changes nothing.
///
/// # Errors
/// A sentence, when this Towpath does not fit the database.
pub async fn plan(connection: &mut PgConnection) -> anyhow::Result<Plan> {
    let known: bool = sqlx::query_scalar("select to_regclass($1) is not null").bind(TABLE).fetch_one(&mut *connection).await?;
    let applied = if known { connection.list_applied_migrations(TABLE).await? } else { Vec::new() };
    for migration in &applied {
        match MIGRATIONS.iter().find(|known| known.version == migration.version) {
            None => bail!("{}", newer(migration.version)),
            Some(known) if known.checksum != migration.checksum => bail!("{}", changed(migration.version)),
            Some(_) => {}
        }
    }
    let pending = MIGRATIONS
        .iter()
        .filter(|migration| !applied.iter().any(|applied| applied.version == migration.version))
        .map(|migration| (migration.version, migration.description.to_string()))
        .collect();
    let newest_applied = applied.iter().map(|migration| migration.version).max().unwrap_or_default();
    Ok(Plan { applied: applied.len(), newest_applied, pending })
}

/// Applies what is missing; several servers that start at once take turns by a lock in the database.
///
/// # Errors
/// A sentence for the person who starts the server.
pub async fn run(connection: &mut PgConnection) -> anyhow::Result<()> {
    apply(connection, None).await
}

/// Makes the schema of a backup: exactly these migrations, in an empty database.
///
/// # Errors
/// A sentence, when this Towpath doesn't know them.
pub async fn up_to(connection: &mut PgConnection, migrations: &[Applied]) -> anyhow::Result<()> {
    for wanted in migrations {
        let Some(known) = MIGRATIONS.iter().find(|known| known.version == wanted.version) else {
            bail!(
                "The backup was made by a newer Towpath (it has migration {}, which this one does not know). Use that one.",
                wanted.version
            );
        };
        ensure!(hex::encode(&known.checksum) == wanted.checksum, changed(wanted.version));
    }
    let newest = migrations.iter().map(|wanted| wanted.version).max().context("the backup names no migrations")?;
    let before = plan(connection).await?;
    ensure!(
        before.newest_applied <= newest,
        "The schema of this database is newer than the backup's. Give it an empty database, which no Towpath has opened."
    );
    let gap = MIGRATIONS.iter().filter(|known| known.version <= newest).count() != migrations.len();
    ensure!(
        !gap,
        "The backup's schema lacks a migration that this Towpath would apply before its last one. Was it made by a trial build?"
    );
    apply(connection, Some(newest)).await
}

async fn apply(connection: &mut PgConnection, target: Option<i64>) -> anyhow::Result<()> {
    // A migration may take longer than a statement of a page.
    connection.execute("set statement_timeout = 0").await?;
    match MIGRATIONS.run_direct(target, &mut *connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => bail!("{}", newer(version)),
        Err(MigrateError::VersionMismatch(version)) => bail!("{}", changed(version)),
        Err(error) => Err(error).context("The database's schema could not be brought up to date"),
    }
}

fn newer(version: i64) -> String {
    format!(
        "The database was migrated by a newer Towpath (it has migration {version}, which this one does not know). Start the newer one, or \
         go one step back: restore the snapshot that it wrote before it migrated, from the folder snapshots in its data directory, with \
         towpath restore into an empty instance."
    )
}

fn changed(version: i64) -> String {
    format!("Migration {version} in the database is not the one that this Towpath has. Was it built from changed sources?")
}

/// Whether the database has exactly the migrations of this build.
///
/// # Errors
/// When the database doesn't answer.
pub async fn is_current(executor: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
    let applied: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(executor).await?;
    Ok(applied == newest)
}
