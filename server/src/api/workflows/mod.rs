//! Workflows as JSON: the draft with what is wrong with it, edits by operations, versions, states, trials of single steps.
//!
//! Every handler reads and writes by the actor's workspace; another workspace's id is not found.

pub mod create;
pub mod edits;
pub mod live;
pub mod resolve;
pub mod show;
pub mod state;
pub mod versions;

use crate::{
    app::App,
    live::Change,
    problem::{Code, Problem},
    store::workflows::Stored,
};
use serde_json::json;
use towpath_engine::{
    Json,
    ids::{WorkflowId, WorkspaceId},
    validate::{self, Issue},
    workflow::Workflow,
};

/// A stored document as the engine's type. Documents are only written by this build or an older one, so a failure is a defect.
pub(crate) fn read_document(document: Json) -> Result<Workflow, Problem> {
    serde_json::from_value(document)
        .map_err(|error| Problem::internal(anyhow::Error::new(error).context("a stored document is not readable")))
}

pub(crate) fn write_document(workflow: &Workflow) -> Result<Json, Problem> {
    serde_json::to_value(workflow).map_err(Problem::internal)
}

/// What is wrong with a draft, in the order of the document.
pub(crate) fn issues(app: &App, workflow: &Workflow) -> Vec<Issue> {
    validate::validate(workflow, app.registry.as_ref())
}

/// A workflow as the API shows it.
fn view(app: &App, stored: &Stored, workflow: &Workflow) -> Json {
    json!({
        "id": stored.id,
        "name": stored.name,
        "state": stored.state,
        "document": workflow,
        "revision": stored.revision,
        "published_version": stored.published_version,
        "latest_version": stored.latest_version,
        "unpublished_changes": stored.has_unpublished_changes(),
        "updated_at": stored.updated_at,
        "issues": issues(app, workflow),
    })
}

/// A name as a person typed it.
fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.trim().replace('\0', "");
    match name.chars().count() {
        0 => Err(Problem::invalid("name", "Give the workflow a name.")),
        1..=200 => Ok(name),
        _ => Err(Problem::invalid("name", "A name has at most 200 characters.")),
    }
}

/// Tells whoever watches, after the commit.
pub(crate) fn announce(app: &App, workspace: WorkspaceId, workflow: WorkflowId) {
    app.live.publish(Change::Workflow { workspace, workflow });
}

fn invalid_body(error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::InvalidInput, format!("The body of the request is not understood: {error}."))
}
