//! What starts a workflow: the service calls, or it is asked.

use super::{
    action::{OutputSpec, Pages},
    request::{Request, with_request},
};
use crate::manifest::input::Input;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use towpath_engine::{Json, Object};

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
