//! Sign-out: ends the session here and in the browser.

use super::with_cookie;
use crate::{
    app::App,
    auth::{Actor, session::SessionId},
    problem::Problem,
    store::sessions,
};
use axum::{
    extract::State,
    http::HeaderValue,
    response::{IntoResponse, Redirect, Response},
};

/// `POST /sign-out`
pub async fn submit(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    sessions::end(&app.pool, actor.person, &actor.session).await?;
    app.auth.revocations.ring();
    let mut response = with_cookie(Redirect::to("/sign-in").into_response(), &SessionId::gone(actor.visit.https));
    // Pages in the back-forward cache would show what the person may no longer see. Browsers take it from safe origins only.
    if actor.visit.https || actor.visit.local {
        response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    }
    Ok(response)
}
