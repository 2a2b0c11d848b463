//! Taking an invitation up. A link is looked at by its secret's hash and by what its maker may do now; everything that is wrong with
//! it has one answer, so that nobody learns which links there were.

use super::{checked_name, rules};
use crate::{
    app::App,
    auth::{
        Actor, link, password,
        session::{self, SessionId},
        visit::Visit,
    },
    problem::{Code, Problem},
    store::{
        self,
        invitations::{self, Found},
        members, people, sessions,
    },
};
use axum::http::HeaderMap;
use chrono::TimeDelta;
use sqlx::PgConnection;
use towpath_engine::ids::PersonId;

/// What became of an attempt to join.
pub enum Outcome {
    Joined(SessionId),
    /// The link doesn't work (any more).
    Void,
    /// The password of the account is not this one.
    WrongPassword,
    /// Too many tries; wait this long.
    Wait(TimeDelta),
}

/// The invitation of a link, if it works.
pub async fn look(app: &App, secret: &str) -> Result<Option<Found>, Problem> {
    let found = invitations::find(&app.pool, &link::hash(secret), app.clock.now()).await?;
    Ok(found.filter(still_stands))
}

/// A link is good for what its maker may do when it is taken up, not for what they could do when they made it.
fn still_stands(found: &Found) -> bool {
    found.inviter_role.is_some_and(|by| rules::give(by, found.role).is_ok())
}

/// Joins as somebody new, with an account of the invitation's address.
///
/// # Errors
/// `InvalidInput` at `name` or `password`; `Conflict` when the address has an account by now.
pub async fn as_somebody_new(
    app: &App,
    visit: &Visit,
    headers: &HeaderMap,
    secret: &str,
    name: &str,
    password: String,
) -> Result<Outcome, Problem> {
    let Some(found) = look(app, secret).await? else { return Ok(Outcome::Void) };
    let name = checked_name("name", name)?;
    password::judge(&password, &found.email, &name).map_err(|mistake| Problem::invalid("password", mistake))?;
    // The hash first: it takes long, and the transaction below holds locks.
    let password_hash = app.auth.passwords.hash(password).await?;
    let person = PersonId::new();
    let mut transaction = app.pool.begin().await?;
    let new =
        people::NewPerson { id: person, email: &found.email, name: &name, password_hash: &password_hash, instance_owner: false };
    people::insert(&mut transaction, new).await.map_err(|error| match error {
        store::Error::Conflict(name) if name == "person_email" => {
            Problem::new(Code::Conflict, "There is an account with this address by now. Open the link again and sign in.")
        }
        error => error.into(),
    })?;
    if !take(&mut transaction, app, secret, person).await? {
        return Ok(Outcome::Void);
    }
    let session = session::start(&mut transaction, app, visit, headers, person, found.workspace).await?;
    transaction.commit().await?;
    tracing::info!(workspace = %found.workspace, "a new person joined by an invitation");
    Ok(Outcome::Joined(session))
}

/// Joins with the account that the address has, by its password: signing in and joining are one step. The browser's session, if it
/// has one, ends.
pub async fn by_password(
    app: &App,
    visit: &Visit,
    headers: &HeaderMap,
    before: Option<&Actor>,
    secret: &str,
    password: String,
) -> Result<Outcome, Problem> {
    let Some(found) = look(app, secret).await? else { return Ok(Outcome::Void) };
    if let Err(wait) = app.auth.throttle.begin(&found.email, visit.address, app.clock.now()) {
        return Ok(Outcome::Wait(wait));
    }
    let known = people::credentials(&app.pool, &found.email).await?;
    let (person, hash) = known.map_or((None, None), |known| (Some(known.person), Some(known.password_hash)));
    let right = app.auth.passwords.verify(password, hash).await?;
    let Some(person) = person.filter(|_| right) else { return Ok(Outcome::WrongPassword) };
    app.auth.throttle.succeeded(&found.email, visit.address);
    let mut transaction = app.pool.begin().await?;
    if !take(&mut transaction, app, secret, person).await? {
        return Ok(Outcome::Void);
    }
    if let Some(before) = before {
        sessions::end(&mut *transaction, before.person, &before.session).await?;
    }
    let session = session::start(&mut transaction, app, visit, headers, person, found.workspace).await?;
    transaction.commit().await?;
    Ok(Outcome::Joined(session))
}

/// Joins as the person who is signed in, when the invitation is theirs.
pub async fn as_oneself(app: &App, actor: &Actor, secret: &str) -> Result<Outcome, Problem> {
    let Some(found) = look(app, secret).await?.filter(|found| found.email == actor.email) else { return Ok(Outcome::Void) };
    let mut transaction = app.pool.begin().await?;
    if !take(&mut transaction, app, secret, actor.person).await? {
        return Ok(Outcome::Void);
    }
    transaction.commit().await?;
    Ok(match session::switch(app, actor, found.workspace).await? {
        Some(session) => Outcome::Joined(session),
        None => Outcome::Void,
    })
}

/// Uses the invitation up, once, and only if it still stands now that others are kept out.
async fn take(connection: &mut PgConnection, app: &App, secret: &str, person: PersonId) -> Result<bool, Problem> {
    let now = app.clock.now();
    let Some(found) = invitations::find(&mut *connection, &link::hash(secret), now).await?.filter(still_stands) else {
        return Ok(false);
    };
    if !invitations::take(&mut *connection, found.id, person, now).await? {
        return Ok(false);
    }
    members::join(connection, found.workspace, person, found.role).await?;
    Ok(true)
}
