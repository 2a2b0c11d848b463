//! Triggers to which a service sends its news. Pure: verifying and parsing need no I/O.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use std::{collections::BTreeMap, sync::Arc};
use towpath_engine::{Json, Object};

/// A trigger that understands a service's deliveries.
pub trait Receive: Send + Sync {
    /// Verifies the raw bytes, then reads them.
    fn receive(&self, request: &Inbound<'_>, input: &Object, secrets: &HookSecrets) -> Result<Received, NotReceived>;

    /// Whose address the service calls.
    fn address(&self) -> Address;

    /// The names of the secrets that verifying needs; without them the trigger can't be published. For [`Address::App`] they are secret
    /// fields of the connection, for [`Address::Workflow`] the trigger's own.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Where a person enters the address and the secret at the service, in a few sentences.
    fn setup(&self) -> &str {
        ""
    }
}

impl<T: Receive> Receive for Arc<T> {
    fn receive(&self, request: &Inbound<'_>, input: &Object, secrets: &HookSecrets) -> Result<Received, NotReceived> {
        (**self).receive(request, input, secrets)
    }

    fn address(&self) -> Address {
        (**self).address()
    }

    fn secrets(&self) -> Vec<String> {
        (**self).secrets()
    }

    fn setup(&self) -> &str {
        (**self).setup()
    }
}

/// Whose address a service calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Each workflow has its own: `/hooks/<id>`.
    Workflow,
    /// One for the whole connector, `/hooks/app/<connector>`; deliveries are routed by account.
    App,
}

/// A request as it came.
pub struct Inbound<'a> {
    pub method: &'a str,
    pub headers: &'a HeaderMap,
    /// The raw query, without the question mark.
    pub query: &'a str,
    pub body: &'a [u8],
    pub now: DateTime<Utc>,
}

/// What verifies deliveries, by the name of its field. No `Debug`: nothing prints it.
#[derive(Default)]
pub struct HookSecrets(pub BTreeMap<String, Vec<u8>>);

/// What a verified delivery is.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The service wants to hear this before it sends anything.
    Handshake {
        status: u16,
        content_type: String,
        body: Vec<u8>,
    },
    Events(Vec<NewEvent>),
    /// Verified, and not what the trigger is for; the sentence says why.
    Ignored(String),
}

/// One event of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// The service's own id of this delivery.
    pub delivery: Option<String>,
    /// The same for the same thing, whether a poll found it or a webhook brought it.
    pub key: Option<String>,
    /// The account at the service, for deliveries to an app's address.
    pub account: Option<String>,
    /// What expressions see as `trigger.body`.
    pub value: Json,
}

/// Why a delivery isn't let in. The sentence is for the trigger's page; the sender hears 404 for what it could not prove.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReceived {
    #[error("{0}")]
    Unverified(String),
    #[error("{0}")]
    Unreadable(String),
}
