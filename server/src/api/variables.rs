//! Variables as JSON: named values that expressions read as `vars.name`. They are no secrets; those belong into connections.

use super::extract::Sent;
use crate::{
    app::App,
    auth::Actor,
    problem::{Code, Problem},
    store::workflow_list,
    variables::{Change, Kind, NotChanged, Revision, Variable},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use towpath_engine::{Json, ids::WorkflowId, uses, workflow::Workflow};

/// All variables of the workspace.
#[derive(Serialize, JsonSchema)]
pub struct VariableList {
    /// Counts the changes; 0 before the first.
    revision: u32,
    /// By name.
    variables: Vec<Variable>,
}

/// A variable and the workflows that read it.
#[derive(Serialize, JsonSchema)]
pub struct VariableWithUse {
    #[serde(flatten)]
    variable: Variable,
    used_by: Vec<UsedBy>,
}

/// A workflow that names something.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "NamingWorkflow")]
pub struct UsedBy {
    pub workflow: WorkflowId,
    pub name: String,
    /// In the version that runs, as opposed to the draft alone.
    pub published: bool,
}

/// What a variable is to be.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "VariableContent")]
#[serde(deny_unknown_fields)]
pub struct Content {
    kind: Kind,
    value: Json,
    #[serde(default)]
    #[schemars(length(max = 300))]
    note: String,
}

/// `GET /api/v1/variables`
pub async fn list(State(app): State<App>, actor: Actor) -> Body<VariableList> {
    let revision = app.variables.current(actor.workspace);
    Body(VariableList { revision: revision.number, variables: revision.list.clone() })
}

/// `GET /api/v1/variables/{variable}`
pub async fn get(State(app): State<App>, actor: Actor, Path(name): Path<String>) -> Result<Body<VariableWithUse>, Problem> {
    let revision = app.variables.current(actor.workspace);
    let variable = revision.find(&name).cloned().ok_or_else(Problem::not_found)?;
    let used_by = used_by(&app, &actor).await?.remove(&name).unwrap_or_default();
    Ok(Body(VariableWithUse { variable, used_by }))
}

/// `POST /api/v1/variables`: 201 with the new one.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Sent(variable): Sent<Variable>,
) -> Result<(StatusCode, Body<Variable>), Problem> {
    change(&app, &actor, Change::Add(variable.clone())).await?;
    Ok((StatusCode::CREATED, Body(variable)))
}

/// `PUT /api/v1/variables/{variable}`: makes it, or puts another value in its place.
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(name): Path<String>,
    Sent(content): Sent<Content>,
) -> Result<Body<Variable>, Problem> {
    let variable = Variable { name: name.clone(), kind: content.kind, value: content.value, note: content.note };
    change(&app, &actor, Change::Put { name, variable: variable.clone(), upsert: true }).await?;
    Ok(Body(variable))
}

/// `DELETE /api/v1/variables/{variable}`: runs that began before still see it.
pub async fn delete(State(app): State<App>, actor: Actor, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    change(&app, &actor, Change::Remove(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a change, for pages too.
pub(crate) async fn change(app: &App, actor: &Actor, change: Change) -> Result<Arc<Revision>, Problem> {
    app.variables.change(actor.workspace, change, actor.person, app.clock.now()).await.map_err(|error| match error {
        // The document can't tie a value to its kind: that is a clash of the two.
        NotChanged::Wrong(wrong) if wrong.field == "value" => Problem::clash(wrong.field, wrong.message),
        NotChanged::Wrong(wrong) => Problem::invalid(wrong.field, wrong.message),
        NotChanged::NotThere => Problem::not_found(),
        NotChanged::Taken => Problem::clash("name", "There is a variable of this name already. Choose another name."),
        NotChanged::Store(error) => error.into(),
        NotChanged::Unreadable(error) => Problem::new(Code::Internal, "The stored variables can't be read.").source(error),
    })
}

/// For each variable the workflows whose draft or running version reads it.
pub(crate) async fn used_by(app: &App, actor: &Actor) -> Result<BTreeMap<String, Vec<UsedBy>>, Problem> {
    let mut used: BTreeMap<String, Vec<UsedBy>> = BTreeMap::new();
    for it in workflow_list::mentioning(&app.pool, actor.workspace, "vars").await? {
        let names = |document: Json| {
            serde_json::from_value::<Workflow>(document).map(|workflow| uses::variables(&workflow)).unwrap_or_default()
        };
        let running: BTreeSet<String> = it.published.map(names).unwrap_or_default();
        for name in names(it.draft).union(&running) {
            let by = UsedBy { workflow: it.workflow, name: it.name.clone(), published: running.contains(name) };
            used.entry(name.clone()).or_default().push(by);
        }
    }
    Ok(used)
}
