//! New workflows: empty, from a starter, or as a copy of another.

use super::{NAME, checked_ids, checked_name, read_document};
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
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::borrow::Cow;
use towpath_engine::{
    Json,
    ids::WorkflowId,
    workflow::{FORMAT, Workflow},
};
use towpath_web::workflows::starters::{STARTERS, Starter};

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

impl JsonSchema for New {
    fn schema_name() -> Cow<'static, str> {
        "NewWorkflow".into()
    }

    /// An empty one or a starter's, which need a name; or a document, which has one.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let name = json!({ "type": "string", "maxLength": 200, "pattern": NAME });
        let starters: Vec<Json> = STARTERS.iter().map(|it| it.key.into()).chain([Json::Null]).collect();
        let document = generator.subschema_for::<Workflow>();
        json_schema!({
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "name": name,
                        "starter": { "enum": starters, "description": "The key of a starter; without one the workflow is empty." },
                        "document": { "type": "null" },
                    },
                    "required": ["name"],
                    "additionalProperties": false,
                },
                {
                    "type": "object",
                    "properties": {
                        "name": { "type": ["string", "null"], "maxLength": 200, "pattern": NAME, "description": "In place of the document's name." },
                        "document": document,
                        "starter": { "type": "null" },
                    },
                    "required": ["document"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// What was made.
#[derive(Serialize, JsonSchema)]
pub struct MadeWorkflow {
    id: WorkflowId,
    /// Its page.
    href: String,
    /// The connections that a document names and nobody has here: its steps ask for one.
    missing_connections: Vec<String>,
}

/// `POST /api/v1/workflows`: 201 with the new workflow's id.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Sent(new): Sent<New>,
) -> Result<(StatusCode, Body<MadeWorkflow>), Problem> {
    if let Some(document) = new.document {
        if new.starter.is_some() {
            return Err(Problem::invalid("starter", "Send a starter or a document, not both."));
        }
        let document: Workflow = read_value("document", document)?;
        checked_ids(&document)?;
        let own = checked_name(&document.name).map_err(|problem| within("document", problem))?;
        let name = new.name.as_deref().map(checked_name).transpose()?.unwrap_or(own);
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

/// The problem with its field named as inside `place`.
fn within(place: &str, mut problem: Problem) -> Problem {
    for field in &mut problem.fields {
        field.field = format!("{place}.{}", field.field);
    }
    problem
}

/// `POST /api/v1/workflows/{id}/duplicate`: a copy of the draft, unpublished, with an address of its own.
pub async fn copy(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
) -> Result<(StatusCode, Body<MadeWorkflow>), Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let workflow = Workflow { name: duplicate::copy_name(&stored.name), ..read_document(stored.draft)? };
    made(create::add(&app, &actor, &workflow).await?, &[])
}

fn made(id: WorkflowId, missing: &[String]) -> Result<(StatusCode, Body<MadeWorkflow>), Problem> {
    let made = MadeWorkflow { id, href: format!("/workflows/{id}"), missing_connections: missing.to_vec() };
    Ok((StatusCode::CREATED, Body(made)))
}
