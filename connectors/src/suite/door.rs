//! The door of the trials: it keeps what it was given and answers what it was told. Nothing leaves the process.

use crate::sdk::{
    Call, Collected, Doors, Files, Http, HttpBody, HttpRequest, HttpResponse, Mail, MailMessage, StepTrace,
    attach::{Attached, attach},
    code::NoCode,
    connector::{Auth, Connected},
    scrub::Scrubber,
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
    credential: Option<Credential>,
}

/// A connection's secrets as the server's door has them: it attaches them last, and takes them out of whatever comes back.
pub struct Credential {
    attached: Attached,
    scrubber: Scrubber,
}

impl Credential {
    /// What a way to authenticate makes of these fields.
    ///
    /// # Errors
    /// When that can't be put on a request.
    pub fn new(auth: &Auth, fields: &Object, secrets: &Object) -> Result<Self, StepError> {
        let attached = attach(&auth.apply, fields, secrets)?;
        let known = secrets.values().filter_map(Json::as_str).chain(attached.derived().iter().map(String::as_str));
        let scrubber = Scrubber::new(known);
        Ok(Self { attached, scrubber })
    }

    /// One whose door takes nothing out of what comes back: what the trials must notice.
    #[cfg(test)]
    pub fn leaking(auth: &Auth, fields: &Object, secrets: &Object) -> Result<Self, StepError> {
        Ok(Self { scrubber: Scrubber::default(), ..Self::new(auth, fields, secrets)? })
    }
}

impl Http for Scripted {
    fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>> {
        let count = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let body = match &request.body {
                HttpBody::Bytes(bytes) => bytes.clone(),
                HttpBody::Empty | HttpBody::Multipart(_) => Bytes::new(),
            };
            let (mut url, mut headers) = (request.url.clone(), request.headers.clone());
            if let Some(credential) = self.credential.as_ref().filter(|_| request.authenticate) {
                credential.attached.put(&mut headers, &mut url);
            }
            seen.push(Seen { method: request.method.to_string(), url, headers, body });
            seen.len() - 1
        };
        let answer = (self.script)(count, &request);
        let scrubber = self.credential.as_ref().map(|credential| credential.scrubber.clone()).unwrap_or_default();
        Box::pin(async move {
            let answer = answer.map_err(|mut error| {
                scrubber.error(&mut error);
                error
            })?;
            let mut headers = HeaderMap::new();
            for (name, value) in &answer.headers {
                if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                    headers.append(name, value);
                }
            }
            scrubber.headers(&mut headers);
            Ok(HttpResponse {
                status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                url: request.url,
                headers,
                body: scrubber.bytes(&answer.bytes()).into_owned().into(),
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
        Self::with(connector, script, None)
    }

    /// A stage whose door has a credential.
    pub fn with(connector: &str, script: Script, credential: Option<Credential>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let http = Box::new(Scripted { script, seen: Arc::clone(&seen), credential });
        let connected = Connected {
            // Each call has buckets of its own: trials wait for nobody.
            id: ConnectionId::new(),
            name: "Trial".into(),
            connector: connector.into(),
            auth: String::new(),
            fields: Object::new(),
        };
        Self {
            doors: Doors {
                http,
                mail: Box::new(Nothing),
                files: Box::new(Nothing),
                code: Box::new(NoCode),
                tables: Box::new(crate::sdk::tables::NoTables),
            },
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

    /// What the run page would show of the call.
    pub fn shown(&self) -> Collected {
        self.trace.take()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
