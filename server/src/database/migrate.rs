//! The schema: brought up to date at start, compared for `/readyz`. It refuses a database that a newer Towpath has migrated.

use anyhow::{Context, bail};
use sqlx::{
    Executor, PgConnection, PgExecutor,
    migrate::{MigrateError, Migrator},
};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Applies what is missing; several servers that start at once take turns by a lock in the database.
///
/// # Errors
/// A sentence for the person who starts the server.
pub async fn run(connection: &mut PgConnection) -> anyhow::Result<()> {
    // A migration may take longer than a statement of a page.
    connection.execute("set statement_timeout = 0").await?;
    match MIGRATIONS.run_direct(None, &mut *connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => bail!(
            "The database was migrated by a newer Towpath (it has migration {version}, which this one does not know). Start the \
             newer one, or restore a backup from before."
        ),
        Err(MigrateError::VersionMismatch(version)) => {
            bail!("Migration {version} in the database is not the one that this Towpath has. Was it built from changed sources?")
        }
        Err(error) => Err(error).context("The database's schema could not be brought up to date"),
    }
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
