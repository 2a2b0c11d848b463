//! Connections in files: an export names them by their names, which mean something elsewhere; ids don't, and secrets are never there.

use super::bind::{each_connection, named};
use crate::{auth::Actor, problem::Problem, store::connections};
use sqlx::PgPool;
use std::collections::HashMap;
use towpath_engine::{ids::ConnectionId, workflow::Workflow};

/// The most connections that an import looks among.
const MOST: i64 = 10_000;

/// The document as a file has it: names in the place of ids. The id of a connection that is gone stays.
pub async fn by_name(pool: &PgPool, actor: &Actor, mut workflow: Workflow) -> Result<Workflow, Problem> {
    let mut names = HashMap::new();
    for id in named(&workflow) {
        match connections::find(pool, actor.workspace, actor.person, id).await {
            Ok(found) => names.insert(id.to_string(), found.name),
            Err(crate::store::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
    }
    each_connection(&mut workflow, &mut |connection| {
        if let Some(name) = connection.as_ref().and_then(|id| names.get(id)) {
            *connection = Some(name.clone());
        }
    });
    Ok(workflow)
}

/// The document of a file with ids in the place of names. A name that nobody has here is taken out, and comes back in the list: the
/// step then asks for a connection.
pub async fn by_id(pool: &PgPool, actor: &Actor, mut workflow: Workflow) -> Result<(Workflow, Vec<String>), Problem> {
    let listed = connections::list(pool, actor.workspace, actor.person, None, None, MOST).await?;
    let ids: HashMap<String, ConnectionId> = listed.iter().map(|it| (it.name.to_lowercase(), it.id)).collect();
    let mut missing = Vec::new();
    each_connection(&mut workflow, &mut |connection| {
        let Some(name) = connection.take() else { return };
        let found = ids.get(&name.to_lowercase()).copied();
        let found = found.or_else(|| listed.iter().map(|it| it.id).find(|id| name.parse() == Ok(*id)));
        match found {
            Some(id) => *connection = Some(id.to_string()),
            None if missing.contains(&name) => {}
            None => missing.push(name),
        }
    });
    Ok((workflow, missing))
}
