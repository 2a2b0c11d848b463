//! What changed, to whoever watches: a lossy broadcast inside the process. It carries names, never data: a watcher reads what is
//! committed from the store.

use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};
use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

/// How many changes a slow watcher may be behind before it is told that it missed some.
const WINDOW: usize = 1_024;

/// Something that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A run was accepted, moved on, or ended.
    Run { workspace: WorkspaceId, workflow: WorkflowId, run: RunId },
    /// An event arrived for the workflow and started no run: it was parked or refused.
    Event { workspace: WorkspaceId, workflow: WorkflowId },
    /// The workflow's draft, state or versions changed.
    Workflow { workspace: WorkspaceId, workflow: WorkflowId },
}

impl Change {
    pub fn workspace(&self) -> WorkspaceId {
        match self {
            Self::Run { workspace, .. } | Self::Event { workspace, .. } | Self::Workflow { workspace, .. } => *workspace,
        }
    }

    pub fn workflow(&self) -> WorkflowId {
        match self {
            Self::Run { workflow, .. } | Self::Event { workflow, .. } | Self::Workflow { workflow, .. } => *workflow,
        }
    }
}

/// What a watcher hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Change(Change),
    /// It was too slow and missed some changes: read everything again.
    Missed,
}

/// The broadcast. Cloning it is cheap, and publishing with nobody listening costs next to nothing.
#[derive(Clone, Debug)]
pub struct Live {
    all: broadcast::Sender<Change>,
    /// [`Change::Workflow`] alone: rare, so that a cache can follow it without hearing of every run.
    workflows: broadcast::Sender<Change>,
}

impl Default for Live {
    fn default() -> Self {
        Self { all: broadcast::channel(WINDOW).0, workflows: broadcast::channel(WINDOW).0 }
    }
}

impl Live {
    /// Tells every watcher. Call it after the commit, never before.
    pub fn publish(&self, change: Change) {
        if self.is_watched() {
            // An error means that the last watcher left just now.
            let _ = self.all.send(change);
        }
        if matches!(change, Change::Workflow { .. }) {
            let _ = self.workflows.send(change);
        }
    }

    /// Hears every change of every workspace from now on; the caller keeps those it may see.
    pub fn subscribe(&self) -> Watcher {
        Watcher(self.all.subscribe())
    }

    /// Hears [`Change::Workflow`] only. What was published is there at once: [`Watcher::try_next`] finds it without waiting.
    pub fn subscribe_workflows(&self) -> Watcher {
        Watcher(self.workflows.subscribe())
    }

    pub fn is_watched(&self) -> bool {
        self.all.receiver_count() > 0
    }
}

/// One listener. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Watcher(broadcast::Receiver<Change>);

impl Watcher {
    /// The next change; `None` when the server is going away.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(change) => Some(Heard::Change(change)),
            Err(RecvError::Lagged(_)) => Some(Heard::Missed),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next change that is there already, if there is one.
    pub fn try_next(&mut self) -> Option<Heard> {
        match self.0.try_recv() {
            Ok(change) => Some(Heard::Change(change)),
            Err(TryRecvError::Lagged(_)) => Some(Heard::Missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    /// Is nothing waiting for [`Watcher::try_next`]?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watcher_that_is_too_slow_is_told_so_and_then_hears_on() {
        let live = Live::default();
        let mut watcher = live.subscribe();
        let (workspace, workflow) = (WorkspaceId::new(), WorkflowId::new());
        for _ in 0..WINDOW + 1 {
            live.publish(Change::Event { workspace, workflow });
        }
        assert_eq!(watcher.next().await, Some(Heard::Missed));
        assert_eq!(watcher.next().await, Some(Heard::Change(Change::Event { workspace, workflow })));
    }

    #[test]
    fn a_cache_hears_of_workflows_at_once_and_of_runs_never() {
        let live = Live::default();
        let mut watcher = live.subscribe_workflows();
        let (workspace, workflow) = (WorkspaceId::new(), WorkflowId::new());
        live.publish(Change::Run { workspace, workflow, run: RunId::new() });
        assert!(watcher.is_empty());
        live.publish(Change::Workflow { workspace, workflow });
        assert_eq!(watcher.try_next(), Some(Heard::Change(Change::Workflow { workspace, workflow })));
        assert_eq!(watcher.try_next(), None);
    }
}
