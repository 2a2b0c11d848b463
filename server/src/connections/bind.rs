//! Which connections a workflow is given, decided when its document is saved: by going through the whole typed document, never by
//! looking at one field of what was sent.
//!
//! A step that works through a connection which isn't shared with the person who edits can be moved and removed, and not changed:
//! what a connection does is decided by people who have it.

use crate::{
    auth::Actor,
    problem::{Code, Problem},
    store::bindings,
};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use std::collections::{BTreeMap, HashSet};
use towpath_connectors::registry::Registry;
use towpath_engine::{
    Object,
    edit::Operation,
    ids::{ConnectionId, WorkflowId},
    validate::{self, Known},
    workflow::{Step, StepId, Workflow},
};

/// One place of a document that names a connection.
struct Use<'a> {
    step: &'a StepId,
    operation: &'a str,
    input: &'a Object,
    connection: &'a str,
}

fn uses(workflow: &Workflow) -> Vec<Use<'_>> {
    let trigger = workflow.trigger.as_ref().and_then(|trigger| {
        let connection = trigger.connection.as_deref()?;
        Some(Use { step: &trigger.id, operation: &trigger.operation, input: &trigger.input, connection })
    });
    let step = |step: &'_ Step| step.connection.is_some();
    let steps = workflow.placed().map(|placed| placed.step).filter(|it| step(it)).filter_map(|step| {
        let connection = step.connection.as_deref()?;
        Some(Use { step: &step.id, operation: &step.operation, input: &step.input, connection })
    });
    trigger.into_iter().chain(steps).collect()
}

/// The ids of the connections that a document names. What is no id is left to validation.
pub fn named(workflow: &Workflow) -> Vec<ConnectionId> {
    let ids: HashSet<ConnectionId> = uses(workflow).iter().filter_map(|it| it.connection.parse().ok()).collect();
    ids.into_iter().collect()
}

/// Does the document name this connection?
pub fn names(workflow: &Workflow, id: ConnectionId) -> bool {
    uses(workflow).iter().any(|it| it.connection.parse() == Ok(id))
}

/// The uses in `new` that `old` doesn't have word for word: another connection, another operation, another input, another step.
fn changed<'a>(old: &Workflow, new: &'a Workflow) -> Vec<(&'a StepId, ConnectionId)> {
    let before = uses(old);
    let same = |one: &Use<'_>, other: &Use<'_>| {
        one.step == other.step
            && one.connection == other.connection
            && one.operation == other.operation
            && one.input == other.input
    };
    uses(new)
        .into_iter()
        .filter(|it| !before.iter().any(|other| same(it, other)))
        .filter_map(|it| Some((it.step, it.connection.parse().ok()?)))
        .collect()
}

/// What somebody chose outright, though it may have been chosen before: they vouch for it from now on.
fn chosen(operations: &[Operation]) -> Vec<ConnectionId> {
    let connection = |operation: &Operation| match operation {
        Operation::SetConnection { connection, .. } => connection.as_deref()?.parse().ok(),
        _ => None,
    };
    operations.iter().filter_map(connection).collect()
}

/// Gives a workflow the connections that the person who saves it put into it.
///
/// # Errors
/// `forbidden` with a sentence, when one of them isn't shared with that person.
pub async fn save(
    connection: &mut PgConnection,
    actor: &Actor,
    workflow: WorkflowId,
    (old, new): (&Workflow, &Workflow),
    operations: &[Operation],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let changed = changed(old, new);
    let mut ids: Vec<ConnectionId> = changed.iter().map(|(_, id)| *id).collect();
    ids.extend(chosen(operations));
    if ids.is_empty() {
        return Ok(());
    }
    let known = bindings::known(&mut *connection, actor.workspace, workflow, actor.person, &ids).await?;
    for (step, id) in changed {
        if let Some(known) = known.iter().find(|known| known.id == id && !known.usable) {
            return Err(Problem::new(
                Code::Forbidden,
                format!(
                    "The step “{step}” works through the connection “{}”, which isn't shared with you. You can move or remove the step; \
                     to change it, ask the connection's owner to share it, or choose another one first.",
                    known.name
                ),
            ));
        }
    }
    let given: Vec<ConnectionId> = known.iter().filter(|known| known.usable).map(|known| known.id).collect();
    Ok(bindings::put(connection, actor.workspace, workflow, &given, actor.person, now).await?)
}

/// The person vouches for every connection of a document that she may use: before it is published, and when it is new.
pub async fn vouch(
    connection: &mut PgConnection,
    actor: &Actor,
    workflow: WorkflowId,
    document: &Workflow,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let known = bindings::known(&mut *connection, actor.workspace, workflow, actor.person, &named(document)).await?;
    let given: Vec<ConnectionId> = known.iter().filter(|known| known.usable).map(|known| known.id).collect();
    Ok(bindings::put(connection, actor.workspace, workflow, &given, actor.person, now).await?)
}

/// Takes out of a copy the connections that aren't shared with the person who copies: the copy asks for its own.
pub async fn without_others(
    executor: impl PgExecutor<'_>,
    actor: &Actor,
    workflow: WorkflowId,
    mut document: Workflow,
) -> Result<Workflow, Problem> {
    let ids = named(&document);
    if ids.is_empty() {
        return Ok(document);
    }
    let known = bindings::known(executor, actor.workspace, workflow, actor.person, &ids).await?;
    let mine: HashSet<String> = known.iter().filter(|known| known.usable).map(|known| known.id.to_string()).collect();
    each_connection(&mut document, &mut |connection| {
        if connection.as_ref().is_some_and(|id| !mine.contains(id)) {
            *connection = None;
        }
    });
    Ok(document)
}

/// Visits every place of a document that may name a connection.
pub fn each_connection(workflow: &mut Workflow, visit: &mut impl FnMut(&mut Option<String>)) {
    fn steps(lane: &mut [Step], visit: &mut impl FnMut(&mut Option<String>)) {
        for step in lane {
            visit(&mut step.connection);
            step.inner_mut().for_each(|lane| steps(lane, visit));
        }
    }
    if let Some(trigger) = &mut workflow.trigger {
        visit(&mut trigger.connection);
    }
    steps(&mut workflow.steps, visit);
}

/// The connections of a document, as validation asks for them on behalf of one person.
pub struct View<'a> {
    registry: &'a Registry,
    known: BTreeMap<String, Known>,
}

impl<'a> View<'a> {
    pub async fn of(
        executor: impl PgExecutor<'_>,
        actor: &Actor,
        registry: &'a Registry,
        workflow: WorkflowId,
        document: &Workflow,
    ) -> Result<Self, Problem> {
        let ids = named(document);
        let found = match ids.is_empty() {
            true => Vec::new(),
            false => bindings::known(executor, actor.workspace, workflow, actor.person, &ids).await?,
        };
        let known = found.into_iter().map(|it| {
            let refused = (!it.usable && !it.vouched).then(|| {
                format!("The connection “{}” isn't shared with whoever put it here. Choose another, or ask its owner.", it.name)
            });
            let ailing = super::health::Health::from_name(&it.health).warning(&it.name);
            (it.id.to_string(), Known { name: it.name, connector: Some(it.connector), refused, ailing })
        });
        Ok(Self { registry, known: known.collect() })
    }
}

impl validate::Connections for View<'_> {
    fn known(&self, id: &str) -> Option<Known> {
        self.known.get(id).cloned()
    }

    fn service(&self, connector: &str) -> String {
        self.registry.connector(connector).map_or_else(|| connector.to_owned(), |connector| connector.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use towpath_engine::Json;

    const ID: &str = "01900000-0000-7000-8000-000000000001";
    const OTHER: &str = "01900000-0000-7000-8000-000000000002";

    fn workflow(steps: Json) -> Workflow {
        serde_json::from_value(json!({ "towpath": 1, "name": "x", "trigger": { "use": "webhook" }, "steps": steps })).unwrap()
    }

    fn call(id: &str, url: &str, connection: &str) -> Json {
        json!({ "id": id, "use": "http.request", "connection": connection, "input": { "url": url } })
    }

    fn changes(old: &Workflow, new: &Workflow) -> Vec<String> {
        changed(old, new).into_iter().map(|(step, _)| step.0.clone()).collect()
    }

    #[test]
    fn a_connection_is_found_wherever_the_document_nests_it() {
        let inner = json!([{ "id": "b", "use": "branch", "cases": [{ "if": { "all": [] }, "steps": [
            { "id": "c", "use": "branch", "cases": [], "otherwise": { "steps": [call("deep", "u", ID)] } }] }] }]);
        let mut flow = workflow(inner);
        assert_eq!(named(&flow), [ID.parse().unwrap()]);
        each_connection(&mut flow, &mut |connection| *connection = None);
        assert!(named(&flow).is_empty());
        flow.trigger.as_mut().unwrap().connection = Some(OTHER.into());
        assert!(names(&flow, OTHER.parse().unwrap()) && !names(&flow, ID.parse().unwrap()));
    }

    #[test]
    fn only_uses_that_are_the_same_word_for_word_count_as_kept() {
        let old = workflow(json!([call("a", "https://x.example", ID), { "id": "s", "use": "set" }]));
        let table = [
            (json!([{ "id": "s", "use": "set" }, call("a", "https://x.example", ID)]), vec![]),
            (json!([]), vec![]),
            (json!([call("a", "https://evil.example", ID)]), vec!["a"]),
            (json!([call("a", "https://x.example", OTHER)]), vec!["a"]),
            (json!([call("a", "https://x.example", ID), call("b", "https://x.example", ID)]), vec!["b"]),
            (json!([{ "id": "a", "use": "email.send", "connection": ID, "input": { "url": "https://x.example" } }]), vec!["a"]),
        ];
        for (steps, expected) in table {
            assert_eq!(changes(&old, &workflow(steps.clone())), expected, "{steps}");
        }
    }
}
