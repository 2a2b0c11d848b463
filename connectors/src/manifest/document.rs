//! A manifest as it is written: the types that a `connector.yaml` is read into, and that its JSON Schema is made from. It refuses keys
//! that it doesn't know; what the values mean together is for `check` and `compile` to say.

use super::input::Input;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use towpath_engine::{Json, Object, catalogue::Effect, error::ErrorKind};

/// The version of the format that this build reads.
pub const FORMAT: u32 = 1;

/// A connector as data: who it is, how it signs in, what it can do and what starts workflows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format: 1.
    pub towpath: u32,
    pub connector: Identity,
    /// Shapes of values as JSON Schema, by name; operations refer to them.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Object>")]
    pub types: IndexMap<String, Json>,
    /// The ways in which connections sign in; none when the service asks for no sign-in.
    #[serde(default)]
    pub auth: Vec<AuthSpec>,
    /// How to see whether a connection works, and whose it is.
    #[serde(default)]
    pub connection: Option<ConnectionSpec>,
    /// What all requests share.
    #[serde(default)]
    pub http: Option<HttpSpec>,
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Action>")]
    pub actions: IndexMap<String, Action>,
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Trigger>")]
    pub triggers: IndexMap<String, Trigger>,
}

/// Who a connector is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The folder's name, and the first part of its operations' names: small letters, digits and underscores.
    pub id: String,
    pub name: String,
    /// The connector's own version, `1.0.0`.
    pub version: String,
    /// One sentence without a full stop: what one can do with it.
    pub sentence: String,
    /// `communication`, `development`, `productivity` …
    pub categories: Vec<String>,
    /// The service's own documentation.
    pub docs: Option<String>,
    /// The only hosts that it may talk to: `slack.com`, `*.example.com`. `*` only for a connector without sign-in, whose addresses
    /// people type.
    pub hosts: Vec<String>,
    /// What changed, by version.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub changes: IndexMap<String, String>,
}

/// One way to sign in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthSpec {
    pub id: String,
    pub title: String,
    /// Where a person finds what is asked for, in a few sentences.
    pub help: String,
    #[serde(rename = "type")]
    pub kind: AuthKind,
    /// What is asked for. Fields of the format `secret` are sealed and named `secret.<field>`; others are `connection.<field>`.
    #[schemars(with = "std::collections::BTreeMap<String, Input>")]
    pub fields: IndexMap<String, Input>,
    /// What is put on each request. `bearer` and `basic` know it by themselves.
    #[serde(default)]
    pub apply: Option<Apply>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// `Authorization: Bearer …` with the first secret field.
    Bearer,
    /// `Authorization: Basic …` with the fields `user` and `password`.
    Basic,
    /// A key in a header or in the address, as `apply` says.
    ApiKey,
    /// Whatever `apply` says.
    Custom,
}

/// What is put on each request. Values are texts with expressions over `secret` and `connection`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub header: IndexMap<String, String>,
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub query: IndexMap<String, String>,
    #[serde(default)]
    pub basic: Option<BasicSpec>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicSpec {
    pub user: String,
    pub password: String,
}

/// How to see whether a connection works.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSpec {
    pub test: TestSpec,
    #[serde(default)]
    pub account: Option<AccountSpec>,
}

/// A request without side effects: the path behind the base.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestSpec {
    pub get: Option<String>,
    pub post: Option<String>,
}

/// Whose connection it is, as expressions over `response`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    /// What deliveries name the account by.
    pub id: String,
    pub label: String,
}

/// What all requests of a connector share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSpec {
    /// What every path begins with; may use `connection`.
    pub base: String,
    /// Headers of every request.
    #[serde(default)]
    pub headers: Object,
    /// Is an answer a success? Over `response`; without it, a status below 400 is.
    #[serde(default)]
    pub success: Option<String>,
    /// How often the service may be called.
    #[serde(default)]
    pub limits: Vec<LimitSpec>,
    /// What an answer that is no success means: the first that fits is taken, and else the table of HTTP statuses.
    #[serde(default)]
    pub errors: Vec<ErrorSpec>,
}

/// A bucket that fills at a rate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    pub per: LimitPer,
    /// Over `input`: calls with another value have a bucket of their own.
    #[serde(default)]
    pub key: Option<String>,
    /// `50/min`, `1/s`, `1000/h`; as many may go at once.
    pub rate: String,
    /// Only for these; all operations without it.
    #[serde(default)]
    pub operations: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitPer {
    Connection,
    /// All connections of this installation together.
    App,
}

/// What an answer means that is no success.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorSpec {
    /// Over `response`; a predicate that reads what isn't there is false. Without one, every failure.
    #[serde(rename = "if", default)]
    pub test: Option<String>,
    #[schemars(with = "String")]
    pub kind: ErrorKind,
    /// What happened, for the workflow's owner. Without it, the service's own words are quoted.
    #[serde(default)]
    pub say: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// How many seconds to wait, where the service says so otherwise than by Retry-After. Over `response` and `now`.
    #[serde(default)]
    pub wait: Option<String>,
}

/// Declares a struct that holds a request among its fields, and how to read the request out of it.
macro_rules! with_request {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// GET this path.
            #[serde(default)]
            pub get: Option<String>,
            /// POST to this path.
            #[serde(default)]
            pub post: Option<String>,
            /// PUT to this path.
            #[serde(default)]
            pub put: Option<String>,
            /// PATCH this path.
            #[serde(default)]
            pub patch: Option<String>,
            /// DELETE this path.
            #[serde(default)]
            pub delete: Option<String>,
            /// Names and values behind the path's question mark. Absent values drop their names; lists repeat them.
            #[serde(default)]
            pub query: Object,
            #[serde(default)]
            pub headers: Object,
            /// A JSON body.
            #[serde(default)]
            pub json: Option<Json>,
            /// A body of form fields.
            #[serde(default)]
            pub form: Option<Object>,
            $($(#[$field_meta])* pub $field: $type,)*
        }
        impl $name {
            /// The request among the fields; none when no method is named.
            pub fn request(&self) -> Option<Request> {
                let methods = [("GET", &self.get), ("POST", &self.post), ("PUT", &self.put), ("PATCH", &self.patch), ("DELETE", &self.delete)];
                let named: Vec<(&'static str, String)> =
                    methods.into_iter().filter_map(|(method, path)| Some((method, path.clone()?))).collect();
                let (method, path) = named.first()?.clone();
                Some(Request {
                    method,
                    path,
                    one: named.len() == 1,
                    query: self.query.clone(),
                    headers: self.headers.clone(),
                    json: self.json.clone(),
                    form: self.form.clone(),
                })
            }
        }
    };
}

/// A request, gathered from the fields of what holds it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    /// Was just one method named?
    pub one: bool,
    pub query: Object,
    pub headers: Object,
    pub json: Option<Json>,
    pub form: Option<Object>,
}

with_request! {
    /// Something that a workflow's step does at the service.
    pub struct Action {
        /// A few words. Only internal operations go without.
        #[serde(default)]
        pub title: String,
        /// What it does, as the picker says it; without a full stop.
        #[serde(default)]
        pub sentence: String,
        /// A paragraph of help in plain words.
        #[serde(default)]
        pub help: String,
        /// Words that people search by, in small letters.
        #[serde(default)]
        pub keywords: Vec<String>,
        /// Only for `pick`: no step of a workflow.
        #[serde(default)]
        pub internal: bool,
        /// Carried out by Rust in the connector's folder.
        #[serde(default)]
        pub native: bool,
        /// What a repeat does outside: read, idempotent, keyed or unsafe.
        #[schemars(with = "String")]
        pub effect: Effect,
        /// What the connection must be allowed to do.
        #[serde(default)]
        pub scopes: Vec<String>,
        #[serde(default)]
        #[schemars(with = "std::collections::BTreeMap<String, Input>")]
        pub input: IndexMap<String, Input>,
        /// A read that goes first; what it answered is `found`, and absent when the service knows no such thing (404).
        #[serde(default)]
        pub lookup: Option<Box<Lookup>>,
        #[serde(default)]
        pub pages: Option<Pages>,
        /// The list in an answer.
        #[serde(default)]
        pub items: Option<String>,
        #[serde(default)]
        pub output: Option<OutputSpec>,
        /// An input that works, for the help page and the tests.
        #[serde(default)]
        pub example: Object,
        /// An output, for the mapper before a first test.
        #[serde(default)]
        pub sample: Json,
    }
}

with_request! {
    /// A read before the request itself.
    pub struct Lookup {}
}

/// How the rest of a list is fetched. One of `next`, `link`, `url`, `number` and `offset`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Over `response`: what stands for the next page; `page.next` in the next request. Nothing or an empty text ends the list.
    #[serde(default)]
    pub next: Option<String>,
    /// The address of the next page stands in the header `Link`, as the relation of this name.
    #[serde(default)]
    pub link: Option<String>,
    /// Over `response`: the address of the next page.
    #[serde(default)]
    pub url: Option<String>,
    /// The first page's number; `page.number` in each request. A page with fewer than `size` items ends the list.
    #[serde(default)]
    pub number: Option<u64>,
    /// The first item's number; `page.offset` in each request. A page with fewer than `size` items ends the list.
    #[serde(default)]
    pub offset: Option<u64>,
    /// How many items a full page has, for `number` and `offset`.
    #[serde(default)]
    pub size: Option<u64>,
    /// The most pages that are fetched at a time.
    pub max: u32,
}

/// What an operation hands on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// The name of its shape under `types`.
    #[serde(rename = "type", default)]
    pub shape: Option<String>,
    /// Over `response` (actions) or `item` (triggers); without it the whole body, or the whole item.
    #[serde(default)]
    pub from: Option<Json>,
    /// More fields.
    #[serde(default)]
    pub add: Object,
}

/// Something that starts a workflow: the service calls, or it is asked, or both with the same keys.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub title: String,
    /// "When …", as the picker says it; without a full stop.
    pub sentence: String,
    pub help: String,
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Asked by Rust in the connector's folder.
    #[serde(default)]
    pub native: bool,
    /// Works without a connection, although the connector has sign-in.
    #[serde(default)]
    pub no_connection: bool,
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Input>")]
    pub input: IndexMap<String, Input>,
    #[serde(default)]
    pub webhook: Option<Webhook>,
    #[serde(default)]
    pub poll: Option<PollSpec>,
    #[serde(default)]
    pub output: Option<OutputSpec>,
    /// An input that works, for the tests.
    #[serde(default)]
    pub example: Object,
    /// What an event looks like.
    pub sample: Json,
}

/// The service calls us. Expressions see `request` (`method`, `headers` with small letters, `query`, `body`, `raw`), `input`, `item`;
/// those of `verify` see `secret` as well.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub per: Per,
    /// For `per: app`: whose events these are.
    #[serde(default)]
    pub route: Option<Route>,
    pub verify: Verify,
    /// The field of a form that holds the JSON, when the service sends forms.
    #[serde(default)]
    pub form_field: Option<String>,
    /// What the service wants to hear before it sends anything, or when it tries whether anybody is there.
    #[serde(default)]
    pub handshake: Option<Handshake>,
    /// The service's own id of a delivery.
    #[serde(default)]
    pub delivery: Option<String>,
    /// The one event of a delivery; without it and `items`, the body.
    #[serde(default)]
    pub item: Option<String>,
    /// The events of a delivery, as a list.
    #[serde(default)]
    pub items: Option<String>,
    /// Which events the trigger is for. A predicate that reads what isn't there is false.
    #[serde(default)]
    pub keep_if: Option<String>,
    /// The same for the same thing, whether a poll found it or a webhook brought it.
    #[serde(default)]
    pub key: Option<String>,
    /// Where a person enters the address and the secret at the service: a few sentences.
    pub setup: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each workflow has an address of its own.
    Workflow,
    /// One address for the whole installation: `/hooks/app/<connector>`.
    App,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The account's id, as `connection.account.id` has it.
    pub account: String,
}

/// How a delivery proves itself: an HMAC over its raw bytes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    pub hmac: Algorithm,
    /// The one secret, as in `{{ secret.signing_secret }}`.
    pub secret: String,
    /// What is signed; literal text and expressions are put together as bytes, and `request.raw` is the body as it came.
    pub message: String,
    /// Where the signature stands.
    pub equals: String,
    /// The text before the signature, `sha256=`.
    #[serde(default)]
    pub prefix: String,
    pub encoding: Encoding,
    /// When it was signed, in seconds since 1970.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// The oldest signature that is let in, in seconds.
    #[serde(default)]
    pub max_age: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Hex,
    Base64,
}

/// An answer that is no event: exactly one of `json` and `text`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    #[serde(rename = "if")]
    pub test: String,
    #[serde(default)]
    pub json: Option<Json>,
    #[serde(default)]
    pub text: Option<String>,
}

with_request! {
    /// The service is asked. Expressions see `input`, `connection`, `cursor`, `page`, `response` and `item`.
    pub struct PollSpec {
        /// The pause between two looks, in seconds.
        pub every: u64,
        #[serde(default)]
        pub pages: Option<Pages>,
        /// The list in an answer.
        pub items: String,
        /// The order in which the service lists them.
        pub order: Order,
        /// What a look begins from, as fields over `item`: numbers or times. The largest is kept; it moves in the commit that stores the
        /// events.
        pub cursor: Object,
        /// How many seconds before the cursor a look begins, for what the service lists late.
        #[serde(default)]
        pub overlap: u64,
        #[serde(default)]
        pub keep_if: Option<String>,
        /// The same for the same thing, whether a poll found it or a webhook brought it.
        pub key: String,
        /// The first look takes this many of the newest as samples and starts no run.
        #[serde(default = "samples")]
        pub samples: usize,
    }
}

fn samples() -> usize {
    3
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    NewestFirst,
    OldestFirst,
}
