//! New workflows: empty, from a starter, or as a copy of another.

use super::{checked_name, read_document};
use crate::{
    api::extract::{Sent, read_value},
    app::App,
    auth::Actor,
    connections::naming,
    pages::workflows::{create, duplicate},
    problem::Problem,
    store::workflows,
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{
    Json,
    ids::WorkflowId,
    workflow::{FORMAT, Workflow},
};
use towpath_web::workflows::starters::Starter;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// May be left out with a document, which has a name.
    #[serde(default)]
    name: Option<String>,
    /// A whole document, as an export has it.
    #[serde(default)]
    document: Option<Json>,
    /// The key of a starter; absent for an empty workflow.
    #[serde(default)]
    starter: Option<String>,
}

/// `POST /api/v1/workflows`: 201 with the new workflow's id.
pub async fn post(State(app): State<App>, actor: Actor, Sent(new): Sent<New>) -> Result<(StatusCode, Body<Json>), Problem> {
    if let Some(document) = new.document {
        if new.starter.is_some() {
            return Err(Problem::invalid("starter", "Send a starter or a document, not both."));
        }
        let document: Workflow = read_value("document", document)?;
        let name = checked_name(new.name.as_deref().unwrap_or(&document.name))?;
        let (document, missing) = naming::by_id(&app.pool, &actor, document).await?;
        let id = create::add(&app, &actor, &Workflow { name, ..document }).await?;
        return made(id, &missing);
    }
    let name = checked_name(&new.name.ok_or_else(|| Problem::invalid("name", "Give the workflow a name."))?)?;
    let workflow = match new.starter.as_deref() {
        None => Workflow { towpath: FORMAT, name, trigger: None, steps: Vec::new() },
        Some(key) => {
            let starter = Starter::of_key(key).ok_or_else(|| Problem::invalid("starter", "There is no such starter."))?;
            Workflow { name, ..starter.workflow() }
        }
    };
    made(create::add(&app, &actor, &workflow).await?, &[])
}

/// `POST /api/v1/workflows/{id}/duplicate`: a copy of the draft, unpublished, with an address of its own.
pub async fn copy(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<(StatusCode, Body<Json>), Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = Workflow { name: duplicate::copy_name(&stored.name), ..read_document(stored.draft)? };
    made(create::add(&app, &actor, &workflow).await?, &[])
}

/// `missing` are the connections that a file names and nobody has here: its steps ask for one.
fn made(id: WorkflowId, missing: &[String]) -> Result<(StatusCode, Body<Json>), Problem> {
    let made = json!({ "id": id, "href": format!("/workflows/{id}"), "missing_connections": missing });
    Ok((StatusCode::CREATED, Body(made)))
}
