//! The one way in: whatever arrived, by whichever trigger, is started, parked or refused here.

use super::{
    decide::{Decision, Parking, Reason, Refusal, Standing, decide},
    target::Target,
};
use crate::{
    app::App,
    dispatch::{Accepted, Answered, Delivery, NewRun, Refused, TriggerKind},
    journal::EventKey,
    live::Change,
    store::{
        self,
        parked::{self, Kept, NewParked},
    },
};
use std::{net::IpAddr, time::Duration};
use towpath_engine::{
    event::Event,
    ids::{EndpointId, RunId, WorkflowId, WorkspaceId},
};
use uuid::Uuid;

/// Which workflow something arrived for.
#[derive(Clone, Debug)]
pub struct Addressee {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub standing: Standing,
    /// The trigger's address; a manual start has none.
    pub endpoint: Option<EndpointId>,
}

impl From<&Target> for Addressee {
    fn from(target: &Target) -> Self {
        Self {
            workspace: target.workspace,
            workflow: target.workflow,
            standing: target.standing.clone(),
            endpoint: Some(target.endpoint),
        }
    }
}

/// Something that arrived.
pub struct Arrival {
    pub kind: TriggerKind,
    pub event: Event,
    /// What verification said; of a refused arrival nothing but this, the address and the size is used.
    pub verified: Result<(), Refusal>,
    /// The sender's own id of this delivery.
    pub delivery: Option<String>,
    /// What makes the same event recognisable by whichever way it comes.
    pub event_key: Option<EventKey>,
    /// How long the caller waits for the run's answer; `None`: not at all.
    pub wait: Option<Duration>,
    pub address: Option<IpAddr>,
    pub size: usize,
}

/// What became of it. In all but the last case it is on disk.
#[derive(Debug)]
pub enum Taken {
    Started { run: RunId, duplicate: bool },
    Answered(Answered),
    Parked { id: Uuid, reason: Parking, duplicate: bool },
    Refused(Refusal),
}

/// Not now: nothing is on disk and the sender should come again.
#[derive(Debug, thiserror::Error)]
pub enum NotNow {
    #[error(transparent)]
    Engine(#[from] Refused),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Decides, and carries the decision out.
pub async fn take(app: &App, to: &Addressee, arrival: Arrival) -> Result<Taken, NotNow> {
    match decide(&to.standing, arrival.verified.clone()) {
        Decision::Refuse(refusal) => {
            app.ingest.refusals.note(to.workspace, to.workflow, &refusal, arrival.address, arrival.size);
            Ok(Taken::Refused(refusal))
        }
        Decision::Park(reason) => park(app, to, &arrival, reason).await,
        Decision::Start { version } => start(app, to, arrival, version).await,
    }
}

async fn start(app: &App, to: &Addressee, arrival: Arrival, version: u32) -> Result<Taken, NotNow> {
    let (kind, wait, address, size) = (arrival.kind, arrival.wait, arrival.address, arrival.size);
    let run = NewRun {
        workspace: to.workspace,
        workflow: to.workflow,
        version,
        kind: arrival.kind,
        event: arrival.event,
        delivery: to.endpoint.zip(arrival.delivery).map(|(endpoint, key)| Delivery { endpoint, key }),
        event_key: arrival.event_key,
        replay_of: None,
    };
    if let Some(within) = wait {
        return Ok(Taken::Answered(app.engine.accept_and_answer(run, within).await?));
    }
    match app.engine.accept(run).await? {
        Accepted::New(run) => Ok(Taken::Started { run, duplicate: false }),
        Accepted::Duplicate(run) => {
            // Whoever looks for news expects to see some of it again.
            if !matches!(kind, TriggerKind::Schedule | TriggerKind::Poll | TriggerKind::Failure) {
                let refusal = Refusal::new(Reason::Duplicate, format!("The same delivery came before and started run {run}."));
                app.ingest.refusals.note(to.workspace, to.workflow, &refusal, address, size);
            }
            Ok(Taken::Started { run, duplicate: true })
        }
    }
}

async fn park(app: &App, to: &Addressee, arrival: &Arrival, reason: Parking) -> Result<Taken, NotNow> {
    // A flood for an unpublished workflow must not take the connections that pages need.
    let _turn = app.ingest.parking.acquire().await;
    let mut transaction = app.pool.begin().await.map_err(store::Error::from)?;
    let kept = parked::insert(
        &mut transaction,
        &NewParked {
            workspace: to.workspace,
            workflow: to.workflow,
            kind: arrival.kind as i16,
            reason: reason.as_str(),
            delivery: arrival.delivery.as_deref(),
            event_key: arrival.event_key,
            event: &arrival.event.to_bytes(),
            arrived_at: app.clock.now(),
        },
    )
    .await?;
    transaction.commit().await.map_err(store::Error::from)?;
    let (id, duplicate) = match kept {
        Kept::New(id) => {
            app.live.publish(Change::Event { workspace: to.workspace, workflow: to.workflow });
            (id, false)
        }
        Kept::Duplicate(id) => (id, true),
    };
    Ok(Taken::Parked { id, reason, duplicate })
}
