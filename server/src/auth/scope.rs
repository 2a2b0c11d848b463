//! What a token is for. A scope opens actions; the person's role still has to allow them, so a token never gives more than its person has.

use super::permission::Action;
use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the API that a token may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at workflows, runs and data tables.
    Read,
    /// Build workflows, and change data tables.
    Edit,
    /// Publish, pause and resume.
    Publish,
    /// Start, replay, cancel and decide runs.
    Operate,
    /// People, tokens, connections and settings.
    Manage,
    /// Read `/metrics`.
    Metrics,
}

impl Scope {
    pub const ALL: [Self; 6] = [Self::Read, Self::Edit, Self::Publish, Self::Operate, Self::Manage, Self::Metrics];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Edit => "edit",
            Self::Publish => "publish",
            Self::Operate => "operate",
            Self::Manage => "manage",
            Self::Metrics => "metrics",
        }
    }

    /// What it opens, in a few words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Read => "look at workflows, runs and data tables",
            Self::Edit => "build workflows, change data tables",
            Self::Publish => "publish, pause and resume",
            Self::Operate => "start, replay and cancel runs",
            Self::Manage => "people, connections and settings",
            Self::Metrics => "read the server's metrics",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// The scope that opens an action.
    pub fn of_action(action: Action) -> Self {
        match action {
            Action::ViewWorkflows | Action::ViewRuns | Action::ViewConnections | Action::ViewTables => Self::Read,
            Action::EditWorkflows | Action::EditTables => Self::Edit,
            Action::PublishWorkflows => Self::Publish,
            Action::OperateRuns => Self::Operate,
            Action::EditConnections | Action::ManageWorkspace | Action::ManagePeople | Action::DeleteWorkspace => Self::Manage,
        }
    }

    /// The scope that opens a route which everybody signed in may call.
    pub fn of_method(method: &Method) -> Self {
        if super::csrf::changes_state(method) { Self::Manage } else { Self::Read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_table() {
        for scope in Scope::ALL {
            assert_eq!(Scope::of_name(scope.name()), Some(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
        assert_eq!(Scope::of_name("everything"), None);
    }

    #[test]
    fn only_manage_changes_who_may_what() {
        assert_eq!(Scope::of_action(Action::ManagePeople), Scope::Manage);
        assert_eq!(Scope::of_method(&Method::DELETE), Scope::Manage);
        assert_eq!(Scope::of_method(&Method::GET), Scope::Read);
    }
}
