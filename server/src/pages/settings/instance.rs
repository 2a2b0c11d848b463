//! The instance's page: accounts and workspaces, for whoever owns the instance.

use crate::{
    api::page::Window,
    app::App,
    auth::Actor,
    pages,
    people::{self, accounts},
    problem::Problem,
    store::{members, people as accounts_table, workspaces},
};
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_engine::ids::{PersonId, WorkspaceId};
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::{
        confirm::Confirm,
        instance::{Instance, PersonRow, WorkspaceRow},
        link::ShownLink,
    },
};

/// People, and workspaces, on one page.
const PAGE: u16 = 100;

#[derive(Default, Deserialize)]
pub struct After {
    people: Option<PersonId>,
    workspaces: Option<WorkspaceId>,
}

#[derive(Deserialize)]
pub struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Default)]
struct Shown {
    after: After,
    link: Option<ShownLink>,
    name: String,
    errors: Errors,
}

/// `GET /settings/instance`
pub async fn show(State(app): State<App>, actor: Actor, Query(after): Query<After>) -> Result<Response, Problem> {
    page(&app, &actor, Shown { after, ..Shown::default() }).await
}

/// `GET /settings/instance/people/{person}/disable`
pub async fn ask_disable(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Response, Problem> {
    let mut transaction = app.pool.begin().await?;
    let account = accounts_table::lock(&mut transaction, person).await?;
    let alone = members::owned_alone(&mut *transaction, person).await?;
    let mut consequences = vec![
        format!("{} is signed out everywhere at once and can't sign in until somebody enables the account again.", account.name),
        "What they built stays and goes on working.".to_owned(),
    ];
    if !alone.is_empty() {
        consequences.push(format!("Nobody else owns {}: make another owner there first, if you can.", alone.join(", ")));
    }
    pages::html(&Confirm {
        page: actor.page(format!("Disable {}", account.name), Area::Settings),
        question: format!("Disable the account of {}?", account.name),
        consequences,
        action: format!("/settings/instance/people/{person}/disable"),
        verb: "Disable",
        back: "/settings/instance",
        type_this: None,
        errors: Errors::default(),
    })
}

/// `POST /settings/instance/people/{person}/disable`
pub async fn disable(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Redirect, Problem> {
    accounts::set_disabled(&app, &actor, person, true).await?;
    Ok(Redirect::to("/settings/instance?done=disabled"))
}

/// `POST /settings/instance/people/{person}/enable`
pub async fn enable(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Redirect, Problem> {
    accounts::set_disabled(&app, &actor, person, false).await?;
    Ok(Redirect::to("/settings/instance?done=enabled"))
}

/// `POST /settings/instance/people/{person}/owner`
pub async fn make_owner(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Redirect, Problem> {
    accounts::set_instance_owner(&app, &actor, person, true).await?;
    Ok(Redirect::to("/settings/instance?done=saved"))
}

/// `POST /settings/instance/people/{person}/no-owner`
pub async fn unmake_owner(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Redirect, Problem> {
    accounts::set_instance_owner(&app, &actor, person, false).await?;
    // Who gives their own up can't see this page any more.
    Ok(Redirect::to(if person == actor.person { "/settings?done=saved" } else { "/settings/instance?done=saved" }))
}

/// `POST /settings/instance/people/{person}/reset`: the page with the new link. It is shown here and never again.
pub async fn reset(State(app): State<App>, actor: Actor, Path(person): Path<PersonId>) -> Result<Response, Problem> {
    let url = accounts::reset_link(&app, &actor, person).await?;
    let link = ShownLink {
        title: "The link for a new password".into(),
        url,
        note: "Give it to the person yourself. It works once, for one hour, and is not shown again.".into(),
        warning: None,
    };
    page(&app, &actor, Shown { link: Some(link), ..Shown::default() }).await
}

/// `POST /settings/instance/workspaces`
pub async fn create(State(app): State<App>, actor: Actor, Form(named): Form<Named>) -> Result<Response, Problem> {
    match people::workspaces::create(&app, &actor, &named.name).await {
        Ok(_) => Ok(Redirect::to("/settings/instance?done=workspace-made").into_response()),
        Err(problem) if !problem.fields.is_empty() => {
            let mut errors = Errors::default();
            errors.add("name", problem.detail);
            page(&app, &actor, Shown { name: named.name, errors, ..Shown::default() }).await
        }
        Err(problem) => Err(problem),
    }
}

async fn page(app: &App, actor: &Actor, shown: Shown) -> Result<Response, Problem> {
    let window = Window::new(shown.after.people, Some(PAGE))?;
    let rows = accounts_table::list(&app.pool, window.after, window.rows()).await?;
    let people = window.page(
        rows,
        |row| row.id.to_string(),
        |row| PersonRow {
            you: row.id == actor.person,
            id: row.id.to_string(),
            name: row.name,
            email: row.email,
            workspaces: row.workspaces,
            owner: row.instance_owner,
            disabled: row.disabled_at.is_some(),
        },
    );
    let window = Window::new(shown.after.workspaces, Some(PAGE))?;
    let rows = workspaces::list(&app.pool, window.after, window.rows()).await?;
    let places = window.page(
        rows,
        |row| row.id.to_string(),
        |row| WorkspaceRow {
            id: row.id.to_string(),
            name: row.name,
            owners: row.owners,
            figures: format!("{}, {}", count(row.members, "member"), count(row.workflows, "workflow")),
        },
    );
    let status = if shown.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Instance {
        page: actor.page("This instance", Area::Settings),
        people: people.items,
        workspaces: places.items,
        link: shown.link,
        name: shown.name,
        errors: shown.errors,
        more_people: people.next,
        more_workspaces: places.next,
    };
    Ok((status, pages::html(&view)?).into_response())
}

/// "1 member", "3 members".
pub(super) fn count(number: i64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
