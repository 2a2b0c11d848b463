//! The first start: whoever holds the token from the terminal makes the owner's account.

use super::with_cookie;
use crate::{
    app::App,
    auth::{
        Actor, password,
        setup::{self, Outcome, Owner},
        visit::Visit,
    },
    pages,
    people::{is_email, languages},
    problem::Problem,
    store::people,
};
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::{
    account::setup::{Setup, SetupLocked},
    form::Errors,
};

#[derive(Deserialize)]
pub struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    time_zone: String,
    /// What the browser says of its language.
    #[serde(default)]
    language: String,
}

/// `GET /setup`
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    actor: Option<Actor>,
    Query(link): Query<Link>,
) -> Result<Response, Problem> {
    if people::any(&app.pool).await? {
        return Ok(Redirect::to(if actor.is_some() { "/" } else { "/sign-in" }).into_response());
    }
    if !setup::token_matches(&app.pool, &link.token).await? {
        return locked(&visit, !link.token.is_empty());
    }
    form(
        &visit,
        Input {
            token: link.token,
            name: String::new(),
            email: String::new(),
            password: String::new(),
            time_zone: "UTC".into(),
            language: languages::DEFAULT.into(),
        },
        Errors::default(),
    )
}

/// `POST /setup`
pub async fn submit(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Result<Response, Problem> {
    let errors = mistakes(&input);
    if !errors.is_empty() {
        return form(&visit, input, errors);
    }
    let owner = Owner {
        name: input.name.trim().to_owned(),
        email: input.email.trim().to_lowercase(),
        password: input.password,
        time_zone: input.time_zone.parse::<chrono_tz::Tz>().map_or("UTC", |zone| zone.name()).to_owned(),
        language: languages::nearest(&input.language).to_owned(),
    };
    match setup::complete(&app, &visit, &headers, &input.token, owner).await? {
        Outcome::Done(session) => {
            Ok(with_cookie(Redirect::to("/sign-in/arrived?next=%2Fworkflows").into_response(), &session.cookie(visit.https)))
        }
        Outcome::WrongToken => locked(&visit, true),
        Outcome::AlreadyDone => Ok(Redirect::to("/sign-in").into_response()),
    }
}

fn mistakes(input: &Input) -> Errors {
    let mut errors = Errors::default();
    match input.name.trim().chars().count() {
        0 => errors.add("name", "Write your name, as others should see it."),
        201.. => errors.add("name", "Use at most 200 characters."),
        _ => {}
    }
    if !is_email(&input.email) {
        errors.add("email", "Write an address such as ada@example.com.");
    }
    if let Err(mistake) = password::judge(&input.password, input.email.trim(), input.name.trim()) {
        errors.add("password", mistake);
    }
    errors
}

fn form(visit: &Visit, input: Input, errors: Errors) -> Result<Response, Problem> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Setup {
        page: visit.page("Make your account"),
        token: input.token,
        name: input.name,
        email: input.email,
        time_zone: input.time_zone,
        language: input.language,
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}

fn locked(visit: &Visit, wrong: bool) -> Result<Response, Problem> {
    let view = SetupLocked { page: visit.page("First start"), wrong, address: visit.origin() };
    Ok((StatusCode::FORBIDDEN, pages::html(&view)?).into_response())
}
