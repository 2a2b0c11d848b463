//! Triggers that ask a service for news. The server keeps the cursor, the ledger of what was seen, and the time of the next look.

use super::{
    Call,
    form::{Change, field},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use towpath_engine::{
    Json,
    catalogue::{Field, FieldKind},
    error::StepError,
    workflow::Span,
};

/// The field of every polling trigger that says how long to wait between two looks.
pub const CHECK_EVERY: &str = "check_every";

/// That field. The registry adds it, so that an operation need not.
pub fn check_every(own: Duration) -> Field {
    field(CHECK_EVERY, "Look for news every", FieldKind::Span)
        .help("Looking more often finds news sooner, and asks more of the service.")
        .default(Span(own).to_string().into())
        .literal()
        .advanced()
}

/// A trigger that asks. It is stateless: the same cursor must yield the same keys.
pub trait Poll: Send + Sync {
    /// One look, one page at a time. `call.input` is the trigger's input. Without a cursor it is the first look: it returns the newest
    /// few items as samples, which start no run, and the cursor from which to go on.
    fn poll<'a>(&'a self, call: Call<'a>, cursor: Option<Cursor>) -> BoxFuture<'a, Result<Polled, StepError>>;

    /// The pause between two looks unless the workflow says another.
    fn every(&self) -> Duration;
}

impl<T: Poll> Poll for Arc<T> {
    fn poll<'a>(&'a self, call: Call<'a>, cursor: Option<Cursor>) -> BoxFuture<'a, Result<Polled, StepError>> {
        (**self).poll(call, cursor)
    }

    fn every(&self) -> Duration {
        (**self).every()
    }
}

/// Where the last look ended. Only the trigger that made it reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub Json);

/// What a look found.
#[derive(Clone, Debug, PartialEq)]
pub struct Polled {
    /// Oldest first. May hold items that were seen before (the overlap): the ledger of keys sorts them out.
    pub items: Vec<Item>,
    /// Stored in the commit that stores the items.
    pub cursor: Option<Cursor>,
    /// There is more to fetch at once, from the new cursor.
    pub more: bool,
    /// The service asked for a longer pause.
    pub wait: Option<Duration>,
}

/// One new thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The same for the same thing, whether a poll found it or a webhook brought it.
    pub key: String,
    /// What expressions see as `trigger.body`.
    pub value: Json,
}
