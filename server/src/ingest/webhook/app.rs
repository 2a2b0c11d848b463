//! Deliveries of services that know one address for a whole installation, `/hooks/app/{connector}`. Each workflow that listens verifies the
//! delivery by the secrets of its own connection, and hears only of that connection's account; nobody else's secret opens its door.

use super::{
    address_of, answer,
    service::{Delivery, greeting, inbound, refusal, refused, take_all, told},
};
use crate::{
    app::App,
    dispatch::For,
    ingest::{
        body,
        decide::{Reason, Refusal, Standing},
        take::{Addressee, NotNow},
    },
    live::{Live, Watcher},
    problem::Problem,
    store::{
        self,
        listeners::{self, Listener},
    },
    vault::Secret,
};
use axum::{
    extract::{Path, Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use towpath_connectors::sdk::receive::{HookSecrets, NewEvent, NotReceived, Received};
use towpath_engine::ids::ConnectionId;

/// How long who listens is known without asking again.
const KNOWN: Duration = Duration::from_secs(30);
/// The most workflows that one connector's address can serve.
const MOST: i64 = 2_000;
/// The largest delivery, in bytes: each connection reads it once, before anybody has proven anything.
const LARGEST: usize = 1 << 20;
/// In how many workflows' lists a delivery that nobody could verify is noted.
const NOTED: usize = 20;

/// Who listens to a connector, as of a moment.
type Remembered = (Instant, Arc<Vec<Ready>>);

/// Who listens, by connector.
pub struct Listeners {
    known: Mutex<HashMap<String, Remembered>>,
    changes: Mutex<Watcher>,
}

/// A listener with what verifies its deliveries.
struct Ready {
    listener: Listener,
    account: Option<String>,
    secrets: Arc<Vec<(String, Secret)>>,
}

impl Listeners {
    pub fn new(live: &Live) -> Self {
        Self { known: Mutex::default(), changes: Mutex::new(live.subscribe_workflows()) }
    }

    async fn of(&self, app: &App, connector: &str) -> Result<Arc<Vec<Ready>>, store::Error> {
        {
            let (mut known, mut changes) = (self.known.lock(), self.changes.lock());
            while changes.try_next().is_some() {
                known.clear();
            }
            if let Some((since, ready)) = known.get(connector)
                && since.elapsed() < KNOWN
            {
                return Ok(Arc::clone(ready));
            }
        }
        let found = listeners::of_connector(&app.pool, connector, MOST).await?;
        let mut opened: HashMap<ConnectionId, Arc<Vec<(String, Secret)>>> = HashMap::new();
        let mut ready = Vec::with_capacity(found.len());
        for (listener, account) in found {
            let Some(receive) = app.registry.receive(&listener.operation) else { continue };
            let whom = For {
                workflow: Some(listener.workflow),
                connection: Some(listener.connection),
                ..For::workspace(listener.workspace)
            };
            // Each workflow must have been given the connection itself.
            let secrets = match app.connections.verifying(whom, &receive.secrets()).await {
                Ok(secrets) => Arc::clone(opened.entry(listener.connection).or_insert_with(|| Arc::new(secrets))),
                Err(error) => {
                    tracing::warn!(workflow = %listener.workflow, error = error.message, "it can't verify what its service sends");
                    Arc::default()
                }
            };
            ready.push(Ready { listener, account, secrets });
        }
        let ready = Arc::new(ready);
        self.known.lock().insert(connector.to_owned(), (Instant::now(), Arc::clone(&ready)));
        Ok(ready)
    }
}

/// `/hooks/app/{connector}`, any method.
pub async fn receive(State(app): State<App>, Path(connector): Path<String>, request: Request) -> Response {
    if app.registry.connector(&connector).is_none() {
        return answer::nowhere();
    }
    let listeners = match app.ingest.listeners.of(&app, &connector).await {
        Ok(listeners) if listeners.is_empty() => return answer::nowhere(),
        Ok(listeners) => listeners,
        Err(error) => return Problem::from(error).into_response(),
    };
    let (parts, body) = request.into_parts();
    if matches!(parts.method, Method::HEAD | Method::OPTIONS) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let body = match body::read(&parts.headers, body, app.ingest.max_body.min(LARGEST)).await {
        Ok(body) => body,
        Err(refusal) => return refused(&refusal),
    };
    let (mut verified, mut taken, mut wrong) = (false, Vec::new(), None);
    // What one workflow's connection could not verify, another workflow's use of it can't either.
    let mut strangers: HashSet<ConnectionId> = HashSet::new();
    for ready in listeners.iter() {
        if strangers.contains(&ready.listener.connection) {
            continue;
        }
        let Some(receive) = app.registry.receive(&ready.listener.operation) else { continue };
        let secrets =
            HookSecrets(ready.secrets.iter().map(|(name, it)| (name.clone(), it.expose().to_vec())).collect::<BTreeMap<_, _>>());
        let events = match receive.receive(&inbound(&app, &parts, &body), &ready.listener.input, &secrets) {
            Ok(Received::Handshake { status, content_type, body }) => return greeting(status, &content_type, body),
            // Not what this one is for; for others it may be.
            Ok(Received::Ignored(_)) => {
                verified = true;
                continue;
            }
            Ok(Received::Events(events)) => events,
            Err(why) => {
                strangers.insert(ready.listener.connection);
                let unreadable = matches!(why, NotReceived::Unreadable(_));
                wrong = Some(why);
                // Nobody else can read it.
                if unreadable {
                    break;
                }
                continue;
            }
        };
        verified = true;
        let delivery = Delivery { operation: &ready.listener.operation, parts: &parts, body: &body, address: address_of(&parts) };
        match hand_over(&app, ready, delivery, events).await {
            Ok(more) => taken.extend(more),
            // The service sends it again; what was taken is known then.
            Err(error) => return Problem::from(error).into_response(),
        }
    }
    match wrong.filter(|_| !verified) {
        Some(why) => {
            let refusal = refusal(why);
            for ready in listeners.iter().take(NOTED) {
                let Listener { workspace, workflow, .. } = ready.listener;
                app.ingest.refusals.note(workspace, workflow, &refusal, address_of(&parts), body.len());
            }
            refused(&refusal)
        }
        None => told(&taken),
    }
}

/// The events of this listener's account.
async fn hand_over(
    app: &App,
    ready: &Ready,
    delivery: Delivery<'_>,
    events: Vec<NewEvent>,
) -> Result<Vec<crate::ingest::Taken>, NotNow> {
    let (listener, known) = (&ready.listener, ready.account.as_deref());
    let (own, others): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.account.as_deref() == known);
    if known.is_none() && !others.is_empty() {
        let sentence =
            "The connection doesn't know yet whose account it is. Open it and press Test; then deliveries find this workflow.";
        let refusal = Refusal::new(Reason::NotSetUp, sentence);
        app.ingest.refusals.note(listener.workspace, listener.workflow, &refusal, delivery.address, delivery.body.len());
    }
    // Without an account nothing says that an event is this connection's.
    if known.is_none() || own.is_empty() {
        return Ok(Vec::new());
    }
    let version = u32::try_from(listener.version).unwrap_or_default();
    let standing = if listener.running {
        match app.engine.startable(listener.workflow, version).await? {
            Ok(()) => Standing::Published { version },
            Err(why) => Standing::NotStartable { version, why },
        }
    } else {
        Standing::Paused
    };
    let to = Addressee { workspace: listener.workspace, workflow: listener.workflow, standing, endpoint: None };
    take_all(app, &to, delivery, own).await
}
