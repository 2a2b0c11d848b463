//! Changing one's own name.

use super::account;
use crate::{app::App, auth::Actor, people::checked_name, problem::Problem, store::people};
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
    name: String,
}

/// `POST /settings/profile`
pub async fn submit(State(app): State<App>, actor: Actor, Form(input): Form<Input>) -> Result<Response, Problem> {
    let Ok(name) = checked_name("name", &input.name) else {
        let mut errors = Errors::default();
        errors.add("name", "Write a name of at most 200 characters.");
        return account::page(&app, &actor, input.name, errors).await;
    };
    people::rename(&app.pool, actor.person, &name).await?;
    Ok(Redirect::to("/settings?done=saved").into_response())
}
