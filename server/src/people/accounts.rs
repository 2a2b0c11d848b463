//! What the instance's owner decides about accounts: who may sign in at all, who owns the instance, and a link for somebody who
//! forgot the password.

use crate::{
    app::App,
    auth::{Actor, link, password},
    problem::{Code, Problem},
    store::{people, resets, sessions},
};
use chrono::TimeDelta;
use towpath_engine::ids::PersonId;

/// How long a link for a new password works.
pub const RESET_LIFE: TimeDelta = TimeDelta::hours(1);

/// Keeps a person from signing in, or lets them in again. Disabling ends their sessions; what they built stays.
pub async fn set_disabled(app: &App, actor: &Actor, person: PersonId, disabled: bool) -> Result<(), Problem> {
    let mut transaction = app.pool.begin().await?;
    people::lock(&mut transaction, person).await?;
    if disabled && person == actor.person {
        return Err(Problem::new(Code::Conflict, "You can't disable your own account. Another owner of the instance can."));
    }
    people::set_disabled(&mut transaction, person, disabled.then(|| app.clock.now())).await?;
    if disabled {
        sessions::end_all(&mut *transaction, person).await?;
        resets::remove(&mut transaction, person).await?;
    }
    transaction.commit().await?;
    app.auth.revocations.ring();
    tracing::info!(by = %actor.person, %person, disabled, "an account was disabled or enabled");
    Ok(())
}

/// Makes a person an owner of the instance, or no longer.
pub async fn set_instance_owner(app: &App, actor: &Actor, person: PersonId, owner: bool) -> Result<(), Problem> {
    let mut transaction = app.pool.begin().await?;
    let account = people::lock(&mut transaction, person).await?;
    if !owner && account.other_instance_owners < 1 {
        return Err(Problem::new(Code::Conflict, "An instance has at least one owner. Make somebody else an owner first."));
    }
    people::set_instance_owner(&mut transaction, person, owner).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    tracing::info!(by = %actor.person, %person, owner, "an owner of the instance was made or unmade");
    Ok(())
}

/// Makes a link with which a person sets a new password: once, within the hour. An earlier link stops working.
pub async fn reset_link(app: &App, actor: &Actor, person: PersonId) -> Result<String, Problem> {
    let mut transaction = app.pool.begin().await?;
    let account = people::lock(&mut transaction, person).await?;
    if account.disabled {
        return Err(Problem::new(Code::Conflict, "This account is disabled. Enable it first."));
    }
    let (secret, now) = (link::make(), app.clock.now());
    resets::put(&mut *transaction, person, &link::hash(&secret), actor.person, now, now + RESET_LIFE).await?;
    transaction.commit().await?;
    tracing::info!(by = %actor.person, %person, "a link for a new password was made");
    Ok(format!("{}/reset/{secret}", app.auth.settings.origin(&actor.visit)))
}

/// Whose link this is, if it works.
pub async fn look(app: &App, secret: &str) -> Result<Option<resets::Found>, Problem> {
    Ok(resets::find(&app.pool, &link::hash(secret), app.clock.now()).await?)
}

/// Sets the new password and ends every session of the person. `false` when the link doesn't work (any more).
///
/// # Errors
/// `InvalidInput` at `password` when it is too weak.
pub async fn use_link(app: &App, secret: &str, new: String) -> Result<bool, Problem> {
    let Some(found) = look(app, secret).await? else { return Ok(false) };
    password::judge(&new, &found.email, &found.name).map_err(|mistake| Problem::invalid("password", mistake))?;
    let hash = app.auth.passwords.hash(new).await?;
    let mut transaction = app.pool.begin().await?;
    if !resets::take(&mut transaction, &link::hash(secret), app.clock.now()).await? {
        return Ok(false);
    }
    people::set_password(&mut transaction, found.person, &hash).await?;
    sessions::end_all(&mut *transaction, found.person).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    Ok(true)
}
