//! A run failed: the workflows of its workspace that start when that happens get an event, each failure once. Whoever hears of failures
//! causes none itself: the failures of such workflows are told to nobody here.

use crate::{
    app::App,
    dispatch::TriggerKind,
    ingest::{
        decide::Standing,
        take::{Addressee, Arrival, NotNow, take},
    },
    journal::EventKey,
    live::{Change, Heard},
    store::{
        self,
        failure_watches::{self, Failure},
    },
};
use serde_json::json;
use std::time::Duration;
use towpath_engine::event::{Event, Head};

/// The trigger's operation.
pub const OPERATION: &str = "run_failed";
/// Failures that are told of in one look.
const BATCH: i64 = 200;
/// A burst of failures is one look.
const GATHER: Duration = Duration::from_millis(300);
/// And at least this often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Why what is to be told stays to be told.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    NotNow(#[from] NotNow),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Tells of failures until the server goes away.
pub async fn run(app: App) {
    let mut watcher = app.live.subscribe();
    loop {
        if let Err(error) = tell(&app).await {
            tracing::warn!(%error, "workflows could not be told of failed runs; they will be");
        }
        let news = async {
            loop {
                match watcher.next().await {
                    None => return false,
                    Some(Heard::Missed | Heard::Change(Change::Run { .. } | Change::Workflow { .. })) => return true,
                    Some(Heard::Change(_)) => {}
                }
            }
        };
        tokio::select! {
            () = app.shutdown.begun() => return,
            heard = tokio::time::timeout(LOOK_AGAIN, news) => match heard {
                Ok(false) => return,
                Ok(true) => tokio::time::sleep(GATHER).await,
                Err(_) => {}
            },
        }
    }
}

/// Tells everything that was not told.
///
/// # Errors
/// When nothing can be stored at the moment. What was not told is still to be told.
pub async fn tell(app: &App) -> Result<(), Trouble> {
    let prefix = [OPERATION.as_bytes(), &[0]].concat();
    loop {
        let due = failure_watches::due(&app.pool, &prefix, BATCH).await?;
        for failure in &due {
            let version = u32::try_from(failure.watch.version).unwrap_or_default();
            let standing = match app.engine.startable(failure.watch.workflow, version).await.map_err(NotNow::from)? {
                Ok(()) => Standing::Published { version },
                Err(why) => Standing::NotStartable { version, why },
            };
            let to = Addressee { workspace: failure.watch.workspace, workflow: failure.watch.workflow, standing, endpoint: None };
            take(app, &to, arrival(app, failure)).await?;
            failure_watches::advance(&app.pool, &failure.watch, failure.ended_at).await?;
        }
        if i64::try_from(due.len()).unwrap_or(i64::MAX) < BATCH {
            return Ok(());
        }
    }
}

fn arrival(app: &App, failure: &Failure) -> Arrival {
    let base = app.config.server.public_url.as_ref().map(|url| url.as_str().to_owned()).unwrap_or_default();
    let body = json!({
        "workflow": { "id": failure.failed_workflow, "name": failure.failed_name, "version": failure.failed_version },
        "run": {
            "id": failure.run,
            "url": format!("{}/runs/{}", base.trim_end_matches('/'), failure.run),
            "started_at": failure.started_at.to_rfc3339(),
            "ended_at": failure.ended_at.to_rfc3339(),
        },
        "error": { "message": failure.reason, "step": failure.step, "kind": failure.kind },
    });
    Arrival {
        kind: TriggerKind::Failure,
        event: Event { head: Head { parsed: Some(body), ..Head::default() }, body: Vec::new() },
        verified: Ok(()),
        delivery: None,
        event_key: Some(EventKey::new(OPERATION, &failure.run.to_string())),
        wait: None,
        address: None,
        size: 0,
    }
}
