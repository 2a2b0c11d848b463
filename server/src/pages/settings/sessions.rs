//! Ending one's own sessions elsewhere.

use crate::{app::App, auth::Actor, problem::Problem, store::sessions};
use axum::{Form, extract::State, response::Redirect};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    session: String,
}

/// `POST /settings/sessions/end`
pub async fn end(State(app): State<App>, actor: Actor, Form(input): Form<Input>) -> Result<Redirect, Problem> {
    let hash = hex::decode(&input.session).map_err(|_| Problem::not_found())?;
    // One that is over already is as good as ended.
    sessions::end(&app.pool, actor.person, &hash).await?;
    app.auth.revocations.ring();
    Ok(Redirect::to("/settings?done=session-ended"))
}

/// `POST /settings/sessions/end-others`
pub async fn end_others(State(app): State<App>, actor: Actor) -> Result<Redirect, Problem> {
    sessions::end_others(&app.pool, actor.person, &actor.session).await?;
    app.auth.revocations.ring();
    Ok(Redirect::to("/settings?done=sessions-ended"))
}
