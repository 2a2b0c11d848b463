//! Fires what is due. The run of a slot is stored with the slot as its event's key, and the slot moves on after that: killed in
//! between, the next process fires it again and is told that it was. Costs what is due, and one look at an index per wake.

use crate::{
    app::App,
    dispatch::TriggerKind,
    ingest::{
        alarm::{self, Alarm},
        decide::Standing,
        settle,
        take::{Addressee, Arrival, NotNow, Taken, take},
    },
    journal::EventKey,
    metrics::figures,
    store::{
        self,
        schedules::{self, DueSlot, Move},
    },
};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;
use tokio::sync::Notify;
use towpath_engine::{
    event::{Event, Head},
    schedule::Schedule,
};

/// How many schedules are fired side by side.
const BATCH: i64 = 500;
/// How long to wait when nothing could be stored.
const AGAIN: Duration = Duration::from_secs(2);

/// Fires slots until the server goes away.
pub async fn run(app: App) {
    settle::mend_schedules(&app).await;
    let (mut changes, nothing) = (app.live.subscribe_workflows(), Notify::new());
    loop {
        let alarm = match fire_due(&app).await {
            Ok(()) => schedules::next(&app.pool).await.map(Alarm::At),
            Err(Trouble::NotNow(error)) => {
                tracing::warn!(%error, "due schedules could not be fired; they will be");
                Ok(Alarm::After(AGAIN))
            }
            Err(Trouble::Store(error)) => Err(error),
        };
        let alarm = alarm.unwrap_or_else(|error| {
            tracing::warn!(?error, "due schedules could not be read");
            Alarm::After(AGAIN)
        });
        if !alarm::wait(&app, &mut changes, &nothing, alarm).await {
            return;
        }
    }
}

/// Why what is due stays due.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    NotNow(#[from] NotNow),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Starts everything whose time has come by the application's clock.
///
/// # Errors
/// When nothing can be stored at the moment. What was not fired is still due.
pub async fn fire_due(app: &App) -> Result<(), Trouble> {
    loop {
        let now = app.clock.now();
        let due = schedules::due(&app.pool, now, BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let fired = join_all(due.iter().map(|slot| fire(app, slot, now))).await;
        let (mut moves, mut trouble) = (Vec::with_capacity(fired.len()), None);
        for fired in fired {
            match fired {
                Ok(moved) => moves.push(moved),
                Err(error) => trouble = Some(error),
            }
        }
        schedules::advance(&app.pool, &moves).await?;
        if let Some(error) = trouble {
            return Err(error.into());
        }
    }
}

/// Starts what one schedule asks for, and says where it goes on.
async fn fire(app: &App, due: &DueSlot, now: DateTime<Utc>) -> Result<Move, NotNow> {
    let moved = |to, fired| Move { workspace: due.workspace, workflow: due.workflow, from: due.next_at, to, fired };
    let schedule = match Schedule::read(&due.input) {
        Ok(schedule) => schedule,
        Err(wrong) => {
            let why = wrong.first().map(|it| it.message.as_str()).unwrap_or_default();
            tracing::error!(workflow = %due.workflow, why, "a schedule can't be read any more; publish the workflow again");
            return Ok(moved(None, None));
        }
    };
    let asked = schedule.due(due.next_at, now);
    let version = u32::try_from(due.version).unwrap_or_default();
    let standing = match app.engine.startable(due.workflow, version).await? {
        Ok(()) => Standing::Published { version },
        Err(why) => Standing::NotStartable { version, why },
    };
    let to = Addressee { workspace: due.workspace, workflow: due.workflow, standing, endpoint: None };
    for slot in &asked.slots {
        figures().schedule_late(now - *slot);
        take(app, &to, arrival(&schedule, *slot, now)).await.inspect(|taken| {
            if let Taken::Started { duplicate: true, run } = taken {
                tracing::info!(workflow = %due.workflow, %run, "this slot was fired before a restart");
            }
        })?;
    }
    Ok(moved(asked.next, asked.slots.last().copied()))
}

fn arrival(schedule: &Schedule, slot: DateTime<Utc>, now: DateTime<Utc>) -> Arrival {
    let stamp = slot.to_rfc3339_opts(SecondsFormat::Secs, true);
    let local = slot.with_timezone(&schedule.zone());
    let body = json!({
        "scheduled_for": stamp,
        "fired_at": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "late_seconds": (now - slot).num_seconds().max(0),
        "local": {
            "date": local.format("%Y-%m-%d").to_string(),
            "time": local.format("%H:%M").to_string(),
            "weekday": local.format("%A").to_string(),
            "zone": schedule.zone().name(),
        },
    });
    Arrival {
        kind: TriggerKind::Schedule,
        event: Event { head: Head { parsed: Some(body), ..Head::default() }, body: Vec::new() },
        verified: Ok(()),
        delivery: None,
        event_key: Some(EventKey::new("schedule", &stamp)),
        wait: None,
        address: None,
        size: 0,
    }
}
