//! The writer: everything the engine commits goes through it, in groups.
//!
//! One committer and one connection. What arrives while a statement is in flight is the next group. What somebody waits for is
//! committed at once; an end that nobody waits for may wait two milliseconds for company. It decides nothing: it stores rows and
//! says what became of them.

mod change;
mod group;
pub mod operation;
mod outage;
mod pending;
mod writer;

pub use change::{Cancelled, Change, Woken};
pub use operation::{Committed, EventKey, Failure, Operation, RunRef};
pub use pending::Full;
pub use writer::WriterOptions;

use operation::AcceptRow;
use pending::Pending;
use std::sync::Arc;
use tokio::sync::oneshot;
use towpath_engine::ids::RunId;

/// A run that is on disk, on its way to the dispatcher.
pub struct AcceptedRun {
    pub run: RunRef,
    pub row: AcceptRow,
}

/// Who takes over after a commit. Called by the writer between two groups: it must not wait.
pub trait Heir: Send + Sync {
    /// These runs have a job now.
    fn accepted(&self, runs: Vec<AcceptedRun>);
    /// Their callers were told to try again, but a commit that nobody confirmed may have stored them: look.
    fn doubtful(&self, runs: Vec<RunId>);
    /// The database refuses what was to be written about this run, and nobody waits to hear it.
    fn rejected(&self, run: RunRef);
    /// Something of the run was committed.
    fn moved(&self, run: RunRef);
    /// Another process has taken over. Nothing will be committed any more.
    fn fenced(&self);
}

/// The way to the writer. Cloning it is cheap.
#[derive(Clone)]
pub struct Journal {
    pending: Arc<Pending>,
}

impl Default for Journal {
    /// A journal that nobody writes yet.
    fn default() -> Self {
        Self { pending: Arc::new(Pending::default()) }
    }
}

impl Journal {
    /// Starts the writer. It ends when [`Journal::close`] was called and everything pending is written.
    pub async fn write(&self, options: WriterOptions, heir: Arc<dyn Heir>) {
        writer::Writer::new(options, Arc::clone(&self.pending), heir).run().await;
    }

    /// Commits one operation and says what became of it. Waits out an outage of the database.
    pub async fn commit(&self, mut operation: Operation) -> Result<Committed, Failure> {
        let (reply, answer) = oneshot::channel();
        operation.reply = Some(reply);
        self.pending.push([operation]);
        answer.await.unwrap_or_else(|_| Err(Failure::Unavailable("The server is stopping.".into())))
    }

    /// As [`Journal::commit`], for an event at the door: refused when too much is pending or the database has been away for a while.
    pub fn accept(&self, mut operation: Operation) -> Result<oneshot::Receiver<Result<Committed, Failure>>, Full> {
        let (reply, answer) = oneshot::channel();
        operation.reply = Some(reply);
        self.pending.push_accept(operation)?;
        Ok(answer)
    }

    /// Adds operations that nobody waits for.
    pub fn push(&self, operations: Vec<Operation>) {
        self.pending.push(operations);
    }

    /// Asks for a change of waits and jobs.
    pub fn change(&self, change: Change) {
        self.pending.push_change(change);
    }

    /// No more comes; the writer ends when everything pending is written.
    pub fn close(&self) {
        self.pending.close();
    }

    /// How long the database has been away, if it is.
    pub fn outage(&self) -> Option<std::time::Duration> {
        self.pending.outage()
    }
}

/// Commits a group on a given session, for tests of the statements' plans.
#[cfg(test)]
pub(crate) async fn commit_for_test(node: i64, operations: Vec<Operation>, connection: &mut sqlx::PgConnection) {
    let counts = group::Group::new(&operations).commit(node, connection).await.unwrap();
    assert!(counts.go);
}
