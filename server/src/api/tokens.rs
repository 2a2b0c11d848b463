//! API tokens as JSON. The token itself is in the answer that makes it, and in no other.

use super::{
    extract::{Sent, VISIBLE},
    idempotency::ShownOnce,
    page::{Page, Window},
};
use crate::{
    app::App,
    auth::{Actor, scope::Scope},
    people::tokens::{self, Wanted},
    problem::Problem,
    store,
};
use axum::{
    Extension, Json as Body,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a program comes in by.
#[derive(Serialize, JsonSchema)]
pub struct Token {
    pub id: Uuid,
    pub name: String,
    /// Whose it is, and whose role bounds it.
    pub person: Uuid,
    /// Their name.
    pub owner: String,
    /// The characters after `tp_`: enough to recognise it.
    pub prefix: String,
    pub scopes: Vec<Scope>,
    pub created_at: DateTime<Utc>,
    /// Null for one that works until it is taken back.
    pub expires_at: Option<DateTime<Utc>>,
    /// To the minute; null for one that was never used.
    pub used_at: Option<DateTime<Utc>>,
}

/// `GET /api/v1/tokens`: one's own, the newest first; everybody's for who manages people.
pub async fn list(State(app): State<App>, actor: Actor, window: Window<Uuid>) -> Result<Body<Page<Token>>, Problem> {
    let rows = store::tokens::list(&app.pool, actor.workspace, tokens::whose(&actor), window.after, window.rows()).await?;
    Ok(Body(window.page(
        rows,
        |row| row.id.to_string(),
        |row| Token {
            id: row.id,
            name: row.name,
            person: row.person.0,
            owner: row.owner,
            prefix: row.prefix,
            scopes: row.scopes.iter().filter_map(|name| Scope::of_name(name)).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
        },
    )))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, in your words.
    #[schemars(length(max = 200), regex(pattern = VISIBLE))]
    name: String,
    #[schemars(length(min = 1))]
    scopes: Vec<Scope>,
    /// Days until it stops working; without it, it works until it is taken back.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3650))]
    days: Option<u16>,
}

#[derive(Serialize, JsonSchema)]
pub struct MadeToken {
    pub id: Uuid,
    /// Send it as `Authorization: Bearer …`. It is shown in this answer only.
    pub token: String,
    pub expires_at: Option<DateTime<Utc>>,
}

/// `POST /api/v1/tokens`
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Sent(new): Sent<NewToken>,
) -> Result<(StatusCode, Extension<ShownOnce>, Body<MadeToken>), Problem> {
    let made = tokens::create(&app, &actor, Wanted { name: new.name, scopes: new.scopes, days: new.days }).await?;
    Ok((
        StatusCode::CREATED,
        Extension(ShownOnce),
        Body(MadeToken { id: made.id, token: made.token, expires_at: made.expires_at }),
    ))
}

/// `DELETE /api/v1/tokens/{token}`
pub async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    tokens::revoke(&app, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
