//! Sign-in by password. Whoever fails learns nothing about who exists here: same text, same status, same work.

use super::{local_path, with_cookie};
use crate::{
    app::App,
    auth::{Actor, session, visit::Visit},
    pages,
    problem::{Code, Problem},
    store::{members, people, sessions},
};
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use towpath_web::account::sign_in::{NoCookie, SignIn};

#[derive(Deserialize)]
pub struct Link {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

const REFUSED: &str = "The e-mail address or the password is not right.";

/// `GET /sign-in`
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    actor: Option<Actor>,
    Query(link): Query<Link>,
) -> Result<Response, Problem> {
    if actor.is_some() {
        return Ok(Redirect::to(local_path(&link.next)).into_response());
    }
    if !people::any(&app.pool).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    form(&visit, String::new(), &link.next, None, StatusCode::OK)
}

/// `POST /sign-in`
pub async fn submit(
    State(app): State<App>,
    visit: Visit,
    before: Option<Actor>,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Result<Response, Problem> {
    let email = input.email.trim().to_lowercase();
    if let Err(wait) = app.auth.throttle.begin(&email, visit.address, app.clock.now()) {
        let seconds = wait.num_seconds().max(0) + 1;
        let said = format!("That were many tries. Wait {} and try again.", in_words(seconds));
        let mut response = form(&visit, input.email, &input.next, Some(said), StatusCode::TOO_MANY_REQUESTS)?;
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    let found = people::credentials(&app.pool, &email).await?;
    let (person, hash) = found.map_or((None, None), |found| (Some(found.person), Some(found.password_hash)));
    let right = app.auth.passwords.verify(input.password, hash).await?;
    let Some(person) = person.filter(|_| right) else {
        tracing::info!(address = %visit.address, "a sign-in was refused");
        return form(&visit, input.email, &input.next, Some(REFUSED.into()), StatusCode::UNAUTHORIZED);
    };
    app.auth.throttle.succeeded(&email, visit.address);
    let Some(workspace) = members::first_workspace(&app.pool, person).await? else {
        return Err(Problem::new(
            Code::Forbidden,
            "Your account belongs to no workspace. Ask whoever runs this server to add you to one.",
        ));
    };
    let mut transaction = app.pool.begin().await?;
    // A browser has one session: the one it came with ends.
    if let Some(before) = before {
        sessions::end(&mut *transaction, before.person, &before.session).await?;
    }
    let session = session::start(&mut transaction, &app, &visit, &headers, person, workspace).await?;
    transaction.commit().await?;
    let next = utf8_percent_encode(local_path(&input.next), NON_ALPHANUMERIC);
    Ok(with_cookie(Redirect::to(&format!("/sign-in/arrived?next={next}")).into_response(), &session.cookie(visit.https)))
}

/// `GET /sign-in/arrived`: did the cookie come back? Without this step a browser that refuses it would be asked to sign in for ever.
pub async fn arrived(visit: Visit, actor: Option<Actor>, Query(link): Query<Link>) -> Result<Response, Problem> {
    if actor.is_some() {
        return Ok(Redirect::to(local_path(&link.next)).into_response());
    }
    let view = NoCookie {
        page: visit.page("Not signed in"),
        next: local_path(&link.next).to_owned(),
        https: visit.https,
        address: visit.authority.clone(),
    };
    pages::html(&view)
}

fn form(visit: &Visit, email: String, next: &str, refused: Option<String>, status: StatusCode) -> Result<Response, Problem> {
    let view = SignIn { page: visit.page("Sign in"), email, next: local_path(next).to_owned(), refused };
    Ok((status, pages::html(&view)?).into_response())
}

fn in_words(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".into(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}
