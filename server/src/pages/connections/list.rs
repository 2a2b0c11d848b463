//! The list of connections.

use crate::{
    api::connections::used_by,
    app::App,
    auth::{Actor, permission::Action},
    connections::health::Health,
    pages,
    problem::Problem,
    store::connections::{self, Stored},
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::SecondsFormat;
use serde::Deserialize;
use towpath_engine::ids::ConnectionId;
use towpath_web::{
    connections::list::{List, Row, tone},
    layout::Area,
};

/// Rows of one page.
const PAGE: i64 = 100;

#[derive(Deserialize)]
pub struct Filter {
    after: Option<String>,
}

/// `GET /connections`
pub async fn show(State(app): State<App>, actor: Actor, Query(filter): Query<Filter>) -> Result<Response, Problem> {
    let mut listed = connections::list(&app.pool, actor.workspace, actor.person, None, filter.after.as_deref(), PAGE + 1).await?;
    let more = listed.len() > PAGE as usize;
    listed.truncate(PAGE as usize);
    let after = listed.last().filter(|_| more).map(|last| last.name.clone());
    let ids: Vec<ConnectionId> = listed.iter().map(|it| it.id).collect();
    let mut used = used_by(&app, &actor, &ids).await?;
    let rows = listed.into_iter().map(|it| {
        let used = used.remove(&it.id).unwrap_or_default().into_iter().map(|used| used.name).collect();
        row(&app, &actor, it, used)
    });
    let rows = rows.collect();
    pages::html(&List {
        page: actor.page("Connections", Area::Connections),
        rows,
        builds: actor.role.may(Action::EditConnections),
        after,
    })
}

fn row(app: &App, actor: &Actor, it: Stored, used_by: Vec<String>) -> Row {
    let connector = app.registry.connector(&it.connector);
    Row {
        id: it.id.to_string(),
        service: connector.map_or(it.connector.as_str(), |connector| connector.name.as_str()).to_owned(),
        icon: connector.map_or_else(|| "link".to_owned(), |connector| connector.icon.clone()),
        account: it.account_label,
        sharing: sharing(it.for_everybody, it.usable, it.owner == Some(actor.person)).to_owned(),
        owner: it.owner_name.unwrap_or_else(|| "Nobody any more".to_owned()),
        used_by,
        health: Health::from_name(&it.health).words(),
        tone: tone(&it.health),
        checked_at: it.checked_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        name: it.name,
    }
}

fn sharing(for_everybody: bool, usable: bool, own: bool) -> &'static str {
    match (for_everybody, usable, own) {
        (true, _, _) => "Everybody",
        (false, true, true) => "You, and whom you chose",
        (false, true, false) => "You and others",
        (false, false, _) => "Others",
    }
}
