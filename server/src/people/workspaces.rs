//! Making and giving up workspaces. A workspace that was given up is out of reach at once; its runs are cancelled, and when the last
//! has ended everything it held is erased.

use super::checked_name;
use crate::{
    app::App,
    auth::{Actor, permission::Role},
    live::Change,
    problem::Problem,
    store::{self, members, workspaces},
};
use std::time::Duration;
use towpath_engine::ids::WorkspaceId;

/// How often what was given up is looked at again: runs that would not end yet, or a process that stopped in between.
const LOOK_AGAIN: Duration = Duration::from_secs(5 * 60);
/// Runs that are cancelled before the list is read again.
const AT_ONCE: i64 = 200;

/// Makes a workspace with the actor as its owner; zone and language are those of the workspace that the actor is in.
pub async fn create(app: &App, actor: &Actor, name: &str) -> Result<WorkspaceId, Problem> {
    let name = checked_name("name", name)?;
    let here = workspaces::settings(&app.pool, actor.workspace).await?;
    let id = WorkspaceId::new();
    let mut transaction = app.pool.begin().await?;
    workspaces::insert(&mut transaction, id, &name, &here.time_zone, &here.language).await?;
    members::put(&mut transaction, id, actor.person, Role::Owner).await?;
    transaction.commit().await?;
    tracing::info!(workspace = %id, by = %actor.person, "a workspace was made");
    Ok(id)
}

/// Gives a workspace up, when its name was typed as it is.
///
/// # Errors
/// `Conflict` at `name` when another name was typed.
pub async fn delete(app: &App, actor: &Actor, id: WorkspaceId, typed: &str) -> Result<(), Problem> {
    let mut transaction = app.pool.begin().await?;
    let name = workspaces::lock_name(&mut transaction, id).await?;
    if typed.trim() != name.trim() {
        return Err(Problem::clash("name", format!("To delete the workspace, type its name: {name}")));
    }
    let workflows = workspaces::delete(&mut transaction, id, app.clock.now()).await?;
    transaction.commit().await?;
    app.auth.revocations.ring();
    for workflow in workflows {
        app.live.publish(Change::Workflow { workspace: id, workflow });
    }
    tracing::info!(workspace = %id, by = %actor.person, "a workspace was given up");
    let app = app.clone();
    tokio::spawn(async move { wind_up(&app, id).await });
    Ok(())
}

/// Sees to what was given up, until the server goes away.
pub async fn keep_house(app: App) {
    loop {
        match workspaces::given_up(&app.pool).await {
            Ok(given_up) => {
                for id in given_up {
                    wind_up(&app, id).await;
                }
            }
            Err(error) => tracing::warn!(%error, "the workspaces that were given up could not be listed"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = app.shutdown.begun() => return,
        }
    }
}

/// Cancels what runs and erases what is left; what doesn't go now goes at the next look.
pub async fn wind_up(app: &App, id: WorkspaceId) {
    if let Err(error) = cancel_and_erase(app, id).await {
        tracing::warn!(%error, workspace = %id, "a workspace that was given up could not be erased yet");
    }
}

async fn cancel_and_erase(app: &App, id: WorkspaceId) -> Result<(), store::Error> {
    loop {
        let runs = workspaces::live_runs(&app.pool, id, AT_ONCE).await?;
        if runs.is_empty() {
            break;
        }
        let mut cancelled = 0;
        for run in &runs {
            match app.engine.cancel(id, *run, "the deletion of the workspace").await {
                Ok(_) => cancelled += 1,
                Err(error) => tracing::warn!(%error, %run, "a run of a given-up workspace could not be cancelled yet"),
            }
        }
        // A step that must not be cut goes on: the next look finds it ended.
        if cancelled == 0 || workspaces::live_runs(&app.pool, id, AT_ONCE).await? == runs {
            return Ok(());
        }
    }
    let mut transaction = app.pool.begin().await?;
    if workspaces::erase(&mut transaction, id).await? {
        transaction.commit().await?;
        tracing::info!(workspace = %id, "a workspace that was given up was erased");
    }
    Ok(())
}
