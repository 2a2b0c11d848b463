//! A manifest as it is written: the types that a `connector.yaml` is read into, and that its JSON Schema is made from. It refuses keys
//! that it doesn't know; what the values mean together is for `check` and `compile` to say.

mod action;
mod auth;
mod request;
mod trigger;

pub use action::{Action, Lookup, OutputSpec, Pages};
pub use auth::{AccountSpec, Apply, AuthKind, AuthSpec, BasicSpec, ConnectionSpec, TestSpec};
pub use request::{ErrorSpec, HttpSpec, LimitPer, LimitSpec, Request};
pub use trigger::{Algorithm, Encoding, Handshake, Order, Per, PollSpec, Route, Trigger, Verify, Webhook};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use towpath_engine::{Json, Object};

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
    /// The only hosts that it may talk to: `slack.com`, `*.example.com`, `crm.internal.example:8443`. `*` only for a connector without
    /// sign-in, whose addresses people type.
    pub hosts: Vec<String>,
    /// What changed, by version.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub changes: IndexMap<String, String>,
}
