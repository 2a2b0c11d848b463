//! Is this server reached where people and services look for it? It calls its own public address and sees whether and how it arrives,
//! looks at the certificate and at the clock, and says what it found in sentences. It changes nothing.
//!
//! [`echo`] answers our own call, [`look`] makes it, [`judge`] turns facts into findings.

pub mod echo;
pub mod judge;
pub mod look;

use crate::app::App;
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// How often a server looks by itself.
const EVERY: Duration = Duration::from_secs(600);

/// How a finding is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "FindingState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Good,
    /// It works, and should be mended.
    Warning,
    Bad,
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ReachabilityFinding")]
pub struct Finding {
    pub about: &'static str,
    pub state: State,
    /// What was found, a sentence.
    pub said: String,
    /// What to do, where something is to be done.
    pub advice: Option<String>,
}

/// Can services outside reach our hooks?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    Reachable,
    NotReachable,
    Unknown,
}

/// What was found at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ReachabilityReport")]
pub struct Report {
    pub checked_at: DateTime<Utc>,
    pub webhooks: Reach,
    pub findings: Vec<Finding>,
}

/// The last report. Cloning it is cheap; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Reachability(Arc<RwLock<Option<Arc<Report>>>>);

impl Reachability {
    pub fn last(&self) -> Option<Arc<Report>> {
        self.0.read().clone()
    }

    /// What the last report says of webhooks.
    pub fn of_webhooks(&self) -> Reach {
        self.last().map_or(Reach::Unknown, |report| report.webhooks)
    }

    /// Looks now.
    pub async fn look(&self, app: &App) -> Arc<Report> {
        let facts = look::facts(&app.pool, &app.clock, &app.config, app.tls.as_ref()).await;
        let report = Arc::new(judge::report(&facts, app.clock.now()));
        *self.0.write() = Some(Arc::clone(&report));
        report
    }
}

/// Looks at start and from time to time, so that a trigger's card can tell.
pub async fn keep_looking(app: App) {
    loop {
        let before = app.reachability.of_webhooks();
        let report = app.reachability.look(&app).await;
        if report.webhooks == Reach::NotReachable && before != Reach::NotReachable {
            for finding in report.findings.iter().filter(|finding| finding.state == State::Bad) {
                tracing::warn!("{}: {}", finding.about, finding.said);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.shutdown.begun() => return,
        }
    }
}
