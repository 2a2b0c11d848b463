//! Changing one's own password: the current one is asked for, and every other session ends.

use super::account;
use crate::{
    app::App,
    auth::{Actor, password},
    problem::Problem,
    store::{people, sessions},
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::form::Errors;

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    current: String,
    #[serde(default)]
    new: String,
}

/// `POST /settings/password`
pub async fn submit(State(app): State<App>, actor: Actor, Form(input): Form<Input>) -> Result<Response, Problem> {
    let mut errors = Errors::default();
    // An open browser is no licence to guess: the same brakes as at sign-in.
    if let Err(wait) = app.auth.throttle.begin(&actor.email, actor.visit.address, app.clock.now()) {
        errors.add("current", format!("That were many tries. Wait {} seconds and try again.", wait.num_seconds() + 1));
        return account::page(&app, &actor, actor.name.clone(), errors).await;
    }
    let stored = people::password_hash(&app.pool, actor.person).await?;
    let right = app.auth.passwords.verify(input.current.clone(), Some(stored)).await?;
    if right {
        app.auth.throttle.succeeded(&actor.email, actor.visit.address);
    } else {
        errors.add("current", "This is not your current password.");
    }
    if let Err(mistake) = password::judge(&input.new, &actor.email, &actor.name) {
        errors.add("new", mistake);
    } else if input.new == input.current {
        errors.add("new", "This is the password that you have already.");
    }
    if !errors.is_empty() {
        return account::page(&app, &actor, actor.name.clone(), errors).await;
    }
    let hash = app.auth.passwords.hash(input.new).await?;
    let mut transaction = app.pool.begin().await?;
    people::set_password(&mut transaction, actor.person, &hash).await?;
    sessions::end_others(&mut *transaction, actor.person, &actor.session).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    Ok(Redirect::to("/settings?done=password").into_response())
}
