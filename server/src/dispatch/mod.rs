//! Which run goes next: ready runs, timers, recovery.
//!
//! [`Engine`] is what the rest of the server sees of the journal, the dispatcher and the run loop.

mod batch;
mod callers;
mod calls;
mod cancel;
mod children;
mod core;
mod disk;
mod door;
mod driver;
mod node;
mod parts;
mod plans;
mod ready;
mod recovery;
mod renewals;
mod retention;
mod signals;
mod timers;
mod turns;

pub use parts::{Connections, For, OpenDoors, Parts, Settings, Standing};

use self::{core::Core, node::Node};
use crate::journal::{EventKey, Heir, WriterOptions};
use std::{sync::Arc, time::Duration};
use towpath_engine::{
    event::Event,
    ids::{EndpointId, RunId, WorkflowId, WorkspaceId},
    record::{Answer, Decision, End},
    workflow::StepPath,
};

/// The running engine. Cloning it is cheap.
#[derive(Clone)]
pub struct Engine {
    core: Arc<Core>,
    writer: Arc<tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum TriggerKind {
    Webhook = 1,
    Form = 2,
    Manual = 3,
    /// A new run from an old event.
    Replay = 4,
    Schedule = 5,
    /// Something new that was found by looking.
    Poll = 6,
    /// A run of another workflow failed.
    Failure = 7,
    /// A step of another workflow's run called it.
    Call = 8,
}

impl TriggerKind {
    /// The kind behind a stored number; what an older build didn't know counts as a request.
    pub fn from_code(code: i16) -> Self {
        [Self::Form, Self::Manual, Self::Replay, Self::Schedule, Self::Poll, Self::Failure, Self::Call]
            .into_iter()
            .find(|kind| *kind as i16 == code)
            .unwrap_or(Self::Webhook)
    }
}

/// An event that is to become a run.
pub struct NewRun {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub version: u32,
    pub kind: TriggerKind,
    pub event: Event,
    /// What makes a repeat of the same delivery recognisable, where the sender says so.
    pub delivery: Option<Delivery>,
    /// What makes the same event recognisable by whichever way it comes, where the trigger says so.
    pub event_key: Option<EventKey>,
    pub replay_of: Option<RunId>,
}

#[derive(Clone)]
pub struct Delivery {
    pub endpoint: EndpointId,
    pub key: String,
}

/// An accepted event: it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    New(RunId),
    /// The same delivery or event came before, and started this run.
    Duplicate(RunId),
}

/// What a synchronous caller hears.
#[derive(Clone, Debug)]
pub enum Answered {
    /// A Respond step's words. A duplicate gets the first run's.
    Answer(RunId, Answer),
    /// The run ended without a Respond step.
    Ended(RunId, End),
    /// Not within the time; the event is on disk and the run goes on.
    Later(RunId),
}

/// Why an event was not accepted. Nothing is on disk; the caller may send it again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    #[error("The server is stopping. Send this again in a moment.")]
    Draining,
    #[error("The server can't store events at the moment ({0}). Send this again in a moment.")]
    Unavailable(String),
    #[error("More events are waiting than the server may hold in memory. Send this again in a moment.")]
    Overloaded,
}

/// What this process has before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Ready runs in memory that wait for their turn.
    pub queued: usize,
    /// Runs that are doing something.
    pub active: usize,
}

/// What became of a request about one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunChange {
    Done,
    /// It ended before; the state says how.
    AlreadyEnded(String),
    /// There is nothing to decide there (any more).
    NotWaiting,
    NotFound,
}

impl Engine {
    /// Takes over what an earlier process left, and starts running. Fails when the database can't be reached, or when another
    /// live process runs on it.
    pub async fn start(parts: Parts) -> anyhow::Result<Self> {
        let database = parts.database.clone();
        let (node, session) = Node::join(&database, &address()).await?;
        let core = Core::new(parts, Arc::clone(&node));
        retention::make_partitions(&core).await;
        let options = WriterOptions::new(&database, node.id);
        let (writer_core, heir) = (Arc::clone(&core), Arc::clone(&core) as Arc<dyn Heir>);
        let writer = tokio::spawn(async move {
            let stop = writer_core.stop.clone();
            // Being stopped is an end like any other.
            let _ = stop.run_until_cancelled(writer_core.journal.write(options, heir)).await;
        });
        core.spawn(node.keep(database, session));
        core.spawn(turns::schedule(Arc::clone(&core)));
        // Not among the runs that drain waits for until it begins: a person's decision may take days.
        let (held, stop) = (Arc::clone(&core), core.stop.clone());
        if core.released.is_cancelled() {
            core.spawn_run(recovery::recover(held));
        } else {
            tokio::spawn(stop.run_until_cancelled_owned(async move {
                held.released.cancelled().await;
                held.spawn_run(recovery::recover(Arc::clone(&held)));
            }));
        }
        core.spawn(timers::run(Arc::clone(&core)));
        core.spawn(renewals::run(Arc::clone(&core)));
        core.spawn(children::run(Arc::clone(&core)));
        core.spawn(retention::run(Arc::clone(&core)));
        let watched = Arc::clone(&core);
        core.spawn(async move { watched.disk.watch().await });
        Ok(Self { core, writer: Arc::new(tokio::sync::Mutex::new(Some(writer))) })
    }

    /// Stops accepting, finishes or parks what is under way within this long, and gives the shards back. Nothing is lost: what is
    /// cut short goes on at the next start.
    pub async fn drain(&self, within: Duration) {
        self.core.set_draining();
        self.core.runs.close();
        if tokio::time::timeout(within, self.core.runs.wait()).await.is_err() {
            tracing::warn!(runs = self.core.runs.len(), "steps did not finish in time; they go on at the next start");
        }
        self.core.journal.close();
        if let Some(mut writer) = self.writer.lock().await.take() {
            // Without the database nothing can be written; what is pending is worked out again at the next start.
            if tokio::time::timeout(Duration::from_secs(5), &mut writer).await.is_err() {
                writer.abort();
            }
        }
        self.core.stop.cancel();
        if !self.core.node.is_lost()
            && let Err(error) = node::release(&self.core.node, &self.core.parts.database).await
        {
            tracing::warn!(%error, "the shards could not be given back; the next start takes them");
        }
    }

    /// Can events be accepted? Otherwise a sentence for `/readyz` and the log.
    pub fn ready(&self) -> Result<(), String> {
        door::open(&self.core).map_err(|refused| refused.to_string())?;
        match self.core.journal.outage() {
            Some(away) if away > Duration::from_secs(2) => {
                Err(format!("The database has not taken any writes for {} seconds.", away.as_secs()))
            }
            _ => Ok(()),
        }
    }

    /// Do all runs wait for [`Engine::release`]?
    pub fn is_held(&self) -> bool {
        !self.core.released.is_cancelled()
    }

    /// Ready once runs may go on: whatever starts runs by itself (a schedule, a poll) waits for it.
    pub async fn released(&self) {
        self.core.released.cancelled().await;
    }

    /// Lets runs go on.
    pub fn release(&self) {
        self.core.released.cancel();
    }

    /// How full it is.
    pub fn queue(&self) -> Queue {
        let ready = self.core.ready.lock();
        let pure = self.core.pure.load(std::sync::atomic::Ordering::Relaxed);
        Queue { queued: ready.queued(), active: ready.active() + pure }
    }

    /// Is a step of this run under way in this process, as opposed to queued?
    pub fn is_running(&self, run: RunId) -> bool {
        self.core.signals.is_active(run)
    }

    /// Can this version be run? The sentence says why not.
    ///
    /// # Errors
    /// When that can't be looked up at the moment.
    pub async fn startable(&self, workflow: WorkflowId, version: u32) -> Result<Result<(), String>, Refused> {
        match self.core.plans.get(workflow, version).await {
            Ok(_) => Ok(Ok(())),
            Err(plans::NoPlan::NotRunnable(why)) => Ok(Err(why)),
            Err(error @ plans::NoPlan::Database(_)) => Err(Refused::Unavailable(error.to_string())),
        }
    }

    /// Returns when another process has taken over and this one may commit nothing more: exit then.
    pub async fn lost(&self) {
        self.core.node.lost().await;
    }

    /// Stores the event and its run, and answers once they are on disk.
    pub async fn accept(&self, run: NewRun) -> Result<Accepted, Refused> {
        door::accept(&self.core, run).await
    }

    /// As [`Engine::accept`], and then waits at most `within` for what the run answers.
    pub async fn accept_and_answer(&self, run: NewRun, within: Duration) -> Result<Answered, Refused> {
        door::accept_and_answer(&self.core, run, within).await
    }

    /// Asks a running, waiting or queued run to stop, and waits a moment for its end. Cancel and end race; the first commit wins.
    pub async fn cancel(&self, workspace: WorkspaceId, run: RunId, by: &str) -> Result<RunChange, Refused> {
        cancel::request(&self.core, workspace, run, by).await.map_err(refused)
    }

    /// Records a person's word on an uncertain effect, once.
    pub async fn decide(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        step: &StepPath,
        by: &str,
        decision: Decision,
    ) -> Result<RunChange, Refused> {
        cancel::decide(&self.core, workspace, run, step, by, decision).await.map_err(refused)
    }

    /// Ends everything at once, as a crash does: nothing is finished, given back or told.
    #[cfg(test)]
    pub(crate) async fn crash(&self) {
        self.core.stop.cancel();
        self.core.runs.close();
        self.core.runs.wait().await;
        if let Some(writer) = self.writer.lock().await.take() {
            // It was stopped with everything else.
            let _ = writer.await;
        }
    }
}

fn refused(trouble: cancel::Trouble) -> Refused {
    Refused::Unavailable(trouble.to_string())
}

/// Where this process runs, for people who look at the table of nodes.
fn address() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} (process {})", host.trim(), std::process::id())
}

#[cfg(test)]
mod tests;
