//! Taking an invitation up: a page that says who invites whom to what, and a form that accepts. Opening the link changes nothing, so
//! a mail scanner that follows it uses nothing up. Every link that doesn't work has the same answer.

use super::with_cookie;
use crate::{
    app::App,
    auth::{Actor, csrf, visit::Visit},
    pages,
    people::{
        self,
        join::{self, Outcome},
    },
    problem::{Code, Problem},
    store::invitations::Found,
};
use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::{
    account::invitation::{How, Invitation, VoidLink},
    form::Errors,
    layout::Area,
};

#[derive(Default, Deserialize)]
pub struct Input {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

/// `GET /invitations/{token}`
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    actor: Option<Actor>,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    match join::look(&app, &secret).await? {
        Some(found) => form(&visit, actor.as_ref(), found, String::new(), Errors::default(), StatusCode::OK),
        None => void(&visit, actor.as_ref()),
    }
}

/// `POST /invitations/{token}`
pub async fn submit(
    State(app): State<App>,
    visit: Visit,
    actor: Option<Actor>,
    headers: HeaderMap,
    Path(secret): Path<String>,
    Form(input): Form<Input>,
) -> Result<Response, Problem> {
    let Some(found) = join::look(&app, &secret).await? else { return void(&visit, actor.as_ref()) };
    let outcome = match how(&found, actor.as_ref()) {
        How::NewAccount => join::as_somebody_new(&app, &visit, &headers, &secret, &input.name, input.password).await,
        How::Password { .. } => join::by_password(&app, &visit, &headers, actor.as_ref(), &secret, input.password).await,
        How::OnePress => match &actor {
            Some(actor) if csrf::token_matches(&actor.csrf, &input.csrf) => join::as_oneself(&app, actor, &secret).await,
            _ => Err(Problem::new(Code::Forbidden, "This page was opened in an earlier session. Open the link again.")),
        },
    };
    let mut errors = Errors::default();
    let status = match outcome {
        Ok(Outcome::Joined(session)) => {
            return Ok(with_cookie(
                Redirect::to("/sign-in/arrived?next=%2Fworkflows%3Fdone%3Djoined").into_response(),
                &session.cookie(visit.https),
            ));
        }
        Ok(Outcome::Void) => return void(&visit, actor.as_ref()),
        Ok(Outcome::WrongPassword) => {
            errors.add("password", "This is not the password of this account.");
            StatusCode::UNAUTHORIZED
        }
        Ok(Outcome::Wait(wait)) => {
            errors.add("password", format!("That were many tries. Wait {} seconds and try again.", wait.num_seconds() + 1));
            StatusCode::TOO_MANY_REQUESTS
        }
        Err(problem) if problem.code == Code::InvalidInput => {
            let at_name = people::mistake(&problem).is_some_and(|it| it.field == "name");
            errors.add(if at_name { "name" } else { "password" }, problem.detail);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(problem) => return Err(problem),
    };
    form(&visit, actor.as_ref(), found, input.name, errors, status)
}

fn how(found: &Found, actor: Option<&Actor>) -> How {
    match actor {
        Some(actor) if actor.email == found.email => How::OnePress,
        _ if !found.has_account => How::NewAccount,
        other => How::Password { signed_in_as: other.map(|actor| actor.email.clone()) },
    }
}

fn form(
    visit: &Visit,
    actor: Option<&Actor>,
    found: Found,
    name: String,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, Problem> {
    let how = how(&found, actor);
    let title = format!("Join {}", found.workspace_name);
    let view = Invitation {
        page: match (&how, actor) {
            (How::OnePress, Some(actor)) => actor.page(title, Area::Elsewhere),
            _ => visit.page(title),
        },
        inviter: found.inviter,
        workspace: found.workspace_name,
        role: found.role.name(),
        words: found.role.may_in_words(),
        email: found.email,
        how,
        name,
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}

fn void(visit: &Visit, actor: Option<&Actor>) -> Result<Response, Problem> {
    const TITLE: &str = "This invitation does not work";
    let view = VoidLink {
        page: actor.map_or_else(|| visit.page(TITLE), |actor| actor.page(TITLE, Area::Elsewhere)),
        title: TITLE,
        reasons: &[
            "it was used already: a link works once,",
            "it is older than seven days,",
            "it was taken back, or replaced by a newer one,",
            "the person who sent it may not invite any more, or",
            "the address was not copied as a whole.",
        ],
        advice: "Ask whoever invited you for a new link.",
    };
    Ok((StatusCode::NOT_FOUND, pages::html(&view)?).into_response())
}
