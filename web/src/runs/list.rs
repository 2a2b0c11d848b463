//! The list of runs: filters, one line a run with the reason of its failure, keyset pages.

use super::show::Badge;
use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "runs/list.html")]
pub struct ListPage {
    pub page: Page,
    pub runs: Runs,
}

/// The filters as they are set, and what can be chosen.
pub struct Filters {
    pub workflows: Vec<Choice>,
    pub states: Vec<Choice>,
    pub periods: Vec<Choice>,
    /// Any filter is set.
    pub active: bool,
}

pub struct Choice {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

pub struct Row {
    pub id: String,
    pub workflow_id: String,
    pub workflow_name: String,
    pub state: Badge,
    pub reason: Option<String>,
    pub started_at: String,
    pub started_by: String,
    pub duration: String,
}

/// One page of the list.
pub struct Runs {
    pub filters: Filters,
    pub rows: Vec<Row>,
    /// The address of the next page, where there is more.
    pub older: Option<String>,
    /// The address of the first page, when this isn't it.
    pub newest: Option<String>,
}
