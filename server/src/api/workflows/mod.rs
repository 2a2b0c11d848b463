//! Workflows as JSON: the draft with what is wrong with it, edits by operations, versions, states, trials of single steps.
//!
//! Every handler reads and writes by the actor's workspace; another workspace's id is not found.

mod code;
pub mod create;
pub mod edits;
pub mod export;
pub mod list;
pub mod live;
pub mod options;
pub mod resolve;
pub mod show;
pub mod state;
pub mod trial;
pub mod versions;

use crate::{
    app::App,
    auth::Actor,
    connections::bind::View,
    ingest,
    live::Change,
    problem::Problem,
    store::{self, endpoints, workflows::Stored},
    tables::MOST_TABLES,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashSet;
use towpath_engine::{
    Json,
    ids::{WorkflowId, WorkspaceId},
    validate::{self, Issue, KnownTable, Severity, Surroundings},
    workflow::{Step, StepId, Workflow},
};

/// A stored document as the engine's type. Documents are only written by this build or an older one, so a failure is a defect.
pub(crate) fn read_document(document: Json) -> Result<Workflow, Problem> {
    serde_json::from_value(document)
        .map_err(|error| Problem::internal(anyhow::Error::new(error).context("a stored document is not readable")))
}

pub(crate) fn write_document(workflow: &Workflow) -> Result<Json, Problem> {
    serde_json::to_value(workflow).map_err(Problem::internal)
}

/// What is wrong with a draft, in the order of the document: what the engine says with the workspace's connections as `actor` has them,
/// what the sandbox says of its code, and what the doors in say of its trigger.
pub(crate) async fn issues(app: &App, actor: &Actor, id: WorkflowId, workflow: &Workflow) -> Result<Vec<Issue>, Problem> {
    let workspace = actor.workspace;
    let connections = View::of(&app.pool, actor, &app.registry, id, workflow).await?;
    let variables = app.variables.current(workspace).names();
    let tables = known_tables(app, actor, workflow).await?;
    let mut issues = {
        let surroundings = Surroundings { connections: &connections, variables: Some(&variables), tables: tables.as_deref() };
        validate::validate_in(workflow, app.registry.as_ref(), &surroundings)
    };
    if !app.egress.has_mail() {
        issues.extend(mails_nowhere(workflow));
    }
    code::add_issues(app, workflow, &mut issues).await;
    let Some(trigger) = &workflow.trigger else { return Ok(issues) };
    let secret_set = ingest::needs_secret(trigger, &app.registry)
        && match endpoints::Kind::of_operation(&trigger.operation, &app.registry) {
            Some(kind) => match endpoints::current(&app.pool, workspace, id, kind).await {
                Ok(endpoint) => endpoint.secret_sealed.is_some(),
                Err(store::Error::NotFound) => false,
                Err(error) => return Err(error.into()),
            },
            None => false,
        };
    // One complaint about a field is enough.
    let known: HashSet<_> = issues.iter().filter(|it| it.step.as_ref() == Some(&trigger.id)).map(|it| it.field.clone()).collect();
    let more = ingest::trigger_issues(trigger, &app.registry, secret_set).into_iter().filter(|it| !known.contains(&it.field));
    let after = issues.iter().rposition(|it| it.step.as_ref() == Some(&trigger.id)).map_or(0, |last| last + 1);
    issues.splice(after..after, more);
    Ok(issues)
}

/// Mails that go through the instance's own mail server, where it has none.
fn mails_nowhere(workflow: &Workflow) -> impl Iterator<Item = Issue> {
    let mails =
        workflow.placed().map(|placed| placed.step).filter(|step| step.operation == "email.send" && step.connection.is_none());
    mails.map(|step| Issue {
        step: Some(step.id.clone()),
        field: Some("connection".to_owned()),
        message:
            "This server has no mail server of its own, so the step will fail. Choose a connection, or have whoever runs the \
                  server set TOWPATH_SMTP_URL."
                .to_owned(),
        severity: Severity::Warning,
    })
}

/// The tables that a workflow's steps may name; `None` when none of its steps works on one.
async fn known_tables(app: &App, actor: &Actor, workflow: &Workflow) -> Result<Option<Vec<KnownTable>>, Problem> {
    if !workflow.placed().any(|placed| placed.step.operation.starts_with("table.")) {
        return Ok(None);
    }
    let tables = app.tables.list(actor.workspace, None, MOST_TABLES).await.map_err(crate::api::tables::refused)?;
    let known = tables.into_iter().map(|it| KnownTable { id: it.id.to_string(), name: it.name, schema: it.schema });
    Ok(Some(known.collect()))
}

/// The states of a workflow, as the document of the API names them.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[allow(dead_code, reason = "describes what the table holds as text")]
pub enum WorkflowState {
    Draft,
    Published,
    Paused,
}

/// A workflow with its draft.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoredWorkflow")]
pub struct WorkflowView {
    id: WorkflowId,
    name: String,
    #[schemars(with = "WorkflowState")]
    state: String,
    /// The draft.
    document: Workflow,
    /// Counts the edits of the draft.
    revision: i32,
    /// The version that runs.
    published_version: Option<i32>,
    /// How many versions were published; 0 before the first.
    latest_version: i32,
    /// The draft differs from what is published.
    unpublished_changes: bool,
    updated_at: DateTime<Utc>,
    /// What is wrong with the draft.
    issues: Vec<Issue>,
}

/// A workflow as the API shows it.
async fn view(app: &App, actor: &Actor, stored: &Stored, workflow: &Workflow) -> Result<WorkflowView, Problem> {
    Ok(WorkflowView {
        id: stored.id,
        name: stored.name.clone(),
        state: stored.state.clone(),
        document: workflow.clone(),
        revision: stored.revision,
        published_version: stored.published_version,
        latest_version: stored.latest_version,
        unpublished_changes: stored.has_unpublished_changes(),
        updated_at: stored.updated_at,
        issues: issues(app, actor, stored.id, workflow).await?,
    })
}

/// What a name has to match: something that can be seen.
const NAME: &str = r"[^\s\u0000]";

/// A name as a person typed it.
fn checked_name(name: &str) -> Result<String, Problem> {
    if name.chars().count() > 200 {
        return Err(Problem::invalid("name", "A name has at most 200 characters."));
    }
    let name = name.replace('\0', "").trim().to_owned();
    if name.is_empty() { Err(Problem::invalid("name", "Give the workflow a name.")) } else { Ok(name) }
}

/// Has every step an id that expressions can name? Edits see to it; a whole document is taken at its word otherwise.
fn checked_ids(workflow: &Workflow) -> Result<(), Problem> {
    let trigger = workflow.trigger.as_ref().map(|trigger| &trigger.id).filter(|id| !id.is_well_formed());
    no_odd("document.steps", trigger.or_else(|| first_odd(&workflow.steps)))
}

/// The first id among these steps, and those inside, that expressions can't name.
fn first_odd<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Option<&'a StepId> {
    steps.into_iter().find_map(|step| {
        let odd = (!step.id.is_well_formed()).then_some(&step.id);
        odd.or_else(|| step.inner().find_map(|(_, lane)| first_odd(lane)))
    })
}

fn no_odd(field: &str, id: Option<&StepId>) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let message = format!("\"{id}\" can't be the id of a step: take small letters, digits and _, a letter first, 60 at most.");
    Err(Problem::invalid(field, message))
}

/// Tells whoever watches, after the commit.
pub(crate) fn announce(app: &App, workspace: WorkspaceId, workflow: WorkflowId) {
    app.live.publish(Change::Workflow { workspace, workflow });
}
