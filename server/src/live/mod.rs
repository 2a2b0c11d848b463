//! What changed, to whoever watches: a lossy broadcast inside the process. It carries names, never data: a watcher reads what is
//! committed from the store.

use tokio::sync::broadcast::{self, error::RecvError};
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
pub struct Live(broadcast::Sender<Change>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::channel(WINDOW).0)
    }
}

impl Live {
    /// Tells every watcher. Call it after the commit, never before.
    pub fn publish(&self, change: Change) {
        if self.is_watched() {
            // An error means that the last watcher left just now.
            let _ = self.0.send(change);
        }
    }

    /// Hears every change of every workspace from now on; the caller keeps those it may see.
    pub fn subscribe(&self) -> Watcher {
        Watcher(self.0.subscribe())
    }

    pub fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
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
}
