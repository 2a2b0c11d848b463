//! The list of workflows.

use super::starters::Starter;
use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "workflows/list.html")]
pub struct List {
    pub page: Page,
    pub rows: Vec<Row>,
    /// May this person make and change workflows?
    pub builds: bool,
    pub starters: &'static [Starter],
    pub publishes: bool,
    /// There is nothing yet: the gallery takes the page.
    pub first_start: bool,
    /// Where the next page begins.
    pub older: Option<String>,
}

pub struct Row {
    pub id: String,
    pub name: String,
    pub summary: String,
    pub state: State,
    /// The draft has changes that no version has.
    pub unpublished_changes: bool,
    pub last_run: Option<LastRun>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Draft,
    Published { version: i32 },
    Paused,
}

pub struct LastRun {
    pub id: String,
    /// RFC 3339.
    pub at: String,
    pub tone: &'static str,
    pub word: &'static str,
}

impl Row {
    pub fn state_word(&self) -> String {
        match self.state {
            State::Draft => "draft".into(),
            State::Published { version } => format!("published v{version}"),
            State::Paused => "paused".into(),
        }
    }

    pub fn state_tone(&self) -> &'static str {
        match self.state {
            State::Draft => "",
            State::Published { .. } => "ok",
            State::Paused => "wait",
        }
    }

    pub fn is_published(&self) -> bool {
        matches!(self.state, State::Published { .. })
    }

    pub fn is_paused(&self) -> bool {
        self.state == State::Paused
    }
}
