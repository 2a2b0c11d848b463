//! Parked events, started after all. Each is on disk as a run before it leaves the inbox; cut in the middle, a second replay
//! starts none of them twice.

use crate::{
    app::App,
    dispatch::{Delivery, NewRun, Refused, TriggerKind},
    live::Change,
    store::{
        self,
        endpoints::{self, Kind},
        parked::{self, Parked},
    },
};
use serde::Serialize;
use std::collections::HashSet;
use towpath_engine::{
    event::Event,
    ids::{WorkflowId, WorkspaceId},
};
use uuid::Uuid;

/// How many are read at a time.
const PAGE: i64 = 20;

/// What a replay did.
#[derive(Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Replayed {
    /// Became runs.
    pub started: usize,
    /// Could not be read any more, and stay in the inbox.
    pub unreadable: usize,
    /// The server could take no more at the moment; the rest stays in the inbox.
    pub cut: bool,
}

/// Starts the chosen events of a published workflow's inbox, oldest first; `None`: all that are there now.
pub async fn replay(
    app: &App,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: u32,
    chosen: Option<&HashSet<Uuid>>,
) -> Result<Replayed, store::Error> {
    let mut replayed = Replayed::default();
    let mut after = Uuid::nil();
    let last = parked::newest(&app.pool, workspace, workflow, 1).await?.first().map(|it| it.id);
    let Some(last) = last else { return Ok(replayed) };
    'pages: loop {
        let page = parked::oldest_after(&app.pool, workspace, workflow, after, PAGE).await?;
        let Some(end) = page.last().map(|it| it.id) else { break };
        // What arrives meanwhile is not part of it.
        // Samples start only when somebody picks them.
        let wanted = |it: &Parked| chosen.map_or(it.reason != parked::SAMPLE, |chosen| chosen.contains(&it.id));
        for event in page.into_iter().filter(|it| it.id <= last && wanted(it)) {
            let id = event.id;
            match start(app, workspace, workflow, version, event).await? {
                Some(Ok(())) => {
                    parked::delete(&app.pool, workspace, workflow, id).await?;
                    replayed.started += 1;
                }
                Some(Err(refused)) => {
                    tracing::warn!(%workflow, %refused, "a replay was cut");
                    replayed.cut = true;
                    break 'pages;
                }
                None => replayed.unreadable += 1,
            }
        }
        if end >= last {
            break;
        }
        after = end;
    }
    app.live.publish(Change::Event { workspace, workflow });
    Ok(replayed)
}

async fn start(
    app: &App,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: u32,
    parked: Parked,
) -> Result<Option<Result<(), Refused>>, store::Error> {
    let Ok(event) = Event::from_bytes(&parked.event) else { return Ok(None) };
    let kind = TriggerKind::from_code(parked.kind);
    let of = match kind {
        TriggerKind::Form => Some(Kind::Form),
        TriggerKind::Webhook => Some(Kind::Webhook),
        TriggerKind::Manual
        | TriggerKind::Replay
        | TriggerKind::Schedule
        | TriggerKind::Poll
        | TriggerKind::Failure
        | TriggerKind::Call => None,
    };
    let event_key = parked.event_key();
    // With the sender's own key a delivery that comes again is known; without one, the inbox's own id makes a repeat of this very
    // replay harmless.
    let key = parked.delivery.and_then(|key| String::from_utf8(key).ok()).unwrap_or_else(|| format!("parked:{}", parked.id));
    let delivery = match of {
        Some(of) => match endpoints::current(&app.pool, workspace, workflow, of).await {
            Ok(endpoint) => Some(Delivery { endpoint: endpoint.id, key }),
            Err(store::Error::NotFound) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let run = NewRun { workspace, workflow, version, kind, event, delivery, event_key, replay_of: None };
    Ok(Some(app.engine.accept(run).await.map(|_| ())))
}
