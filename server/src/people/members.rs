//! Changing what a member may do, and ending a membership. Rights that go, go at once: sessions end in the same commit, live streams
//! right after it.

use super::rules;
use crate::{
    app::App,
    auth::{Actor, permission::Role},
    problem::Problem,
    store::{members, sessions, tokens},
};
use towpath_engine::ids::PersonId;

/// Gives a member another role. Their sessions go on: a lower role counts at once, a higher one from the next page, under a new id.
pub async fn change_role(app: &App, actor: &Actor, person: PersonId, to: Role) -> Result<(), Problem> {
    let mut transaction = app.pool.begin().await?;
    let member = members::lock(&mut transaction, actor.workspace, person).await?;
    rules::change(actor.role, member.role, to, member.other_owners)?;
    members::put(&mut transaction, actor.workspace, person, to).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    tracing::info!(workspace = %actor.workspace, by = %actor.person, %person, role = to.name(), "a member's role was changed");
    Ok(())
}

/// Removes a member; their sessions in the workspace end.
pub async fn remove(app: &App, actor: &Actor, person: PersonId) -> Result<(), Problem> {
    let mut transaction = app.pool.begin().await?;
    let member = members::lock(&mut transaction, actor.workspace, person).await?;
    rules::remove(actor.role, member.role, member.other_owners)?;
    members::remove(&mut transaction, actor.workspace, person).await?;
    sessions::end_in(&mut *transaction, actor.workspace, person).await?;
    tokens::remove_all_in(&mut transaction, actor.workspace, person).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    tracing::info!(workspace = %actor.workspace, by = %actor.person, %person, "a member was removed");
    Ok(())
}

/// Leaves the workspace; one's sessions in it end.
pub async fn leave(app: &App, actor: &Actor) -> Result<(), Problem> {
    let mut transaction = app.pool.begin().await?;
    let member = members::lock(&mut transaction, actor.workspace, actor.person).await?;
    rules::leave(member.role, member.other_owners)?;
    members::remove(&mut transaction, actor.workspace, actor.person).await?;
    sessions::end_in(&mut *transaction, actor.workspace, actor.person).await?;
    tokens::remove_all_in(&mut transaction, actor.workspace, actor.person).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    tracing::info!(workspace = %actor.workspace, person = %actor.person, "a member left");
    Ok(())
}
