//! One file per table: plain functions over SQL. One statement takes `impl PgExecutor<'_>`; several that must agree take
//! `&mut PgConnection`, so that the caller owns the transaction. Every statement names its workspace.

/// Which failures were told.
pub mod alerts;
/// How much the engine has before it.
pub mod backlog;
/// Which workflow may use which connection.
pub mod bindings;
/// Links to accounts at services.
pub mod callees;
pub mod connection_notices;
pub mod connections;
/// The keys that workspaces' secrets are sealed with.
pub mod data_keys;
/// The rows of data tables.
pub mod data_rows;
/// Data tables: names, columns, keys.
pub mod data_tables;
/// Changes of data tables that steps made.
pub mod data_writes;
/// Deliveries that were taken, and the runs they started.
pub mod deliveries;
/// The edits of drafts.
pub mod edits;
/// The public addresses of triggers.
pub mod endpoints;
/// Events that were taken, whichever way they came.
pub mod event_keys;
/// Bytes that pass between steps by reference.
pub mod failure_watches;
/// Figures over runs.
pub mod figures;
pub mod files;
/// Writes that named a key, and what was answered.
pub mod idempotent_writes;
/// This installation as a whole.
pub mod instance;
/// Addresses and roles that wait for somebody to take them up.
pub mod invitations;
/// Runs that have something to do.
pub mod jobs;
/// Who hears what a service sends to one address for all.
pub mod listeners;
/// Runs that have not ended.
pub mod live_runs;
/// Who is what in which workspace.
pub mod members;
/// Processes, and who may write.
pub mod nodes;
/// The inbox: events that arrived and started no run.
pub mod parked;
/// Days of data: made ahead, dropped after the retention.
pub mod partitions;
/// Who can sign in.
pub mod people;
/// What is looked at for news, and where the last look ended.
pub mod polls;
/// What happened in a run.
pub mod records;
/// Deliveries that were turned away.
pub mod refusals;
/// Links that set a new password.
pub mod resets;
/// What the pages about runs read.
pub mod rounds;
pub mod run_pages;
/// Accepted events and their runs.
pub mod runs;
/// The last events that a trigger saw.
pub mod samples;
/// The next slot of workflows that a schedule starts.
pub mod schedules;
/// Every sealed value there is.
pub mod sealed;
/// Who is signed in.
pub mod sessions;
/// What programs come in by.
pub mod tokens;
/// The variables of workspaces, in revisions.
pub mod variables;
/// What was published, word for word.
pub mod versions;
/// Runs that sleep.
pub mod waits;
/// The list of workflows.
pub mod workflow_list;
/// Drafts, and which version is published.
pub mod workflows;
/// Names, time zones, who hears of failures.
pub mod workspaces;
/// JSON as it is written.
mod written;

/// What a statement can answer besides rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not found")]
    NotFound,
    /// The name of the constraint that refused.
    #[error("conflict with {0}")]
    Conflict(String),
    /// No database, or not now; a repeat may work.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    #[error("a query failed")]
    Query(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
                Self::Unavailable(error)
            }
            sqlx::Error::Database(database) => {
                if database.is_unique_violation() || database.is_foreign_key_violation() || database.is_check_violation() {
                    return Self::Conflict(database.constraint().unwrap_or_default().to_owned());
                }
                // 08 connection, 53 resources (disk full), 57P operator (shutdown, starting up), 40 rollbacks
                match database.code().as_deref().map(|code| code.get(..2).unwrap_or("").to_owned()).as_deref() {
                    Some("08" | "53" | "57" | "40") => Self::Unavailable(error),
                    _ => Self::Query(error),
                }
            }
            _ => Self::Query(error),
        }
    }
}
