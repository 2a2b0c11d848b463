//! The workspace's settings as JSON, one's workspaces, and giving one up.

use super::{
    extract::{Sent, VISIBLE},
    openapi::patterns,
    page::{Page, Window},
    sessions::Place,
};
use crate::{
    app::App,
    auth::Actor,
    pages::settings::workspace::read,
    people::{self, languages},
    problem::{Code, FieldProblem, Problem},
    store::{members, workspaces},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use towpath_engine::ids::WorkspaceId;
use uuid::Uuid;

/// What an admin set.
#[derive(Serialize, JsonSchema)]
pub struct WorkspaceSettings {
    pub name: String,
    /// An IANA name, for example `Europe/Berlin`.
    pub time_zone: String,
    /// How dates and numbers are written: a BCP 47 tag, for example `de-CH`.
    pub language: String,
    /// Who hears by mail that a run failed.
    pub alert_mail: Option<String>,
    /// The URL that hears by an HTTP POST that a run failed.
    pub alert_url: Option<String>,
}

/// What an admin sets: all of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSettings {
    #[schemars(length(max = 200), regex(pattern = VISIBLE))]
    pub name: String,
    /// An IANA name, for example `Europe/Berlin`.
    #[schemars(extend("enum" = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect::<Vec<_>>()))]
    pub time_zone: String,
    /// A BCP 47 tag of the list, for example `de-CH`.
    #[schemars(extend("enum" = languages::ALL.iter().map(|(tag, _)| *tag).collect::<Vec<_>>()))]
    pub language: String,
    /// Who hears by mail that a run failed.
    #[serde(default)]
    #[schemars(schema_with = "mail_or_nothing")]
    pub alert_mail: Option<String>,
    /// The URL that hears by an HTTP POST that a run failed.
    #[serde(default)]
    #[schemars(schema_with = "web_address_or_nothing")]
    pub alert_url: Option<String>,
}

fn mail_or_nothing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "string", "format": "email" }, { "type": "string", "pattern": r"^\s*$" }, { "type": "null" }] })
}

fn web_address_or_nothing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "string", "maxLength": 2000, "pattern": patterns::web_address() },
            { "type": "string", "pattern": r"^\s*$" },
            { "type": "null" },
        ],
    })
}

/// `GET /api/v1/workspace`
pub async fn get(State(app): State<App>, actor: Actor) -> Result<Body<WorkspaceSettings>, Problem> {
    let now = workspaces::settings(&app.pool, actor.workspace).await?;
    Ok(Body(WorkspaceSettings {
        name: now.name,
        time_zone: now.time_zone,
        language: now.language,
        alert_mail: now.alert_mail,
        alert_url: now.alert_url,
    }))
}

/// `PUT /api/v1/workspace`
pub async fn put(State(app): State<App>, actor: Actor, Sent(new): Sent<NewSettings>) -> Result<Body<WorkspaceSettings>, Problem> {
    let settings = read(&new.into()).map_err(|errors| {
        let mut problem = Problem::new(Code::InvalidInput, "Some settings can't be saved as they are.");
        problem.fields =
            errors.all().map(|(field, message)| FieldProblem { field: field.to_owned(), message: message.to_owned() }).collect();
        problem
    })?;
    workspaces::save_settings(&app.pool, actor.workspace, &settings).await?;
    get(State(app), actor).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedWorkspace {
    /// The workspace's name, as it is.
    name: String,
}

/// `DELETE /api/v1/workspace`: gives up the workspace that one is in. Its name in the body says that it is meant.
pub async fn delete(State(app): State<App>, actor: Actor, Sent(named): Sent<NamedWorkspace>) -> Result<StatusCode, Problem> {
    people::workspaces::delete(&app, &actor, actor.workspace, &named.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/workspaces`: those that one is a member of, by name; all on one page.
pub async fn mine(State(app): State<App>, actor: Actor) -> Result<Body<Page<Place>>, Problem> {
    let all = members::of_person(&app.pool, actor.person, 1_000).await?;
    let items = all.into_iter().map(|it| Place { id: it.workspace.0, name: it.name, role: it.role }).collect();
    Ok(Body(Page { items, next: None }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    #[schemars(length(max = 200), regex(pattern = VISIBLE))]
    name: String,
}

#[derive(Serialize, JsonSchema)]
pub struct MadeWorkspace {
    pub id: Uuid,
}

/// `POST /api/v1/instance/workspaces`: the one who makes it is its owner.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Sent(new): Sent<NewWorkspace>,
) -> Result<(StatusCode, Body<MadeWorkspace>), Problem> {
    let id = people::workspaces::create(&app, &actor, &new.name).await?;
    Ok((StatusCode::CREATED, Body(MadeWorkspace { id: id.0 })))
}

/// A workspace as the instance's owner sees it.
#[derive(Serialize, JsonSchema)]
pub struct ListedWorkspace {
    pub id: Uuid,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub members: i64,
    pub workflows: i64,
    /// The names of its owners, with commas between them.
    pub owners: String,
}

/// `GET /api/v1/instance/workspaces`: all of the instance, oldest first.
pub async fn all(State(app): State<App>, window: Window<Uuid>) -> Result<Body<Page<ListedWorkspace>>, Problem> {
    let rows = workspaces::list(&app.pool, window.after.map(WorkspaceId), window.rows()).await?;
    Ok(Body(window.page(
        rows,
        |row| row.id.to_string(),
        |row| ListedWorkspace {
            id: row.id.0,
            name: row.name,
            created_at: row.created_at,
            members: row.members,
            workflows: row.workflows,
            owners: row.owners,
        },
    )))
}

/// `DELETE /api/v1/instance/workspaces/{workspace}`: its name in the body says that it is meant.
pub async fn delete_any(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Sent(named): Sent<NamedWorkspace>,
) -> Result<StatusCode, Problem> {
    people::workspaces::delete(&app, &actor, id, &named.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
