//! Invitations as JSON. A link is in the answer that makes it, and in no other.

use super::{
    extract::Sent,
    idempotency::ShownOnce,
    page::{Page, Window},
};
use crate::{
    app::App,
    auth::{Actor, permission::Role},
    people::{
        Mailed,
        invite::{self, Invited},
    },
    problem::Problem,
    store::invitations,
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

/// An address and a role that wait for somebody to take them up.
#[derive(Serialize, JsonSchema)]
pub struct Invitation {
    pub id: Uuid,
    pub email: String,
    pub role: Role,
    /// The name of whoever made the link.
    pub invited_by: String,
    pub created_at: DateTime<Utc>,
    /// From then on the link doesn't work; a new one can be made.
    pub expires_at: DateTime<Utc>,
}

/// `GET /api/v1/invitations`: the open ones, the newest first.
pub async fn list(State(app): State<App>, actor: Actor, window: Window<Uuid>) -> Result<Body<Page<Invitation>>, Problem> {
    let rows = invitations::open(&app.pool, actor.workspace, window.after, window.rows()).await?;
    Ok(Body(window.page(
        rows,
        |row| row.id.to_string(),
        |row| Invitation {
            id: row.id,
            email: row.email,
            role: Role::from_name(&row.role),
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
        },
    )))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Whom to invite.
    #[schemars(email, length(max = 254))]
    email: String,
    /// At most one's own.
    role: Role,
}

/// A new invitation with its link.
#[derive(Serialize, JsonSchema)]
pub struct MadeInvitation {
    pub id: Uuid,
    pub email: String,
    pub role: Role,
    /// Works once, for seven days. It is shown in this answer only.
    pub link: String,
    /// Was the link mailed to the address?
    pub mailed: bool,
    /// Why it was not mailed.
    pub mail_problem: Option<String>,
}

impl From<Invited> for MadeInvitation {
    fn from(made: Invited) -> Self {
        let mail_problem = match &made.link.mailed {
            Mailed::Sent => None,
            Mailed::NotSetUp => Some("This server can't send mail.".to_owned()),
            Mailed::Failed(why) => Some(why.clone()),
        };
        let mailed = made.link.mailed == Mailed::Sent;
        Self { id: made.id, email: made.email, role: made.role, link: made.link.url, mailed, mail_problem }
    }
}

/// `POST /api/v1/invitations`
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Sent(new): Sent<NewInvitation>,
) -> Result<(StatusCode, Extension<ShownOnce>, Body<MadeInvitation>), Problem> {
    let made = invite::invite(&app, &actor, &new.email, new.role).await?;
    Ok((StatusCode::CREATED, Extension(ShownOnce), Body(made.into())))
}

/// `POST /api/v1/invitations/{invitation}/renew`: a new link; the old one stops working.
pub async fn renew(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Extension<ShownOnce>, Body<MadeInvitation>), Problem> {
    let made = invite::renew(&app, &actor, id).await?;
    Ok((StatusCode::CREATED, Extension(ShownOnce), Body(made.into())))
}

/// `DELETE /api/v1/invitations/{invitation}`
pub async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    invite::revoke(&app, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
