//! The members of the workspace as JSON.

use super::{
    extract::Sent,
    page::{Page, Window},
};
use crate::{
    app::App,
    auth::{Actor, permission::Role},
    people,
    problem::Problem,
    store::members,
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::ids::PersonId;
use uuid::Uuid;

/// Somebody who works in the workspace.
#[derive(Serialize, JsonSchema)]
pub struct Member {
    pub person: Uuid,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
    /// When they last used the workspace in a browser; null when no session of theirs is kept.
    pub seen_at: Option<DateTime<Utc>>,
    /// The account can't sign in at the moment.
    pub disabled: bool,
}

/// `GET /api/v1/members`
pub async fn list(State(app): State<App>, actor: Actor, window: Window<Uuid>) -> Result<Body<Page<Member>>, Problem> {
    let rows = members::list(&app.pool, actor.workspace, window.after.map(PersonId), window.rows()).await?;
    Ok(Body(window.page(
        rows,
        |row| row.person.to_string(),
        |row| Member {
            person: row.person.0,
            name: row.name,
            email: row.email,
            role: row.role,
            joined_at: row.joined_at,
            seen_at: row.seen_at,
            disabled: row.disabled,
        },
    )))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    role: Role,
}

/// `PUT /api/v1/members/{person}`
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<PersonId>,
    Sent(new): Sent<NewRole>,
) -> Result<StatusCode, Problem> {
    people::members::change_role(&app, &actor, person, new.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/members/{person}`
pub async fn delete(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<StatusCode, Problem> {
    people::members::remove(&app, &actor, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/workspace/leave`
pub async fn leave(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    people::members::leave(&app, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
