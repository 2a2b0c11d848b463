//! The door of the trials: it keeps what it was given and answers what it was told. Nothing leaves the process.

use crate::sdk::{
    Call, Doors, Files, Http, HttpBody, HttpRequest, HttpResponse, Mail, MailMessage, StepTrace, connector::Connected,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    ids::{ConnectionId, FileId},
};
use uuid::Uuid;

/// An answer as a case writes it down.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub status: u16,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// A text is sent as it is, anything else as JSON.
    #[serde(default)]
    pub body: Json,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self { status, headers: std::collections::BTreeMap::new(), body: serde_json::json!({}) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    fn bytes(&self) -> Bytes {
        match &self.body {
            Json::Null => Bytes::new(),
            Json::String(text) => text.clone().into(),
            other => other.to_string().into(),
        }
    }
}

/// What the door does with the n-th request.
pub type Script = Arc<dyn Fn(usize, &HttpRequest) -> Result<Answer, StepError> + Send + Sync>;

/// A request as it came to the door.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub url: url::Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

struct Scripted {
    script: Script,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Http for Scripted {
    fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>> {
        let count = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let body = match &request.body {
                HttpBody::Bytes(bytes) => bytes.clone(),
                HttpBody::Empty | HttpBody::Multipart(_) => Bytes::new(),
            };
            seen.push(Seen {
                method: request.method.to_string(),
                url: request.url.clone(),
                headers: request.headers.clone(),
                body,
            });
            seen.len() - 1
        };
        let answer = (self.script)(count, &request);
        Box::pin(async move {
            let answer = answer?;
            let mut headers = HeaderMap::new();
            for (name, value) in &answer.headers {
                if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                    headers.append(name, value);
                }
            }
            Ok(HttpResponse {
                status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                url: request.url,
                headers,
                body: answer.bytes(),
                took: Duration::from_millis(1),
                received: at(),
                rewritten: false,
                cut: None,
            })
        })
    }
}

/// The moment of all trials.
pub fn at() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_772_444_460, 0).unwrap_or_default()
}

struct Nothing;

impl Mail for Nothing {
    fn send<'a>(&'a self, _: MailMessage, _: Instant) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async { Err(StepError::new(ErrorKind::Forbidden, "A connector of HTTP sends no mail.")) })
    }
    fn default_from(&self) -> Option<String> {
        None
    }
}

impl Files for Nothing {
    fn read<'a>(&'a self, _: FileId) -> BoxFuture<'a, Result<Bytes, StepError>> {
        Box::pin(async { Err(StepError::new(ErrorKind::NotFound, "There are no files in a trial.")) })
    }
    fn write<'a>(&'a self, _: String, _: String, _: Bytes) -> BoxFuture<'a, Result<Json, StepError>> {
        Box::pin(async { Err(StepError::new(ErrorKind::Forbidden, "There are no files in a trial.")) })
    }
}

/// A stage for one call: doors, connection, trace.
pub struct Stage {
    doors: Doors,
    connected: Connected,
    trace: StepTrace,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stage {
    pub fn new(connector: &str, script: Script) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let http = Box::new(Scripted { script, seen: Arc::clone(&seen) });
        let connected = Connected {
            // Each call has buckets of its own: trials wait for nobody.
            id: ConnectionId::new(),
            name: "Trial".into(),
            connector: connector.into(),
            auth: String::new(),
            fields: Object::new(),
        };
        Self {
            doors: Doors { http, mail: Box::new(Nothing), files: Box::new(Nothing) },
            connected,
            trace: StepTrace::default(),
            seen,
        }
    }

    /// Answers one after the other; more requests than answers fail.
    pub fn answering(connector: &str, answers: Vec<Answer>) -> Self {
        Self::new(
            connector,
            Arc::new(move |count, request| {
                answers.get(count).cloned().ok_or_else(|| {
                    StepError::new(
                        ErrorKind::Internal,
                        format!("request {} ({} {}) was not expected", count + 1, request.method, request.url),
                    )
                })
            }),
        )
    }

    pub fn call<'a>(&'a self, input: &'a Object) -> Call<'a> {
        Call {
            input,
            key: Uuid::from_u128(42),
            deadline: Instant::now() + Duration::from_secs(30),
            connection: Some(&self.connected),
            doors: &self.doors,
            trace: &self.trace,
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
