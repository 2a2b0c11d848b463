//! The list: what each workflow does in a sentence, its state, its last run. Without any it is the gallery of starters.

use crate::{
    app::App,
    auth::{Actor, permission::Action},
    pages::{self, runs::words},
    problem::Problem,
    store::workflow_list::{self, ListedWorkflow},
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::SecondsFormat;
use serde::Deserialize;
use towpath_engine::{catalogue::Catalogue, ids::WorkflowId, workflow::Workflow};
use towpath_web::{
    layout::Area,
    workflows::{
        list::{LastRun, List, Row, State as RowState},
        starters::STARTERS,
        summary::summary,
    },
};

/// Rows of one page.
const PAGE: i64 = 200;

#[derive(Deserialize)]
pub struct Filter {
    before: Option<WorkflowId>,
}

/// `GET /workflows`
pub async fn show(State(app): State<App>, actor: Actor, Query(filter): Query<Filter>) -> Result<Response, Problem> {
    let mut listed = workflow_list::list(&app.pool, actor.workspace, filter.before, PAGE + 1).await?;
    let more = listed.len() > PAGE as usize;
    listed.truncate(PAGE as usize);
    let older = listed.last().filter(|_| more).map(|last| last.id.to_string());
    let view = List {
        page: actor.page("Workflows", Area::Workflows),
        first_start: listed.is_empty() && filter.before.is_none(),
        rows: listed.into_iter().map(|listed| row(listed, &*app.registry)).collect(),
        builds: actor.role.may(Action::EditWorkflows),
        publishes: actor.role.may(Action::PublishWorkflows),
        starters: &STARTERS,
        older,
    };
    pages::html(&view)
}

fn row(listed: ListedWorkflow, catalogue: &dyn Catalogue) -> Row {
    let sentence = match serde_json::from_value::<Workflow>(listed.draft) {
        Ok(workflow) => summary(&workflow, catalogue),
        Err(_) => "This was made by a newer version of Towpath; this one can't read it.".to_owned(),
    };
    let state = match (listed.state.as_str(), listed.published_version) {
        ("published", Some(version)) => RowState::Published { version },
        ("paused", _) => RowState::Paused,
        _ => RowState::Draft,
    };
    Row {
        id: listed.id.to_string(),
        name: listed.name,
        summary: sentence,
        unpublished_changes: state != RowState::Draft && listed.published_revision != Some(listed.revision),
        state,
        last_run: listed.last_run.map(|run| {
            let (word, tone) = words::brief(run.ended, run.waits);
            LastRun { id: run.id.to_string(), at: run.created_at.to_rfc3339_opts(SecondsFormat::Secs, true), word, tone }
        }),
    }
}
