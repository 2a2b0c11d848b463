//! Which run goes next: ready runs, timers, recovery.
//!
//! [`Engine`] is what the rest of the server sees of the journal, the dispatcher and the run loop.

mod parts;

pub use parts::{OpenDoors, Parts, Settings};

use std::{sync::Arc, time::Duration};
use towpath_engine::{
    event::Event,
    ids::{EndpointId, RunId, WorkflowId, WorkspaceId},
    record::{Answer, Decision, End},
    workflow::StepPath,
};

/// The running engine. Cloning it is cheap.
#[derive(Clone)]
pub struct Engine(#[allow(dead_code, reason = "filled in by the dispatcher")] Arc<()>);

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum TriggerKind {
    Webhook = 1,
    Form = 2,
    Manual = 3,
    /// A new run from an old event.
    Replay = 4,
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
    /// The same delivery came before, and started this run.
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
        let _ = parts;
        Ok(Self(Arc::new(())))
    }

    /// Stops accepting, finishes or parks what is under way within this long, and gives the shards back. Nothing is lost: what is
    /// cut short goes on at the next start.
    pub async fn drain(&self, within: Duration) {
        let _ = within;
    }

    /// Can events be accepted? Otherwise a sentence for `/readyz` and the log.
    pub fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    /// Is a step of this run under way in this process, as opposed to queued?
    pub fn is_running(&self, run: RunId) -> bool {
        let _ = run;
        false
    }

    /// Returns when another process has taken over and this one may commit nothing more: exit then.
    pub async fn lost(&self) {
        std::future::pending().await
    }

    /// Stores the event and its run, and answers once they are on disk.
    pub async fn accept(&self, run: NewRun) -> Result<Accepted, Refused> {
        let _ = run;
        Err(Refused::Draining)
    }

    /// As [`Engine::accept`], and then waits at most `within` for what the run answers.
    pub async fn accept_and_answer(&self, run: NewRun, within: Duration) -> Result<Answered, Refused> {
        let _ = (run, within);
        Err(Refused::Draining)
    }

    /// Asks a running, waiting or queued run to stop. Cancel and end race; the first commit wins.
    pub async fn cancel(&self, workspace: WorkspaceId, run: RunId, by: &str) -> Result<RunChange, Refused> {
        let _ = (workspace, run, by);
        Err(Refused::Draining)
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
        let _ = (workspace, run, step, by, decision);
        Err(Refused::Draining)
    }
}
