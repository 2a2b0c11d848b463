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
        sharing: sharing(it.for_everybody, it.usable, it.owner == Some(actor.person), it.shared_with),
        owner: it.owner_name.unwrap_or_else(|| "Nobody any more".to_owned()),
        used_by,
        health: Health::from_name(&it.health).words(),
        tone: tone(&it.health),
        checked_at: it.checked_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        name: it.name,
    }
}

/// Who may use it, in the words of its own page.
fn sharing(for_everybody: bool, usable: bool, own: bool, shared_with: i64) -> String {
    let others = |count: i64| if count == 1 { "1 other".to_owned() } else { format!("{count} others") };
    match (own, usable, shared_with) {
        _ if for_everybody => "Everybody".to_owned(),
        (true, _, 0) => "Only you".to_owned(),
        (true, _, count) => format!("You and {}", others(count)),
        (false, _, 0) => "Only its owner".to_owned(),
        (false, true, 1) => "Its owner and you".to_owned(),
        (false, true, count) => format!("Its owner, you and {}", others(count - 1)),
        (false, false, count) => format!("Its owner and {}", others(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_says_who_may_use_a_connection_and_counts_right() {
        for ((everybody, usable, own, shared_with), said) in [
            ((true, true, true, 0), "Everybody"),
            ((true, true, false, 3), "Everybody"),
            ((false, true, true, 0), "Only you"),
            ((false, true, true, 1), "You and 1 other"),
            ((false, true, true, 2), "You and 2 others"),
            ((false, false, false, 0), "Only its owner"),
            ((false, true, false, 1), "Its owner and you"),
            ((false, true, false, 2), "Its owner, you and 1 other"),
            ((false, false, false, 1), "Its owner and 1 other"),
        ] {
            assert_eq!(sharing(everybody, usable, own, shared_with), said);
        }
    }
}
