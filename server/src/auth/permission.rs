//! The one table of role × action. Every route names a rule; there is no other place that decides.

use serde::{Deserialize, Serialize};

/// What a person is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// See which connections there are and how they are; never a secret.
    ViewConnections,
    /// Make connections, and change one's own.
    EditConnections,
    /// Look at data tables and their rows.
    ViewTables,
    /// Make and change data tables and their rows.
    EditTables,
    ManageWorkspace,
    /// Invite, give roles, remove.
    ManagePeople,
    DeleteWorkspace,
}

impl Action {
    pub const ALL: &'static [Self] = &[
        Self::ViewWorkflows,
        Self::EditWorkflows,
        Self::PublishWorkflows,
        Self::ViewRuns,
        Self::OperateRuns,
        Self::ViewConnections,
        Self::EditConnections,
        Self::ViewTables,
        Self::EditTables,
        Self::ManageWorkspace,
        Self::ManagePeople,
        Self::DeleteWorkspace,
    ];
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Operator, Self::Builder, Self::Admin, Self::Owner];

    pub fn may(self, action: Action) -> bool {
        let least = match action {
            Action::ViewWorkflows | Action::ViewRuns | Action::ViewConnections | Action::ViewTables => Self::Viewer,
            Action::OperateRuns => Self::Operator,
            Action::EditWorkflows | Action::PublishWorkflows | Action::EditConnections | Action::EditTables => Self::Builder,
            Action::ManageWorkspace | Action::ManagePeople => Self::Admin,
            Action::DeleteWorkspace => Self::Owner,
        };
        self >= least
    }

    /// As the table `member` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Builder => "builder",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// What the role may, in a few words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Viewer => "looks at workflows and runs",
            Self::Operator => "also starts, replays and cancels runs",
            Self::Builder => "also builds and publishes workflows",
            Self::Admin => "also manages people, connections and settings",
            Self::Owner => "also makes other owners and may delete the workspace",
        }
    }

    /// What somebody with this role may do: "You may …".
    pub fn may_in_words(self) -> &'static str {
        match self {
            Self::Viewer => "look at workflows and runs",
            Self::Operator => "look at everything, and start, replay and cancel runs",
            Self::Builder => "build and publish workflows, and start, replay and cancel runs",
            Self::Admin => "build workflows, and manage people, connections and settings",
            Self::Owner => "do everything, also make other owners and delete the workspace",
        }
    }

    /// The role of exactly this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role of this name. An unknown one is the least: what a newer build wrote gives no rights here.
    pub fn from_name(name: &str) -> Self {
        Self::of_name(name).unwrap_or(Self::Viewer)
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anybody, from anywhere, without cookies: assets, health, hooks, hosted forms. Hooks and forms have checks of their own; no
    /// session is looked up and no origin is checked.
    Public,
    /// Anybody in a browser: setup, sign-in, help. What changes something must come from our own pages.
    Visitor,
    /// Anybody signed in, whatever their role.
    SignedIn,
    May(Action),
    /// Whoever owns the instance: what no workspace may decide.
    InstanceOwner,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_may_whatever_a_lower_one_may() {
        for action in Action::ALL {
            for pair in Role::ALL.windows(2) {
                assert!(!pair[0].may(*action) || pair[1].may(*action), "{action:?} {pair:?}");
            }
            assert!(Role::Owner.may(*action));
        }
    }

    #[test]
    fn viewers_change_nothing_and_operators_do_not_build() {
        assert!(Role::Viewer.may(Action::ViewRuns) && !Role::Viewer.may(Action::OperateRuns));
        assert!(Role::Operator.may(Action::OperateRuns) && !Role::Operator.may(Action::EditWorkflows));
        assert!(!Role::Builder.may(Action::ManageWorkspace) && !Role::Builder.may(Action::ManagePeople));
        assert!(!Role::Admin.may(Action::DeleteWorkspace));
    }

    #[test]
    fn an_unknown_role_gives_no_rights() {
        assert_eq!(Role::from_name("emperor"), Role::Viewer);
        assert!(Role::ALL.into_iter().all(|role| Role::from_name(role.name()) == role));
    }
}
