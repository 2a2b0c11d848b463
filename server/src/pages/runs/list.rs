//! `GET /runs`: what ran, newest first, with the reason of each failure.

use super::words::{self, badge, duration};
use crate::{
    app::App,
    auth::Actor,
    journal::operation::WaitReason,
    pages,
    problem::Problem,
    store::run_pages::{self, Filter, Row, State as RunState},
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use towpath_engine::{
    ids::{RunId, WorkflowId},
    record::EndState,
};
use towpath_web::{
    layout::Area,
    runs::{
        list::{Choice, Filters, ListPage, Row as RowView, Runs},
        show::Badge,
    },
};

const PAGE: usize = 50;

/// The filters, as they stand in the address. What can't be read is no filter.
#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default)]
    workflow: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    period: String,
    #[serde(default)]
    before: String,
}

/// State filters: the word in the address, the word on the page, the filter.
pub(crate) const STATES: &[(&str, &str, RunState)] = &[
    ("failed", "Failed", RunState::Ended(EndState::Failed)),
    ("undecided", "Needs a decision", RunState::Undecided),
    ("waiting", "Waiting", RunState::Waiting),
    ("active", "Running or queued", RunState::Active),
    ("succeeded", "Succeeded", RunState::Ended(EndState::Succeeded)),
    ("filtered", "Filtered out", RunState::Filtered),
    ("cancelled", "Cancelled", RunState::Ended(EndState::Cancelled)),
    ("dead_lettered", "Dead-lettered", RunState::Ended(EndState::DeadLettered)),
];

pub(crate) const PERIODS: &[(&str, &str, Option<TimeDelta>)] = &[
    ("", "Any time", None),
    ("hour", "Last hour", Some(TimeDelta::hours(1))),
    ("day", "Last 24 hours", Some(TimeDelta::hours(24))),
    ("week", "Last 7 days", Some(TimeDelta::days(7))),
];

pub async fn page(State(app): State<App>, actor: Actor, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let now = app.clock.now();
    let filter = Filter {
        workflow: asked.workflow.parse().ok().map(WorkflowId),
        state: STATES.iter().find(|(word, ..)| *word == asked.state).map(|(.., state)| *state),
        since: PERIODS.iter().find(|(word, ..)| *word == asked.period).and_then(|(.., back)| *back).map(|back| now - back),
        before: asked.before.parse().ok().map(RunId),
    };
    // One more than is shown says whether there is a next page.
    let mut rows = run_pages::list(&app.pool, actor.workspace, &filter, PAGE as i64 + 1).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let workflows = run_pages::workflow_names(&app.pool, actor.workspace).await?;
    let runs = Runs {
        older: rows.last().filter(|_| more).map(|last| address(&asked, Some(last.id))),
        newest: filter.before.map(|_| address(&asked, None)),
        rows: rows.iter().map(|row| row_view(row, now)).collect(),
        filters: filters(&asked, &filter, workflows),
    };
    pages::html(&ListPage { page: actor.page("Runs", Area::Runs), runs })
}

fn filters(asked: &Asked, filter: &Filter, workflows: Vec<(WorkflowId, String)>) -> Filters {
    let choice =
        |value: &str, label: &str, now: &str| Choice { value: value.into(), label: label.into(), selected: value == now };
    Filters {
        workflows: workflows.into_iter().map(|(id, name)| choice(&id.to_string(), &name, &asked.workflow)).collect(),
        states: STATES.iter().map(|(word, label, _)| choice(word, label, &asked.state)).collect(),
        periods: PERIODS.iter().map(|(word, label, _)| choice(word, label, &asked.period)).collect(),
        active: filter.workflow.is_some() || filter.state.is_some() || filter.since.is_some(),
    }
}

fn address(asked: &Asked, before: Option<RunId>) -> String {
    let before = before.map(|id| id.to_string()).unwrap_or_default();
    let set: Vec<String> =
        [("workflow", &asked.workflow), ("state", &asked.state), ("period", &asked.period), ("before", &before)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| {
                format!("{key}={}", percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC))
            })
            .collect();
    if set.is_empty() { "/runs".into() } else { format!("/runs?{}", set.join("&")) }
}

fn row_view(row: &Row, now: DateTime<Utc>) -> RowView {
    let end = row.ended.as_ref().map_or(now, |ended| ended.at);
    RowView {
        id: row.id.to_string(),
        workflow_id: row.workflow.to_string(),
        workflow_name: row.workflow_name.clone(),
        state: state(row),
        reason: row.ended.as_ref().and_then(|ended| ended.reason.clone()).filter(|reason| reason != "filtered"),
        started_at: row.created_at.to_rfc3339(),
        started_by: words::started_by(row.trigger_kind).into(),
        duration: duration(u64::try_from((end - row.created_at).num_microseconds().unwrap_or(0)).unwrap_or(0)),
    }
}

/// The run's state in a word.
pub fn state(row: &Row) -> Badge {
    match (&row.ended, &row.waits) {
        (Some(ended), _) => match ended.state {
            1 if ended.reason.as_deref() == Some("filtered") => badge("off", "filtered out"),
            1 => badge("ok", "succeeded"),
            2 => badge("bad", "failed"),
            3 => badge("off", "cancelled"),
            _ => badge("bad", "dead-lettered"),
        },
        (None, Some((reason, None))) if *reason == WaitReason::Connection as i16 => badge("wait", "waits for a connection"),
        (None, Some((reason, None))) if *reason == WaitReason::Run as i16 => badge("wait", "waits for another workflow"),
        (None, Some((_, None))) => badge("wait", "needs a decision"),
        (None, Some((_, Some(until)))) => badge("wait", "waits until").at(until.to_rfc3339()),
        (None, None) => badge("busy", "running"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let asked = Asked { state: "failed".into(), ..Asked::default() };
        let before = RunId::new();
        let percent = before.to_string().replace('-', "%2D");
        assert_eq!(address(&asked, Some(before)), format!("/runs?state=failed&before={percent}"));
        assert_eq!(address(&Asked::default(), None), "/runs");
    }
}
