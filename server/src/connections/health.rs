//! How a connection is: what a call through it says about that, and what of it is news.

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use std::collections::HashMap;
use towpath_engine::{
    error::{ErrorKind, StepError},
    ids::ConnectionId,
};

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Health {
    Untested,
    Works,
    /// The service doesn't take the secrets any more, or never did.
    Expired,
    /// Somebody withdrew it at the service.
    Revoked,
    /// The service knows it and doesn't let it do what was asked.
    MissingScope,
    /// The service did not answer a test.
    Unreachable,
}

impl Health {
    pub const ALL: [Self; 6] = [Self::Untested, Self::Works, Self::Expired, Self::Revoked, Self::MissingScope, Self::Unreachable];

    /// As the table has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Untested => "untested",
            Self::Works => "works",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::MissingScope => "missing_scope",
            Self::Unreachable => "unreachable",
        }
    }

    /// What this is called in the table; anything else counts as untested.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|health| health.name() == name).unwrap_or(Self::Untested)
    }

    /// In a word or two, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Untested => "Not tested",
            Self::Works => "Works",
            Self::Expired => "Refused by the service",
            Self::Revoked => "Revoked",
            Self::MissingScope => "Lacks a permission",
            Self::Unreachable => "Not reachable",
        }
    }

    /// Does the service not take it any more? Then its runs wait until it is renewed.
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }

    /// What a workflow's owner should know before relying on it; `None` when there is nothing to say.
    pub fn warning(self, name: &str) -> Option<String> {
        match self {
            Self::Untested | Self::Works | Self::Unreachable => None,
            Self::Expired | Self::Revoked => Some(format!(
                "The service no longer accepts the connection “{name}”. Open it under Connections and enter its secret again."
            )),
            Self::MissingScope => Some(format!("The connection “{name}” lacks a permission at the service.")),
        }
    }
}

/// What a call of a workflow says about its connection, with a sentence for its page; `None` when it says nothing.
pub fn of_call(refused: bool, result: Result<(), &StepError>) -> Option<(Health, Option<String>)> {
    match result {
        Err(error) if error.kind == ErrorKind::Unauthorized => Some((Health::Expired, Some(error.message.clone()))),
        _ if refused => Some((Health::Expired, Some("The service answered that it doesn't know this connection (401).".into()))),
        Ok(()) => Some((Health::Works, None)),
        Err(_) => None,
    }
}

/// What this process wrote lately about connections, so that a busy one isn't written at every call.
#[derive(Default)]
pub(super) struct Recent(Mutex<HashMap<ConnectionId, Told>>);

/// What the table says of a connection: its health, and when it was used last.
type Told = (Health, Option<DateTime<Utc>>);

/// A connection's last use is noted this exactly.
const USED: TimeDelta = TimeDelta::minutes(1);
/// Connections that are remembered; beyond it all are forgotten and written once more.
const MOST: usize = 10_000;

impl Recent {
    /// What the table said a moment ago.
    pub fn saw(&self, id: ConnectionId, health: &str) {
        let mut recent = self.0.lock();
        if recent.len() >= MOST {
            recent.clear();
        }
        recent.entry(id).or_insert((Health::Untested, None)).0 = Health::from_name(health);
    }

    pub fn is_news(&self, id: ConnectionId, health: Health) -> bool {
        let mut recent = self.0.lock();
        let known = recent.entry(id).or_insert((Health::Untested, None));
        std::mem::replace(&mut known.0, health) != health
    }

    /// Is it known by now that the service refuses it?
    pub fn is_refused(&self, id: ConnectionId) -> bool {
        self.0.lock().get(&id).is_some_and(|(health, _)| health.is_refused())
    }

    /// What was noted of it did not come true.
    pub fn forget(&self, id: ConnectionId) {
        self.0.lock().remove(&id);
    }

    /// Is it time to write that it was used?
    pub fn is_due(&self, id: ConnectionId, now: DateTime<Utc>) -> bool {
        let mut recent = self.0.lock();
        let known = recent.entry(id).or_insert((Health::Untested, None));
        let due = known.1.is_none_or(|last| now - last >= USED);
        if due {
            known.1 = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_says_that_a_connection_works_or_is_refused_or_nothing() {
        let error = |kind| StepError::new(kind, "x");
        let of = |refused, result: Result<(), StepError>| of_call(refused, result.as_ref().copied()).map(|(health, _)| health);
        assert_eq!(of(false, Ok(())), Some(Health::Works));
        assert_eq!(of(true, Ok(())), Some(Health::Expired), "a step that goes on after a 401");
        assert_eq!(of(false, Err(error(ErrorKind::Unauthorized))), Some(Health::Expired));
        for kind in [ErrorKind::Timeout, ErrorKind::NotFound, ErrorKind::Forbidden, ErrorKind::Unavailable] {
            assert_eq!(of(false, Err(error(kind))), None, "{kind:?}");
        }
    }

    #[test]
    fn only_news_is_written() {
        let (recent, id) = (Recent::default(), ConnectionId::new());
        recent.saw(id, "works");
        assert!(
            !recent.is_news(id, Health::Works) && recent.is_news(id, Health::Expired) && !recent.is_news(id, Health::Expired)
        );
        let now = DateTime::UNIX_EPOCH;
        assert!(recent.is_due(id, now) && !recent.is_due(id, now + TimeDelta::seconds(59)) && recent.is_due(id, now + USED));
    }

    #[test]
    fn every_health_is_known_by_its_name() {
        assert!(Health::ALL.into_iter().all(|health| Health::from_name(health.name()) == health && !health.words().is_empty()));
    }
}
