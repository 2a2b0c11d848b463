//! One look, page by page. The items of a page are on disk before its cursor moves, each under its own key: a look that is cut short
//! anywhere is repeated from the old cursor, and what it had stored is known then. So nothing is lost and nothing starts twice.

use super::{arrange::every, pace::pause};
use crate::{
    app::App,
    dispatch::{For, TriggerKind},
    ingest::{
        decide::Standing,
        take::{Addressee, Arrival, NotNow, Taken, take},
    },
    journal::{EventKey, operation::text},
    live::Change,
    store::{
        self, event_keys,
        parked::{self, NewParked},
        polls::{self, Page, Polled},
    },
};
use chrono::{DateTime, Utc};
use futures_util::{FutureExt as _, future::join_all};
use serde::Serialize;
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use towpath_connectors::sdk::{
    Call, StepTrace,
    poll::{Cursor, Item, Polled as Answer},
};
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    event::{Event, Head},
    ids::{ConnectionId, PersonId, WorkflowId, WorkspaceId},
};
use uuid::Uuid;

/// How long one page may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many pages are fetched in one look; what is left comes with the next, which is at once.
const PAGES: usize = 20;
/// How many items become runs side by side.
const BATCH: usize = 100;
/// A known event that is seen again is remembered for longer, but not at every look.
const REMEMBER: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// What came of a look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Looked {
    /// The first look: what it found became samples and started nothing.
    pub first: bool,
    /// Items that were found.
    pub seen: usize,
    /// Those among them that started a run, or were kept in the inbox.
    #[serde(rename = "new")]
    pub fresh: usize,
    /// Those that were known.
    pub duplicate: usize,
    /// Why it failed, in a sentence, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Looks once, for a poll whose turn it is.
///
/// # Errors
/// When nothing can be stored at the moment. The cursor has not moved past anything that isn't on disk.
pub async fn look(app: &App, poll: &Polled) -> Result<Looked, NotNow> {
    let mut poll = poll.clone();
    let mut looked = Looked { first: poll.cursor.is_none(), ..Looked::default() };
    let own = app.registry.poll(&poll.operation).map_or(PATIENCE, |it| it.every());
    let every = every(&poll.input, own);
    for page in 0..PAGES {
        let asked = Asked {
            workspace: poll.workspace,
            workflow: poll.workflow,
            operation: &poll.operation,
            connection: poll.connection,
            person: None,
            input: &poll.input,
        };
        let answer = ask(app, &asked, poll.cursor.clone().map(Cursor)).await;
        let now = app.clock.now();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                fail(app, &poll, every, &error, now).await?;
                looked.error = Some(error.message);
                looked.hint = error.hint;
                break;
            }
        };
        let counted = if poll.cursor.is_none() {
            keep_samples(app, &poll, &answer.items, now).await?
        } else {
            start_new(app, &poll, &answer.items, now).await?
        };
        looked.seen += answer.items.len();
        looked.fresh += counted.fresh;
        looked.duplicate += counted.duplicate;
        // A look that leaves no cursor would be the first one again for ever.
        let cursor = answer.cursor.map(|cursor| cursor.0).or(poll.cursor.clone()).unwrap_or(Json::Null);
        let next_at = if answer.more { now } else { now + pause(every, 0, answer.wait, rand::random()) };
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let done = Page {
            cursor: Some(&cursor),
            next_at,
            now,
            first: page == 0,
            seen: count(answer.items.len()),
            fresh: count(counted.fresh),
            duplicate: count(counted.duplicate),
        };
        let moved = polls::advance(&app.pool, &poll, &done).await?;
        // Published with another source meanwhile, or looked at by somebody else: theirs counts.
        if !moved || !answer.more || answer.wait.is_some() {
            break;
        }
        poll.cursor = Some(cursor);
    }
    app.live.publish(Change::Event { workspace: poll.workspace, workflow: poll.workflow });
    Ok(looked)
}

/// Whom to ask, and for what.
pub struct Asked<'a> {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub operation: &'a str,
    pub connection: Option<ConnectionId>,
    /// Who tries it out: the connection must be shared with this person, too.
    pub person: Option<PersonId>,
    pub input: &'a Object,
}

/// One page from the service, within its time; a panic is an error like any other.
pub async fn ask(app: &App, asked: &Asked<'_>, cursor: Option<Cursor>) -> Result<Answer, StepError> {
    let Some(poll) = app.registry.poll(asked.operation) else {
        return Err(StepError::invalid_input(format!("This server doesn't know “{}” any more.", asked.operation))
            .hint("Update Towpath, or choose another trigger."));
    };
    let whom =
        For { workspace: asked.workspace, workflow: Some(asked.workflow), connection: asked.connection, person: asked.person };
    let began = app.clock.now();
    let connected = app.connections.connected(whom).await?;
    let (doors, trace) = ((app.doors)(whom), StepTrace::default());
    let call = Call {
        input: asked.input,
        key: Uuid::now_v7(),
        deadline: Instant::now() + PATIENCE,
        connection: connected.as_ref(),
        doors: &doors,
        trace: &trace,
    };
    let limited = tokio::time::timeout(PATIENCE, AssertUnwindSafe(poll.poll(call, cursor)).catch_unwind());
    let answer = match limited.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            Err(StepError::new(ErrorKind::Internal, "Towpath broke while looking. The details are in the server's log.")
                .hint("This is a defect of Towpath: please report it."))
        }
        Err(_) => Err(StepError::new(ErrorKind::Timeout, "The service did not answer within a minute.")),
    };
    let used = doors.http.used();
    app.connections.heard(whom, began, used.refused, answer.as_ref().map(drop)).await;
    answer.map_err(|mut error| {
        used.scrubber.error(&mut error);
        error
    })
}

#[derive(Default)]
struct Counted {
    fresh: usize,
    duplicate: usize,
}

/// The first look: what is there already starts nothing, and is something to build with.
async fn keep_samples(app: &App, poll: &Polled, items: &[Item], now: DateTime<Utc>) -> Result<Counted, store::Error> {
    let keys: Vec<EventKey> = items.iter().map(|item| EventKey::new(&poll.operation, &item.key)).collect();
    let mut transaction = app.pool.begin().await?;
    for (item, key) in items.iter().zip(&keys) {
        let bytes = event(item).to_bytes();
        parked::insert(&mut transaction, &sample_of((poll.workspace, poll.workflow), *key, &bytes, now)).await?;
    }
    event_keys::remember(&mut *transaction, poll.workflow, &keys, now).await?;
    transaction.commit().await?;
    Ok(Counted { fresh: 0, duplicate: 0 })
}

/// An item as a sample in the inbox.
pub fn sample_of(
    (workspace, workflow): (WorkspaceId, WorkflowId),
    key: EventKey,
    bytes: &[u8],
    now: DateTime<Utc>,
) -> NewParked<'_> {
    NewParked {
        workspace,
        workflow,
        kind: TriggerKind::Poll as i16,
        reason: parked::SAMPLE,
        delivery: None,
        event_key: Some(key),
        event: bytes,
        arrived_at: now,
    }
}

/// What expressions see of an item.
pub fn event(item: &Item) -> Event {
    let mut meta = Object::new();
    meta.insert("key".into(), item.key.clone().into());
    Event { head: Head { meta, parsed: Some(item.value.clone()), ..Head::default() }, body: Vec::new() }
}

/// Starts a run for each item that isn't known, oldest first.
async fn start_new(app: &App, poll: &Polled, items: &[Item], now: DateTime<Utc>) -> Result<Counted, NotNow> {
    let keys: Vec<EventKey> = items.iter().map(|item| EventKey::new(&poll.operation, &item.key)).collect();
    let known = event_keys::known(&app.pool, poll.workflow, &keys).await?;
    event_keys::touch(&app.pool, poll.workflow, &known, now, now - REMEMBER).await?;
    let mut counted = Counted { duplicate: keys.iter().filter(|key| known.contains(key)).count(), fresh: 0 };
    let new: Vec<_> = items.iter().zip(&keys).filter(|(_, key)| !known.contains(key)).collect();
    if new.is_empty() {
        return Ok(counted);
    }
    let version = u32::try_from(poll.version).unwrap_or_default();
    let standing = match app.engine.startable(poll.workflow, version).await? {
        Ok(()) => Standing::Published { version },
        Err(why) => Standing::NotStartable { version, why },
    };
    let to = Addressee { workspace: poll.workspace, workflow: poll.workflow, standing, endpoint: None };
    for batch in new.chunks(BATCH) {
        let arrivals = batch.iter().map(|(item, key)| take(app, &to, arrival(item, **key)));
        for taken in join_all(arrivals).await {
            match taken? {
                Taken::Started { duplicate: true, .. } | Taken::Parked { duplicate: true, .. } => counted.duplicate += 1,
                _ => counted.fresh += 1,
            }
        }
    }
    Ok(counted)
}

fn arrival(item: &Item, key: EventKey) -> Arrival {
    Arrival {
        kind: TriggerKind::Poll,
        event: event(item),
        verified: Ok(()),
        delivery: None,
        event_key: Some(key),
        wait: None,
        address: None,
        size: 0,
    }
}

async fn fail(app: &App, poll: &Polled, every: Duration, error: &StepError, now: DateTime<Utc>) -> Result<(), store::Error> {
    let failures = u32::try_from(poll.failures).unwrap_or_default().saturating_add(1);
    let next_at = now + pause(every, failures, error.retry_after, rand::random());
    tracing::info!(workflow = %poll.workflow, operation = poll.operation, failures, error = error.message, "a look failed");
    polls::fail(&app.pool, poll, now, next_at, &text(&error.message), error.hint.as_deref().map(text).as_deref()).await
}
