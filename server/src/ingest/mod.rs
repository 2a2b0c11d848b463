//! Outside becomes an event: webhook, form, manual. Verified, parsed once, deduplicated; accepted or parked, never lost.
//!
//! [`webhook`], [`form`], [`manual`], [`schedule`], [`failure`] and [`poll`] make an event of what arrived and say whether it may come in; [`take`] is the one way on from
//! there, by the pure [`decide`]. It builds no workflow and runs none.

pub mod alarm;
pub mod body;
pub mod decide;
pub mod failure;
pub mod form;
pub mod issues;
pub mod manual;
pub mod multipart;
pub mod poll;
pub mod questions;
pub mod refusals;
pub mod replay;
pub mod samples;
pub mod scan;
pub mod schedule;
mod settle;
mod take;
pub mod target;
pub mod targets;
pub mod webhook;

pub use issues::{needs_secret, trigger_issues};
pub use settle::settle;
pub use take::{Addressee, Arrival, NotNow, Taken, take};

use crate::{
    clock::Clock,
    live::Live,
    problem::{Code, Problem},
};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many events are parked at the same time.
const PARKING: usize = 2;

/// The doors in. One per process; cloning it is cheap.
#[derive(Clone)]
pub struct Ingest {
    pub targets: Arc<targets::Targets>,
    /// Who hears what services send to one address for all.
    pub listeners: Arc<webhook::app::Listeners>,
    pub refusals: refusals::Log,
    parking: Arc<Semaphore>,
    /// Who looks at which service just now.
    pub polls: Arc<poll::Desk>,
    /// The largest body, in bytes.
    pub max_body: usize,
}

impl Ingest {
    /// Starts the writer of refusals, and follows what changes in workflows.
    pub fn start(pool: PgPool, clock: Clock, live: &Live, max_body: u64) -> Self {
        Self {
            targets: Arc::new(targets::Targets::new(live)),
            listeners: Arc::new(webhook::app::Listeners::new(live)),
            refusals: refusals::Log::start(pool, clock, live.clone()),
            parking: Arc::new(Semaphore::new(PARKING)),
            polls: Arc::default(),
            max_body: usize::try_from(max_body).unwrap_or(usize::MAX),
        }
    }
}

impl From<NotNow> for Problem {
    fn from(error: NotNow) -> Self {
        let (detail, seconds) = match error {
            NotNow::Engine(refused) => (refused.to_string(), 2),
            NotNow::Store(error) => {
                tracing::error!(?error, "an event could not be parked");
                ("The server can't store events at the moment. Send this again in a moment.".to_owned(), 5)
            }
        };
        Self { retry_after: Some(seconds), ..Self::new(Code::Unavailable, detail) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
