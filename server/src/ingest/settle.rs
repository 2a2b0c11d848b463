//! Brings what starts a workflow by itself in line with its state and its published version: the row of its
//! schedule, of its poll, of its listener, of its watch over failures.

use super::{failure, poll, schedule};
use crate::{
    app::App,
    store::{
        self,
        failure_watches::{self, Watch},
        listeners::{self, Listener},
        polls, schedules, versions, workflows,
    },
};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use towpath_connectors::{registry::Registry, sdk::receive::Address};
use towpath_engine::{
    catalogue::Catalogue as _,
    ids::{WorkflowId, WorkspaceId},
    workflow::Trigger,
};

/// Call it in the transaction that publishes, pauses, resumes or deletes a workflow, after the change.
pub async fn settle(
    connection: &mut PgConnection,
    registry: &Registry,
    now: DateTime<Utc>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
) -> Result<(), store::Error> {
    let found = match workflows::find(&mut *connection, workspace, workflow).await {
        Ok(found) => found,
        Err(store::Error::NotFound) => {
            schedules::remove(connection, workspace, workflow).await?;
            listeners::remove(connection, workspace, workflow).await?;
            failure_watches::remove(connection, workspace, workflow).await?;
            return polls::remove(connection, workspace, workflow).await;
        }
        Err(error) => return Err(error),
    };
    let running = found.state == "published";
    let trigger = match found.published_version.filter(|_| running || found.state == "paused") {
        Some(version) => trigger_of(connection, workspace, workflow, version).await?.map(|trigger| (version, trigger)),
        None => None,
    };
    let place = (workspace, workflow);
    let wanted = match &trigger {
        Some((version, trigger)) if trigger.operation == "schedule" => {
            let before = schedules::find(&mut *connection, workspace, workflow).await?;
            schedule::arrange(place, *version, &trigger.input, running, before, now)
        }
        _ => None,
    };
    match wanted {
        Some(wanted) => schedules::put(connection, &wanted).await?,
        None => schedules::remove(connection, workspace, workflow).await?,
    }
    match trigger.as_ref().and_then(|(version, trigger)| listener(registry, place, *version, trigger, running)) {
        Some(wanted) => listeners::put(connection, &wanted).await?,
        None => listeners::remove(connection, workspace, workflow).await?,
    }
    match &trigger {
        Some((version, trigger)) if trigger.operation == failure::OPERATION => {
            let before = failure_watches::find(&mut *connection, workspace, workflow).await?;
            // Whoever was listening goes on where it was.
            let (since, told_until) = before.filter(|it| it.running).map_or((now, now), |it| (it.since, it.told_until));
            let watch = Watch { workspace, workflow, version: *version, running, since, told_until };
            failure_watches::put(connection, &watch).await?;
        }
        _ => failure_watches::remove(connection, workspace, workflow).await?,
    }
    let wanted = match &trigger {
        Some((version, trigger)) if registry.poll(&trigger.operation).is_some() => {
            let before = polls::find(&mut *connection, workspace, workflow).await?;
            Some(poll::arrange(place, *version, trigger, running, before, now))
        }
        _ => None,
    };
    match wanted {
        Some(wanted) => polls::put(connection, &wanted).await,
        None => polls::remove(connection, workspace, workflow).await,
    }
}

/// The row of a workflow whose service sends its news to one address for all.
fn listener(
    registry: &Registry,
    (workspace, workflow): (WorkspaceId, WorkflowId),
    version: i32,
    trigger: &Trigger,
    running: bool,
) -> Option<Listener> {
    registry.receive(&trigger.operation).filter(|it| it.address() == Address::App)?;
    Some(Listener {
        workspace,
        workflow,
        version,
        connector: registry.operation(&trigger.operation)?.connector.clone(),
        operation: trigger.operation.clone(),
        connection: trigger.connection.as_deref()?.parse().ok()?,
        input: trigger.input.clone(),
        running,
    })
}

async fn trigger_of(
    connection: &mut PgConnection,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: i32,
) -> Result<Option<Trigger>, store::Error> {
    let document = versions::document(connection, workspace, workflow, version).await?;
    Ok(document.get("trigger").and_then(|trigger| serde_json::from_value(trigger.clone()).ok()))
}

/// At start: rows that don't fit their workflows, because of a restore or another build, are brought in line.
pub async fn mend_schedules(app: &App) {
    mend(app, schedules::stale(&app.pool, chrono_tz::IANA_TZDB_VERSION).await).await;
}

/// As [`mend_schedules`], for polls.
pub async fn mend_polls(app: &App) {
    mend(app, polls::stale(&app.pool).await).await;
}

async fn mend(app: &App, stale: Result<Vec<(WorkspaceId, WorkflowId)>, store::Error>) {
    let stale = stale.unwrap_or_else(|error| {
        tracing::warn!(?error, "what starts workflows by itself could not be checked");
        Vec::new()
    });
    for (workspace, workflow) in stale {
        if let Err(error) = mend_one(app, workspace, workflow).await {
            tracing::warn!(?error, %workflow, "what starts this workflow could not be brought in line");
        }
    }
}

async fn mend_one(app: &App, workspace: WorkspaceId, workflow: WorkflowId) -> Result<(), store::Error> {
    let mut transaction = app.pool.begin().await?;
    settle(&mut transaction, &app.registry, app.clock.now(), workspace, workflow).await?;
    transaction.commit().await?;
    Ok(())
}
