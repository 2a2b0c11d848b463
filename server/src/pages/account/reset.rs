//! Setting a new password by a link that the instance's owner made. Opening the link changes nothing.

use crate::{
    app::App,
    auth::visit::Visit,
    pages,
    people::accounts,
    problem::{Code, Problem},
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::{
    account::{invitation::VoidLink, reset::Reset},
    form::Errors,
};

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    password: String,
}

/// `GET /reset/{token}`
pub async fn show(State(app): State<App>, visit: Visit, Path(secret): Path<String>) -> Result<Response, Problem> {
    match accounts::look(&app, &secret).await? {
        Some(found) => form(&visit, found.email, Errors::default()),
        None => void(&visit),
    }
}

/// `POST /reset/{token}`
pub async fn submit(
    State(app): State<App>,
    visit: Visit,
    Path(secret): Path<String>,
    Form(input): Form<Input>,
) -> Result<Response, Problem> {
    let Some(found) = accounts::look(&app, &secret).await? else { return void(&visit) };
    match accounts::use_link(&app, &secret, input.password).await {
        Ok(true) => Ok(Redirect::to("/sign-in?done=new-password").into_response()),
        Ok(false) => void(&visit),
        Err(problem) if problem.code == Code::InvalidInput => {
            let mut errors = Errors::default();
            errors.add("password", problem.detail);
            form(&visit, found.email, errors)
        }
        Err(problem) => Err(problem),
    }
}

fn form(visit: &Visit, email: String, errors: Errors) -> Result<Response, Problem> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, pages::html(&Reset { page: visit.page("Set a new password"), email, errors })?).into_response())
}

fn void(visit: &Visit) -> Result<Response, Problem> {
    const TITLE: &str = "This link does not work";
    let view = VoidLink {
        page: visit.page(TITLE),
        title: TITLE,
        reasons: &[
            "it was used already: a link works once,",
            "it is older than one hour,",
            "the password was changed in the meantime, or a newer link was made, or",
            "the address was not copied as a whole.",
        ],
        advice: "Ask whoever runs this server for a new link.",
    };
    Ok((StatusCode::NOT_FOUND, pages::html(&view)?).into_response())
}
