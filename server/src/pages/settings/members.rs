//! The members page: who works here, who is invited, and what an admin does about it.

use crate::{
    api::page::Window,
    app::App,
    auth::{Actor, permission::Role, session::SessionId},
    pages::{self, account::with_cookie},
    people::{
        self, Mailed,
        invite::{self, Invited},
        rules,
    },
    problem::Problem,
    store::{invitations, members},
};
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::SecondsFormat;
use serde::Deserialize;
use towpath_engine::ids::PersonId;
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::{
        confirm::Confirm,
        link::ShownLink,
        members::{InvitationRow, MemberRow, Members, RoleChoice},
    },
};
use uuid::Uuid;

/// Members on one page.
const PAGE: u16 = 100;

#[derive(Deserialize)]
pub struct After {
    after: Option<PersonId>,
}

#[derive(Default, Deserialize)]
pub struct NewInvitation {
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
}

#[derive(Deserialize)]
pub struct NewRole {
    #[serde(default)]
    role: String,
}

/// What the page shows besides the lists.
#[derive(Default)]
struct Shown {
    after: Option<PersonId>,
    typed: NewInvitation,
    errors: Errors,
    link: Option<ShownLink>,
}

/// `GET /settings/members`
pub async fn show(State(app): State<App>, actor: Actor, Query(After { after }): Query<After>) -> Result<Response, Problem> {
    page(&app, &actor, Shown { after, ..Shown::default() }).await
}

/// `POST /settings/members/invite`: the page with the new link. It is shown here and never again.
pub async fn invite(State(app): State<App>, actor: Actor, Form(typed): Form<NewInvitation>) -> Result<Response, Problem> {
    let mut errors = Errors::default();
    let Some(role) = Role::of_name(&typed.role) else {
        errors.add("role", "Choose what the person may do.");
        return page(&app, &actor, Shown { typed, errors, ..Shown::default() }).await;
    };
    match invite::invite(&app, &actor, &typed.email, role).await {
        Ok(made) => page(&app, &actor, Shown { link: Some(shown(made)), ..Shown::default() }).await,
        Err(problem) if !problem.fields.is_empty() => {
            errors.add("email", people::mistake(&problem).map_or_else(|| problem.detail.to_string(), |it| it.message.clone()));
            page(&app, &actor, Shown { typed, errors, ..Shown::default() }).await
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /settings/invitations/{invitation}/renew`
pub async fn renew(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let made = invite::renew(&app, &actor, id).await?;
    page(&app, &actor, Shown { link: Some(shown(made)), ..Shown::default() }).await
}

/// `POST /settings/invitations/{invitation}/revoke`
pub async fn revoke(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<Redirect, Problem> {
    invite::revoke(&app, &actor, id).await?;
    Ok(Redirect::to("/settings/members?done=revoked"))
}

/// `POST /settings/members/{person}/role`
pub async fn change_role(
    State(app): State<App>,
    actor: Actor,
    Path(person): Path<PersonId>,
    Form(new): Form<NewRole>,
) -> Result<Redirect, Problem> {
    // Another workspace's person is not there, whatever else is wrong.
    there(&app, &actor, person).await?;
    let role = Role::of_name(&new.role).ok_or_else(|| Problem::invalid("role", "Choose one of the roles."))?;
    people::members::change_role(&app, &actor, person, role).await?;
    Ok(Redirect::to("/settings/members?done=role"))
}

/// `GET /settings/members/{person}/remove`
pub async fn ask_remove(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Response, Problem> {
    let member = there(&app, &actor, person).await?;
    pages::html(&Confirm {
        page: actor.page(format!("Remove {}", member.name), Area::Settings),
        question: format!("Remove {} from {}?", member.name, actor.workspace_name),
        consequences: vec![
            format!("{} is signed out of this workspace at once and can't come back without a new invitation.", member.name),
            "Workflows and connections that they made stay and go on working.".into(),
            "Their account stays, and so do their other workspaces.".into(),
        ],
        action: format!("/settings/members/{person}/remove"),
        verb: "Remove",
        back: "/settings/members",
        type_this: None,
        errors: Errors::default(),
    })
}

/// `POST /settings/members/{person}/remove`
pub async fn remove(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Response, Problem> {
    people::members::remove(&app, &actor, person).await?;
    if person == actor.person {
        return Ok(gone(&actor));
    }
    Ok(Redirect::to("/settings/members?done=removed").into_response())
}

/// `GET /settings/leave`
pub async fn ask_leave(actor: Actor) -> Result<Response, Problem> {
    pages::html(&Confirm {
        page: actor.page("Leave the workspace", Area::Settings),
        question: format!("Leave {}?", actor.workspace_name),
        consequences: vec![
            "You are signed out of this workspace at once. To come back you need a new invitation.".into(),
            "Workflows and connections that you made stay and go on working.".into(),
        ],
        action: "/settings/leave".into(),
        verb: "Leave",
        back: "/settings",
        type_this: None,
        errors: Errors::default(),
    })
}

/// `POST /settings/leave`
pub async fn leave(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    people::members::leave(&app, &actor).await?;
    Ok(gone(&actor))
}

/// The session went with the membership.
pub(super) fn gone(actor: &Actor) -> Response {
    with_cookie(Redirect::to("/sign-in").into_response(), &SessionId::gone(actor.visit.https))
}

async fn there(app: &App, actor: &Actor, person: PersonId) -> Result<members::Locked, Problem> {
    let mut transaction = app.pool.begin().await?;
    Ok(members::lock(&mut transaction, actor.workspace, person).await?)
}

fn shown(made: Invited) -> ShownLink {
    let (note, warning) = match made.link.mailed {
        Mailed::Sent => (format!("It was also mailed to {}.", made.email), None),
        Mailed::NotSetUp => ("This server can't send mail: give the link to the person yourself.".to_owned(), None),
        Mailed::Failed(why) => (
            "Give the link to the person yourself.".to_owned(),
            Some(format!("The mail to {} could not be sent. {why}", made.email)),
        ),
    };
    ShownLink {
        title: format!("The link for {}", made.email),
        url: made.link.url,
        note: format!(
            "{note} It works once, for seven days, and is not shown again. Whoever has it can join as {}.",
            made.role.name()
        ),
        warning,
    }
}

async fn page(app: &App, actor: &Actor, shown: Shown) -> Result<Response, Problem> {
    let now = app.clock.now();
    let window = Window::new(shown.after, Some(PAGE))?;
    let rows = members::list(&app.pool, actor.workspace, window.after, window.rows()).await?;
    let list = window.page(
        rows,
        |row| row.person.to_string(),
        |row| MemberRow {
            id: row.person.to_string(),
            you: row.person == actor.person,
            editable: rules::give(actor.role, row.role).is_ok(),
            name: row.name,
            email: row.email,
            role: row.role.name(),
            seen: row.seen_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            disabled: row.disabled,
        },
    );
    let invitations = invitations::open(&app.pool, actor.workspace, None, 200).await?.into_iter().map(|row| InvitationRow {
        id: row.id.to_string(),
        email: row.email,
        role: row.role,
        invited_by: row.invited_by,
        until: row.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        expired: row.expires_at <= now,
    });
    let roles = Role::ALL.into_iter().filter(|role| rules::give(actor.role, *role).is_ok());
    let status = if shown.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Members {
        page: actor.page("Members", Area::Settings),
        members: list.items,
        invitations: invitations.collect(),
        link: shown.link,
        roles: roles.map(|role| RoleChoice { name: role.name(), words: role.in_words() }).collect(),
        email: shown.typed.email,
        role: Some(shown.typed.role).filter(|role| !role.is_empty()).unwrap_or_else(|| Role::Viewer.name().to_owned()),
        errors: shown.errors,
        more: list.next,
    };
    Ok((status, pages::html(&view)?).into_response())
}
