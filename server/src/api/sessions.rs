//! One's own sessions as JSON, and who one is.

use super::page::Page;
use crate::{
    app::App,
    auth::{Actor, device, permission::Role, session},
    problem::Problem,
    store::{members, sessions},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// Who is asking.
#[derive(Serialize, JsonSchema)]
pub struct Me {
    pub person: Uuid,
    pub name: String,
    pub email: String,
    /// Owns the instance.
    pub instance_owner: bool,
    /// The workspace that the session or the token is in.
    pub workspace: Place,
    /// All workspaces of the person.
    pub workspaces: Vec<Place>,
}

/// A workspace, and what the person is in it.
#[derive(Serialize, JsonSchema)]
pub struct Place {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
}

/// `GET /api/v1/me`
pub async fn me(State(app): State<App>, actor: Actor) -> Result<Body<Me>, Problem> {
    let all = members::of_person(&app.pool, actor.person, 1_000).await?;
    Ok(Body(Me {
        person: actor.person.0,
        name: actor.name,
        email: actor.email,
        instance_owner: actor.instance_owner,
        workspace: Place { id: actor.workspace.0, name: actor.workspace_name, role: actor.role },
        workspaces: all.into_iter().map(|it| Place { id: it.workspace.0, name: it.name, role: it.role }).collect(),
    }))
}

/// A browser that is signed in.
#[derive(Serialize, JsonSchema)]
pub struct Session {
    /// Names the session; signs nobody in.
    pub id: String,
    /// For example "Firefox on Linux".
    pub device: String,
    pub address: String,
    /// The name of the workspace that it is in.
    pub workspace: String,
    pub signed_in_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    /// The one that asks.
    pub current: bool,
}

/// `GET /api/v1/sessions`: the last used first; all on one page.
pub async fn list(State(app): State<App>, actor: Actor) -> Result<Body<Page<Session>>, Problem> {
    let now = app.clock.now();
    let rows = sessions::list(&app.pool, actor.person, now, now - session::IDLE).await?;
    let items = rows
        .into_iter()
        .map(|row| Session {
            current: row.id_hash == actor.session,
            id: hex::encode(&row.id_hash),
            device: device::in_words(&row.user_agent),
            address: row.address,
            workspace: row.workspace,
            signed_in_at: row.created_at,
            seen_at: row.seen_at,
        })
        .collect();
    Ok(Body(Page { items, next: None }))
}

/// `DELETE /api/v1/sessions/{session}`
pub async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let hash = hex::decode(&id).map_err(|_| Problem::not_found())?;
    if !sessions::end(&app.pool, actor.person, &hash).await? {
        return Err(Problem::not_found());
    }
    app.auth.revocations.ring();
    Ok(StatusCode::NO_CONTENT)
}
