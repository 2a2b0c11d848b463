//! The one table of role × action. Every route names a rule; there is no other place that decides.

use serde::{Deserialize, Serialize};

/// What a person is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Looks, and replays, cancels and decides.
    Operator,
    /// Also builds and publishes.
    Builder,
    /// Also manages people, connections and the workspace's settings.
    Admin,
    /// Also may not be removed by an admin.
    Owner,
}

/// What can be done in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ViewWorkflows,
    EditWorkflows,
    PublishWorkflows,
    ViewRuns,
    /// Replay, cancel, decide, start by hand.
    OperateRuns,
    ManageWorkspace,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Operator, Self::Builder, Self::Admin, Self::Owner];

    pub fn may(self, action: Action) -> bool {
        let least = match action {
            Action::ViewWorkflows | Action::ViewRuns => Self::Viewer,
            Action::OperateRuns => Self::Operator,
            Action::EditWorkflows | Action::PublishWorkflows => Self::Builder,
            Action::ManageWorkspace => Self::Admin,
        };
        self >= least
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anybody: assets, hooks, forms, sign-in. Hooks and forms have checks of their own.
    Public,
    /// Anybody signed in, whatever their role.
    SignedIn,
    May(Action),
}
