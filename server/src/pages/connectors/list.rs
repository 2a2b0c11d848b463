//! The catalogue: every connector with what it can do, by category.

use crate::{app::App, auth::Actor, pages, problem::Problem};
use axum::{extract::State, response::Response};
use std::collections::BTreeMap;
use towpath_connectors::{registry::Registry, sdk::connector::Connector};
use towpath_engine::catalogue::{Catalogue, Operation, Role};
use towpath_web::{
    connectors::list::{Card, Group, List},
    layout::Area,
};

/// `GET /connectors`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let mut groups: BTreeMap<String, Vec<Card>> = BTreeMap::new();
    for connector in app.registry.connectors() {
        let category = connector.categories.first().map_or("other", String::as_str);
        groups.entry(category.to_owned()).or_default().push(card(connector, &app.registry));
    }
    let count = groups.values().map(Vec::len).sum();
    let groups = groups.into_iter().map(|(title, cards)| Group { title: capital(&title), cards }).collect();
    pages::html(&List { page: actor.page("Connectors", Area::Elsewhere), groups, count })
}

fn card(connector: &Connector, registry: &Registry) -> Card {
    let operations: Vec<&Operation> = registry.operations().filter(|operation| operation.connector == connector.id).collect();
    let triggers = operations.iter().filter(|operation| operation.role == Role::Trigger).count();
    let counted = [(operations.len() - triggers, "action"), (triggers, "trigger")];
    let counts: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let words: Vec<String> = operations
        .iter()
        .flat_map(|operation| [operation.title.clone(), operation.sentence.clone(), operation.keywords.join(" ")])
        .chain([connector.name.clone(), connector.sentence.clone(), connector.categories.join(" ")])
        .collect();
    Card {
        id: connector.id.clone(),
        name: connector.name.clone(),
        icon: connector.icon.clone(),
        sentence: connector.sentence.clone(),
        counts: counts.join(", "),
        words: words.join(" "),
    }
}

/// With a capital at its beginning.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
