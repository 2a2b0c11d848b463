//! The page of API tokens: make one, see when each was last used, take one back.

use crate::{
    api::page::Window,
    app::App,
    auth::{Actor, scope::Scope},
    pages,
    people::{
        self,
        tokens::{self, Wanted},
    },
    problem::{Code, Problem},
    store,
};
use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::SecondsFormat;
use serde::Deserialize;
use towpath_web::{
    form::Errors,
    layout::Area,
    settings::{
        link::ShownLink,
        tokens::{LifeChoice, ScopeChoice, TokenRow, Tokens},
    },
};
use uuid::Uuid;

/// Tokens on one page.
const PAGE: u16 = 100;
/// How long a token may live, in days, and what the choice says.
const LIVES: [(&str, &str); 4] = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is taken back")];

#[derive(Deserialize)]
pub struct After {
    after: Option<Uuid>,
}

struct Shown {
    after: Option<Uuid>,
    link: Option<ShownLink>,
    name: String,
    scopes: Vec<Scope>,
    days: String,
    errors: Errors,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            after: None,
            link: None,
            name: String::new(),
            scopes: vec![Scope::Read],
            days: "90".into(),
            errors: Errors::default(),
        }
    }
}

/// `GET /settings/tokens`
pub async fn show(State(app): State<App>, actor: Actor, Query(After { after }): Query<After>) -> Result<Response, Problem> {
    page(&app, &actor, Shown { after, ..Shown::default() }).await
}

/// `POST /settings/tokens`: the page with the new token. It is shown here and never again.
pub async fn create(State(app): State<App>, actor: Actor, form: Bytes) -> Result<Response, Problem> {
    // A box that is ticked comes as one more `scope=`; the form extractor takes each name once.
    let mut typed = Shown { scopes: Vec::new(), days: String::new(), ..Shown::default() };
    for (name, value) in url::form_urlencoded::parse(&form) {
        match &*name {
            "name" => typed.name = value.into_owned(),
            "days" => typed.days = value.into_owned(),
            "scope" => typed.scopes.extend(Scope::of_name(&value)),
            _ => {}
        }
    }
    let days = if typed.days.is_empty() { None } else { Some(typed.days.parse().unwrap_or(0)) };
    match tokens::create(&app, &actor, Wanted { name: typed.name.clone(), scopes: typed.scopes.clone(), days }).await {
        Ok(made) => {
            let link = ShownLink {
                title: format!("The token “{}”", typed.name.trim()),
                url: made.token,
                note: "Keep it where you keep passwords: it is not shown again. Send it as \"Authorization: Bearer …\".".into(),
                warning: None,
            };
            page(&app, &actor, Shown { link: Some(link), ..Shown::default() }).await
        }
        Err(problem) if problem.code == Code::InvalidInput => {
            let field = match people::mistake(&problem).map(|it| it.field.as_str()) {
                Some("scopes") => "scopes",
                Some("days") => "days",
                _ => "name",
            };
            typed.errors.add(field, problem.detail);
            page(&app, &actor, typed).await
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /settings/tokens/{token}/revoke`
pub async fn revoke(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<Redirect, Problem> {
    tokens::revoke(&app, &actor, id).await?;
    Ok(Redirect::to("/settings/tokens?done=token-revoked"))
}

async fn page(app: &App, actor: &Actor, shown: Shown) -> Result<Response, Problem> {
    let now = app.clock.now();
    let window = Window::new(shown.after, Some(PAGE))?;
    let rows = store::tokens::list(&app.pool, actor.workspace, tokens::whose(actor), window.after, window.rows()).await?;
    let written = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let list = window.page(
        rows,
        |row| row.id.to_string(),
        |row| TokenRow {
            id: row.id.to_string(),
            yours: row.person == actor.person,
            owner: row.owner,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes.join(", "),
            used: row.used_at.map(written),
            until: row.expires_at.map(written),
            expired: row.expires_at.is_some_and(|until| until <= now),
        },
    );
    let status = if shown.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = Tokens {
        page: actor.page("API tokens", Area::Settings),
        tokens: list.items,
        link: shown.link,
        name: shown.name,
        scopes: Scope::ALL
            .map(|scope| ScopeChoice { name: scope.name(), words: scope.in_words(), chosen: shown.scopes.contains(&scope) })
            .into(),
        lives: LIVES.map(|(days, words)| LifeChoice { days, words, chosen: days == shown.days }).into(),
        errors: shown.errors,
        more: list.next,
    };
    Ok((status, pages::html(&view)?).into_response())
}
