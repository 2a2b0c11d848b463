//! The engine against a real database, with a service outside that counts and misbehaves as told.

mod account;
mod children;
mod crash;
mod house;
mod journal;
mod lines;
mod refused;
mod runs;

use self::account::Account;
use super::{Delivery, Engine, NewRun, Parts, Settings, TriggerKind};
use crate::{clock::Clock, live::Live, variables::Variables};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::json;
use sqlx::{PgPool, postgres::PgConnectOptions};
use std::{collections::HashMap, sync::Arc, time::Duration};
use towpath_connectors::{
    registry::Registry,
    sdk::{Doors, Files, Http, HttpBody, HttpRequest, HttpResponse, Mail, MailMessage, code::NoCode},
};
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    event::{Event, Head},
    ids::{EndpointId, FileId, RunId, WorkflowId, WorkspaceId},
    record::{End, Entry, Record},
};

/// The longest that a test waits for what it expects.
const BOUND: Duration = Duration::from_secs(20);

/// A request as the service saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub key: String,
    pub body: String,
}

/// What the service does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Ok,
    Status(u16),
    Json(Json),
    Fail(ErrorKind),
    /// Takes the request, and never answers.
    Hang,
    Panic,
}

/// What the target answers to what it sees.
type Script = Box<dyn FnMut(&Seen) -> Reply + Send>;

/// The other side.
pub struct Service {
    seen: Mutex<Vec<Seen>>,
    answer: Mutex<Script>,
    news: tokio::sync::Notify,
}

impl Service {
    fn new() -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), answer: Mutex::new(Box::new(|_| Reply::Ok)), news: tokio::sync::Notify::new() })
    }

    pub fn answers(&self, answer: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.answer.lock() = Box::new(answer);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// Waits until it has seen this many requests.
    pub async fn saw(&self, count: usize) -> Vec<Seen> {
        let waiting = async {
            loop {
                let news = self.news.notified();
                if self.seen.lock().len() >= count {
                    return self.seen();
                }
                news.await;
            }
        };
        tokio::time::timeout(BOUND, waiting).await.unwrap_or_else(|_| panic!("saw only {:?}", self.seen()))
    }
}

struct Wire(Arc<Service>);

impl Http for Wire {
    fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>> {
        Box::pin(async move {
            let header =
                |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let body = match &request.body {
                HttpBody::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                _ => String::new(),
            };
            let seen = Seen {
                method: request.method.to_string(),
                path: request.url.path().to_owned(),
                key: header("idempotency-key"),
                body,
            };
            let reply = (self.0.answer.lock())(&seen);
            self.0.seen.lock().push(seen);
            self.0.news.notify_waiters();
            let (status, body) = match reply {
                Reply::Ok => (200, json!({ "ok": true })),
                Reply::Status(status) => (status, Json::Null),
                Reply::Json(body) => (200, body),
                Reply::Fail(kind) => return Err(StepError::new(kind, "The service failed.")),
                Reply::Hang => std::future::pending().await,
                Reply::Panic => panic!("the action broke, as the test wants"),
            };
            let mut headers = HeaderMap::new();
            headers.insert("content-type", http::HeaderValue::from_static("application/json"));
            Ok(HttpResponse {
                status: StatusCode::from_u16(status).unwrap(),
                url: request.url,
                headers,
                body: Bytes::from(body.to_string()),
                took: Duration::from_millis(1),
                received: DateTime::UNIX_EPOCH,
                rewritten: false,
                cut: None,
            })
        })
    }
}

struct Nothing;

impl Mail for Nothing {
    fn send<'a>(&'a self, _: MailMessage, _: std::time::Instant) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async { Err(StepError::new(ErrorKind::Internal, "no mail in this test")) })
    }
    fn default_from(&self) -> Option<String> {
        None
    }
}

impl Files for Nothing {
    fn read<'a>(&'a self, _: FileId) -> BoxFuture<'a, Result<Bytes, StepError>> {
        Box::pin(async { Err(StepError::new(ErrorKind::Internal, "no files in this test")) })
    }
    fn write<'a>(&'a self, _: String, _: String, _: Bytes) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(async { Err(StepError::new(ErrorKind::Internal, "no files in this test")) })
    }
}

/// A database, a workspace, a service outside, and a clock that can be moved.
pub struct World {
    pub pool: PgPool,
    pub workspace: WorkspaceId,
    pub service: Arc<Service>,
    pub account: Arc<Account>,
    pub settings: Settings,
    pub variables: Variables,
    ahead: Arc<Mutex<TimeDelta>>,
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        let workspace = WorkspaceId::new();
        sqlx::query!("insert into workspace (id, name) values ($1, 'Test')", workspace.0).execute(&pool).await.unwrap();
        let settings = Settings::default();
        let variables = Variables::start(pool.clone()).await.unwrap();
        let account = Arc::new(Account::new(pool.clone(), workspace));
        Self { pool, workspace, service: Service::new(), account, settings, variables, ahead: Arc::default() }
    }

    pub fn database(&self) -> PgConnectOptions {
        (*self.pool.connect_options()).clone()
    }

    pub fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.ahead);
        let system = Clock::system();
        Clock::from_fn(move || system.now() + *ahead.lock())
    }

    /// Moves the clock forward.
    pub fn pass(&self, time: TimeDelta) {
        *self.ahead.lock() += time;
    }

    pub fn parts(&self) -> Parts {
        let service = Arc::clone(&self.service);
        Parts {
            database: self.database(),
            pool: self.pool.clone(),
            clock: self.clock(),
            registry: Arc::new(Registry::built_in()),
            doors: Arc::new(move |_| Doors {
                http: Box::new(Wire(Arc::clone(&service))),
                mail: Box::new(Nothing),
                files: Box::new(Nothing),
                code: Box::new(NoCode),
                tables: Box::new(towpath_connectors::sdk::tables::NoTables),
            }),
            connections: self.account.clone(),
            variables: self.variables.clone(),
            live: Live::default(),
            settings: self.settings.clone(),
        }
    }

    pub async fn start(&self) -> Engine {
        Engine::start(self.parts()).await.unwrap()
    }

    /// Publishes a workflow with these steps as version 1.
    pub async fn publish(&self, steps: Json) -> WorkflowId {
        self.publish_with(json!({ "use": "webhook" }), steps).await
    }

    /// The same with another trigger.
    pub async fn publish_with(&self, trigger: Json, steps: Json) -> WorkflowId {
        let workflow = WorkflowId::new();
        let document = json!({ "towpath": 1, "name": "Test", "trigger": trigger, "steps": steps });
        let read: towpath_engine::workflow::Workflow = serde_json::from_value(document.clone()).unwrap();
        towpath_engine::plan::Plan::new(1, read, &Registry::built_in()).unwrap();
        sqlx::query!(
            "insert into workflow (id, workspace_id, name, state, draft, published_version, latest_version) values ($1, $2, 'Test', 'published', $3, 1, 1)",
            workflow.0,
            self.workspace.0,
            document
        )
        .execute(&self.pool)
        .await
        .unwrap();
        sqlx::query!(
            "insert into workflow_version (workflow_id, version, workspace_id, document) values ($1, 1, $2, $3)",
            workflow.0,
            self.workspace.0,
            document
        )
        .execute(&self.pool)
        .await
        .unwrap();
        workflow
    }

    pub fn event(&self, workflow: WorkflowId, body: Json) -> NewRun {
        let head = Head { content_type: Some("application/json".into()), ..Head::default() };
        NewRun {
            workspace: self.workspace,
            workflow,
            version: 1,
            kind: TriggerKind::Webhook,
            event: Event { head, body: body.to_string().into_bytes() },
            delivery: None,
            event_key: None,
            replay_of: None,
        }
    }

    pub fn delivery(&self, workflow: WorkflowId, endpoint: EndpointId, key: &str) -> NewRun {
        NewRun { delivery: Some(Delivery { endpoint, key: key.into() }), ..self.event(workflow, json!({})) }
    }

    /// The run's end, as soon as it is on disk.
    pub async fn end(&self, run: RunId) -> End {
        let started = std::time::Instant::now();
        while started.elapsed() < BOUND {
            if let Some(end) = crate::store::runs::end(&self.pool, run).await.unwrap() {
                return end;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the run did not end: {:?}", self.history(run).await)
    }

    /// Waits until the run sleeps on this step.
    pub async fn sleeps(&self, run: RunId) -> String {
        let started = std::time::Instant::now();
        while started.elapsed() < BOUND {
            let step = sqlx::query_scalar!("select step_path from wait where run_id = $1", run.0);
            if let Some(step) = step.fetch_optional(&self.pool).await.unwrap() {
                return step;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the run does not sleep: {:?}", self.history(run).await)
    }

    /// Everything on disk about the run, in order.
    pub async fn history(&self, run: RunId) -> Vec<Entry> {
        let mut entries = crate::store::records::history(&self.pool, run).await.unwrap();
        if let Some((_, journal)) = crate::store::runs::end_with_journal(&self.pool, run).await.unwrap() {
            entries.extend(journal);
        }
        entries
    }

    pub async fn count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pool).await.unwrap()
    }
}

/// The output of a step, from its history.
pub fn output(history: &[Entry], step: &str) -> Option<Json> {
    history.iter().rev().find_map(|entry| match &entry.record {
        Record::Succeeded { step: path, output, .. } if path.0 == step => Some(output.clone()),
        _ => None,
    })
}

/// How often each path was called with how many keys.
pub fn by_path(seen: &[Seen]) -> HashMap<String, (usize, usize)> {
    let mut paths: HashMap<String, Vec<&Seen>> = HashMap::new();
    for request in seen {
        paths.entry(request.path.clone()).or_default().push(request);
    }
    paths
        .into_iter()
        .map(|(path, requests)| {
            let mut keys: Vec<&str> = requests.iter().map(|request| request.key.as_str()).collect();
            keys.sort_unstable();
            keys.dedup();
            (path, (requests.len(), keys.len()))
        })
        .collect()
}

pub fn set(id: &str, fields: Json) -> Json {
    json!({ "id": id, "use": "set", "input": { "fields": fields } })
}

/// A POST. Unsafe, unless `keyed`.
pub fn post(id: &str, keyed: bool) -> Json {
    json!({ "id": id, "use": "http.request", "input": {
        "method": "POST", "url": format!("https://service.example/{id}"), "keyed": keyed,
        "body_kind": "json", "json": { "at": "{{ now }}", "order": "{{ trigger.body.order }}" }
    } })
}

pub fn get(id: &str) -> Json {
    json!({ "id": id, "use": "http.request", "input": { "method": "GET", "url": format!("https://service.example/{id}") } })
}
