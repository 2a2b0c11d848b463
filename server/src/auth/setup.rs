//! The first start: a one-time token protects the page that makes the owner. The terminal prints the token; the database keeps its
//! hash. Once somebody exists there is no token and no page.

use super::{link, password, permission::Role, session, visit::Visit};
use crate::{
    app::App,
    people::languages,
    problem::{Code, Problem},
    store::{self, members, people, workspaces},
};
use axum::http::HeaderMap;
use sqlx::PgPool;
use subtle::ConstantTimeEq;
use towpath_engine::ids::{PersonId, WorkspaceId};

/// Who the owner will be. Checked by the page before it comes here.
pub struct Owner {
    pub name: String,
    /// Lower case.
    pub email: String,
    pub password: String,
    /// An IANA name.
    pub time_zone: String,
    /// How the first workspace writes dates and numbers (BCP 47).
    pub language: String,
}

/// What became of an attempt to set up.
pub enum Outcome {
    Done(session::SessionId),
    /// The token is not, or no longer, the one that was printed.
    WrongToken,
    /// Somebody was faster.
    AlreadyDone,
}

/// A fresh token when nobody can sign in yet, to be printed as `…/setup?token=…`. Tokens of earlier starts stop working.
pub async fn new_token(pool: &PgPool) -> Result<Option<String>, store::Error> {
    if people::any(pool).await? {
        return Ok(None);
    }
    let token = link::make();
    people::set_setup_token(pool, &link::hash(&token)).await?;
    Ok(Some(token))
}

/// Is this the token that was printed? It stays valid.
pub async fn token_matches(pool: &PgPool, token: &str) -> Result<bool, store::Error> {
    Ok(people::setup_token(pool).await?.is_some_and(|stored| matches(&stored, token)))
}

/// Makes owner, workspace and session in one transaction. Of two at once, one wins.
pub async fn complete(app: &App, visit: &Visit, headers: &HeaderMap, token: &str, owner: Owner) -> Result<Outcome, Problem> {
    // The hash first: it takes long, and the transaction below holds a lock. The token is checked before, so strangers cost nothing.
    if people::any(&app.pool).await? {
        return Ok(Outcome::AlreadyDone);
    }
    if !token_matches(&app.pool, token).await? {
        return Ok(Outcome::WrongToken);
    }
    let password_hash = app.auth.passwords.hash(owner.password).await?;
    let mut transaction = app.pool.begin().await?;
    let stored = people::take_setup_token(&mut transaction).await?;
    if people::any(&mut *transaction).await? {
        return Ok(Outcome::AlreadyDone);
    }
    if !stored.is_some_and(|stored| matches(&stored, token)) {
        return Ok(Outcome::WrongToken);
    }
    let (person, workspace) = (PersonId::new(), WorkspaceId::new());
    people::insert(
        &mut transaction,
        people::NewPerson {
            id: person,
            email: &owner.email,
            name: &owner.name,
            password_hash: &password_hash,
            instance_owner: true,
        },
    )
    .await?;
    workspaces::insert(&mut transaction, workspace, "Home", &owner.time_zone, &owner.language).await?;
    members::put(&mut transaction, workspace, person, Role::Owner).await?;
    let session = session::start(&mut transaction, app, visit, headers, person, workspace).await?;
    transaction.commit().await?;
    tracing::info!("the owner's account was made");
    Ok(Outcome::Done(session))
}

/// Adds a person from the command line, with a password of the server's making.
///
/// # Errors
/// `Conflict` when the address is taken, `NotFound` when there is no workspace yet.
pub async fn add_person(pool: &PgPool, email: &str, name: &str, role: Role, password: &str) -> Result<(), Problem> {
    let password_hash = password::hash_now(password)?;
    let mut transaction = pool.begin().await?;
    let person = PersonId::new();
    // Who sets an instance up without a browser becomes its owner.
    let (workspace, first) = match workspaces::first(&mut *transaction).await? {
        Some(workspace) => (workspace, false),
        None => {
            people::take_setup_token(&mut transaction).await?;
            let workspace = WorkspaceId::new();
            workspaces::insert(&mut transaction, workspace, "Home", "UTC", languages::DEFAULT).await?;
            (workspace, true)
        }
    };
    let new = people::NewPerson { id: person, email, name, password_hash: &password_hash, instance_owner: first };
    people::insert(&mut transaction, new).await.map_err(|error| match error {
        store::Error::Conflict(name) if name == "person_email" => {
            Problem::new(Code::Conflict, format!("There is somebody with the address {email} already."))
        }
        error => error.into(),
    })?;
    members::put(&mut transaction, workspace, person, if first { Role::Owner } else { role }).await?;
    transaction.commit().await?;
    Ok(())
}

fn matches(stored: &[u8], token: &str) -> bool {
    stored.ct_eq(&link::hash(token)).into()
}
