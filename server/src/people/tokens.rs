//! Making and taking back API tokens. A token belongs to a person in a workspace; it is shown once.

use super::checked_name;
use crate::{
    app::App,
    auth::{Actor, link, permission::Action, scope::Scope, token},
    problem::{Code, Problem},
    store::tokens::{self, NewToken},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use towpath_engine::ids::{PersonId, WorkspaceId};
use uuid::Uuid;

/// What a new token is to be.
pub struct Wanted {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Days until it stops working; none for one that works until it is taken back.
    pub days: Option<u16>,
}

/// A new token: the text is in no other answer.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: Uuid,
    pub token: String,
    pub expires_at: Option<DateTime<Utc>>,
}

/// The longest life that can be named, in days.
pub const LONGEST: u16 = 3_650;

/// Makes a token for the actor.
pub async fn create(app: &App, actor: &Actor, wanted: Wanted) -> Result<Made, Problem> {
    if let Some(used) = &actor.token
        && let Some(more) = wanted.scopes.iter().find(|scope| !used.scopes.contains(scope))
    {
        return Err(Problem::new(
            Code::Forbidden,
            format!("A token makes no token with more than its own scopes: it has no \"{}\".", more.name()),
        ));
    }
    add(&app.pool, actor.workspace, actor.person, wanted, app.clock.now()).await
}

/// Makes a token for a person, whoever asks: for the command line.
///
/// # Errors
/// `InvalidInput` at `name`, `scopes` or `days`.
pub async fn add(
    pool: &PgPool,
    workspace: WorkspaceId,
    person: PersonId,
    wanted: Wanted,
    now: DateTime<Utc>,
) -> Result<Made, Problem> {
    let name = checked_name("name", &wanted.name)?;
    let mut scopes = wanted.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Problem::invalid("scopes", "Choose what the token is for."));
    }
    if wanted.days.is_some_and(|days| !(1..=LONGEST).contains(&days)) {
        return Err(Problem::invalid("days", "A token works for 1 to 3,650 days, or until it is taken back."));
    }
    let (text, prefix) = token::make();
    let id = Uuid::now_v7();
    let expires_at = wanted.days.map(|days| now + TimeDelta::days(i64::from(days)));
    let names: Vec<String> = scopes.into_iter().map(|scope| scope.name().to_owned()).collect();
    let new = NewToken {
        id,
        workspace,
        person,
        name: &name,
        prefix: &prefix,
        token_hash: &link::hash(&text),
        scopes: &names,
        now,
        expires_at,
    };
    tokens::insert(pool, new).await?;
    tracing::info!(%workspace, %person, token = prefix, "an API token was made");
    Ok(Made { id, token: text, expires_at })
}

/// Takes a token back: one's own, or anybody's for who manages people.
pub async fn revoke(app: &App, actor: &Actor, id: Uuid) -> Result<(), Problem> {
    tokens::remove(&app.pool, actor.workspace, whose(actor), id).await?;
    app.auth.revocations.ring();
    Ok(())
}

/// Whose tokens the actor sees: their own, or everybody's.
pub fn whose(actor: &Actor) -> Option<PersonId> {
    if actor.may(Action::ManagePeople) { None } else { Some(actor.person) }
}
