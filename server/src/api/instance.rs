//! The accounts of the instance as JSON, for its owner.

use super::{
    extract::Sent,
    idempotency::ShownOnce,
    page::{Page, Window},
};
use crate::{
    app::App,
    auth::Actor,
    people::accounts,
    problem::Problem,
    store::people::{self, ListedPerson},
};
use axum::{
    Extension, Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::ids::PersonId;
use uuid::Uuid;

/// Somebody who has an account.
#[derive(Serialize, JsonSchema)]
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub instance_owner: bool,
    pub created_at: DateTime<Utc>,
    /// Since when the account can't sign in; null when it can.
    pub disabled_at: Option<DateTime<Utc>>,
    /// The workspaces and roles in words, for example `Home (owner), Sales (viewer)`.
    pub workspaces: String,
}

impl From<ListedPerson> for Person {
    fn from(row: ListedPerson) -> Self {
        Self {
            id: row.id.0,
            email: row.email,
            name: row.name,
            instance_owner: row.instance_owner,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            workspaces: row.workspaces,
        }
    }
}

/// `GET /api/v1/instance/people`: everybody, oldest first.
pub async fn list(State(app): State<App>, window: Window<Uuid>) -> Result<Body<Page<Person>>, Problem> {
    let rows = people::list(&app.pool, window.after.map(PersonId), window.rows()).await?;
    Ok(Body(window.page(rows, |row| row.id.to_string(), Person::from)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// True keeps the person from signing in; false lets them in again.
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    instance_owner: Option<bool>,
}

/// `PUT /api/v1/instance/people/{person}`: changes what is given and leaves the rest.
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<PersonId>,
    Sent(standing): Sent<Standing>,
) -> Result<StatusCode, Problem> {
    people::exists(&app.pool, person).await?;
    if let Some(owner) = standing.instance_owner {
        accounts::set_instance_owner(&app, &actor, person, owner).await?;
    }
    if let Some(disabled) = standing.disabled {
        accounts::set_disabled(&app, &actor, person, disabled).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, JsonSchema)]
pub struct ResetLink {
    /// Sets a new password once, within an hour. It is shown in this answer only.
    pub link: String,
}

/// `POST /api/v1/instance/people/{person}/reset`
pub async fn reset(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<PersonId>,
) -> Result<(StatusCode, Extension<ShownOnce>, Body<ResetLink>), Problem> {
    let link = accounts::reset_link(&app, &actor, person).await?;
    Ok((StatusCode::CREATED, Extension(ShownOnce), Body(ResetLink { link })))
}
