//! One's own account as a page.

use crate::{
    app::App,
    auth::{Actor, device, session},
    pages,
    problem::Problem,
    store::sessions,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::SecondsFormat;
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::account::{Account, SessionRow},
};

/// `GET /settings`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let name = actor.name.clone();
    page(&app, &actor, name, Errors::default()).await
}

/// The page, with the name as it was typed and what is wrong.
pub(super) async fn page(app: &App, actor: &Actor, name: String, errors: Errors) -> Result<Response, Problem> {
    let now = app.clock.now();
    let sessions = sessions::list(&app.pool, actor.person, now, now - session::IDLE)
        .await?
        .into_iter()
        .map(|row| SessionRow {
            current: row.id_hash == actor.session,
            key: hex::encode(&row.id_hash),
            device: device::in_words(&row.user_agent),
            address: row.address,
            workspace: row.workspace,
            signed_in: row.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            seen: row.seen_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        })
        .collect();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Account {
        page: actor.page("Your account", Area::Settings),
        name,
        email: actor.email.clone(),
        errors,
        sessions,
        several: !actor.others.is_empty(),
        workspace: actor.workspace_name.clone(),
    };
    Ok((status, pages::html(&view)?).into_response())
}
