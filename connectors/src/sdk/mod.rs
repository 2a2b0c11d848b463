//! The contract: what an action is given, what it gives back, and the doors it may use. Connectors see nothing else of the server.

pub mod attach;
pub mod code;
pub mod connector;
pub mod form;
pub mod mask;
pub mod outcome;
pub mod pick;
pub mod poll;
pub mod receive;
pub mod scrub;
pub mod show;
pub mod tables;
pub mod value;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use indexmap::IndexMap;
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use towpath_engine::{Json, Object, catalogue::Operation, error::StepError, ids::FileId};
use url::Url;
use uuid::Uuid;

/// An operation as the registry holds it: what it says about itself, and what carries it out.
pub struct Entry {
    pub operation: Operation,
    /// `None` for triggers and for the steps that the engine does itself.
    pub action: Option<Box<dyn Action>>,
    /// A trigger that asks the service for news.
    pub poll: Option<Box<dyn poll::Poll>>,
    /// A trigger to which the service sends its news.
    pub receive: Option<Box<dyn receive::Receive>>,
    /// What lists the options of fields, by the fields' names.
    pub picks: IndexMap<String, Box<dyn pick::Pick>>,
    /// Is it only for others to pick from, and no step of a workflow?
    pub internal: bool,
}

impl Entry {
    /// An operation that acts outside.
    pub fn action(operation: Operation, action: impl Action + 'static) -> Self {
        Self { action: Some(Box::new(action)), ..operation.into() }
    }
}

impl From<Operation> for Entry {
    /// An operation that nothing outside the engine carries out.
    fn from(operation: Operation) -> Self {
        Self { operation, action: None, poll: None, receive: None, picks: IndexMap::new(), internal: false }
    }
}

/// An operation that acts outside. It is stateless; everything it may use is in the call.
pub trait Action: Send + Sync {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>>;

    /// The exact request that [`Action::run`] would send, with secrets masked, for "preview" before a test. Sends nothing.
    fn preview(&self, input: &Object) -> Result<Json, StepError>;
}

impl<T: Action> Action for Arc<T> {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>> {
        (**self).run(call)
    }

    fn preview(&self, input: &Object) -> Result<Json, StepError> {
        (**self).preview(input)
    }
}

/// One attempt of one step.
pub struct Call<'a> {
    /// The step's input, expressions resolved.
    pub input: &'a Object,
    /// The same over attempts, crashes and nodes: hash(run, step path).
    pub key: Uuid,
    /// When the attempt is given up.
    pub deadline: Instant,
    /// The step's connection, without its secrets: those are attached by the door, after it has checked where the request goes.
    pub connection: Option<&'a connector::Connected>,
    pub doors: &'a Doors,
    pub trace: &'a StepTrace,
}

/// What an action may reach. There is no other way out.
pub struct Doors {
    pub http: Box<dyn Http>,
    pub mail: Box<dyn Mail>,
    pub files: Box<dyn Files>,
    pub code: Box<dyn code::Code>,
    pub tables: Box<dyn tables::Tables>,
}

/// What an action gives back: what expressions see under `steps.<id>`.
pub struct Output {
    pub value: Json,
}

/// Collects what the run page shows of an attempt: request, response, lines. Values are scrubbed of secrets before they get here.
#[derive(Default)]
pub struct StepTrace {
    inner: Mutex<Collected>,
}

#[derive(Clone, Debug, Default)]
pub struct Collected {
    pub request: Option<Json>,
    pub response: Option<Json>,
    pub log: Vec<String>,
}

impl StepTrace {
    pub fn request(&self, request: Json) {
        self.with(|it| it.request = Some(request));
    }
    pub fn response(&self, response: Json) {
        self.with(|it| it.response = Some(response));
    }
    pub fn log(&self, line: impl Into<String>) {
        let line = line.into();
        self.with(|it| it.log.push(line));
    }
    pub fn take(&self) -> Collected {
        let mut taken = Collected::default();
        self.with(|it| taken = std::mem::take(it));
        taken
    }
    fn with(&self, change: impl FnOnce(&mut Collected)) {
        change(&mut self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// The one door out for HTTP: addresses are checked after resolution, on every redirect and every new connection; sizes and times are bounded.
pub trait Http: Send + Sync {
    fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>>;

    /// What has been used of the step's connection at these doors so far. What [`Http::send`] answers was scrubbed already; this is
    /// for what the caller makes of it.
    fn used(&self) -> Used {
        Used::default()
    }
}

/// What has become of a connection while it was used.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// Knows the secrets that were opened.
    pub scrubber: scrub::Scrubber,
    /// The service's last answer was that it doesn't take them (401).
    pub refused: bool,
}

pub struct HttpRequest {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: HttpBody,
    /// Attach what the step's connection authenticates with. The door does it last, and only for a host that the connection allows;
    /// without a connection it changes nothing.
    pub authenticate: bool,
    pub redirects: Redirects,
    pub deadline: Instant,
    /// The largest decompressed answer that is read; more is an error that says so.
    pub max_response: usize,
}

pub enum HttpBody {
    Empty,
    Bytes(Bytes),
    Multipart(Vec<Part>),
}

pub struct Part {
    pub name: String,
    pub content: PartContent,
}

pub enum PartContent {
    Text(String),
    File { name: String, media_type: String, bytes: Bytes },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// At most five, each checked; authorization dropped on another origin.
    Follow,
    /// A 3xx is an answer.
    Stop,
}

pub struct HttpResponse {
    pub status: StatusCode,
    /// Where the answer came from, after redirects.
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub took: Duration,
    pub received: DateTime<Utc>,
    /// A redirect turned the request into a GET: what was sent first has been taken, whatever this answer says.
    pub rewritten: bool,
    /// Why the body isn't whole. Only an answer whose status is an error is handed over cut; its status says more than the cut does.
    pub cut: Option<StepError>,
}

/// Prints no header and no byte of the body: both may hold secrets.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}, {} bytes", self.status, mask::url(&self.url), self.body.len())
    }
}

/// Sends mail: by the step's connection where it has one, else by the instance's own setting.
pub trait Mail: Send + Sync {
    /// Sends `message` (RFC 5322 bytes) to the envelope's recipients and returns the server's last answer.
    /// An instance without the setting answers with an error that names it.
    fn send<'a>(&'a self, message: MailMessage, deadline: Instant) -> BoxFuture<'a, Result<String, StepError>>;
    /// The sender's address of the setting, for messages that name none.
    fn default_from(&self) -> Option<String>;
}

/// A mail as data; the door builds the MIME message.
#[derive(Clone, Debug, Default)]
pub struct MailMessage {
    /// `Message-ID` without brackets; stable over attempts, so that servers and people can recognise a repeat.
    pub id: String,
    pub from: Option<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
}

#[derive(Clone, Debug)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub bytes: Bytes,
}

/// Stored files of the run's workspace.
pub trait Files: Send + Sync {
    fn read<'a>(&'a self, id: FileId) -> BoxFuture<'a, Result<Bytes, StepError>>;
    /// Stores bytes and returns the file value `{ "$file", "name", "type", "size" }`.
    fn write<'a>(&'a self, name: String, media_type: String, bytes: Bytes) -> BoxFuture<'a, Result<Json, StepError>>;
}
