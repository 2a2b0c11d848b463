//! What becomes of something that arrived: one pure decision over the workflow's standing and what verification said. It does
//! nothing itself; [`super::take`] carries it out.

use serde::Serialize;
use std::fmt;

/// How a workflow stands towards its trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This version runs.
    Published {
        version: u32,
    },
    /// It is published, and this version can't be started; the sentence says why.
    NotStartable {
        version: u32,
        why: String,
    },
    /// It was never published, or the published version has another trigger.
    Unpublished,
    Paused,
}

/// Why something was kept in the inbox and not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parking {
    Unpublished,
    Paused,
    NotStartable,
}

impl Parking {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unpublished => "unpublished",
            Self::Paused => "paused",
            Self::NotStartable => "not_startable",
        }
    }
}

/// Why a delivery was refused. Stable words: they are stored, and the trigger's card lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Method,
    Address,
    /// No password or token, or a wrong one.
    Credentials,
    Signature,
    /// Signed too long ago, or in the future: perhaps sent again by somebody who listened.
    Timestamp,
    /// The trigger's own settings are not complete, so nobody can be let in.
    NotSetUp,
    TooLarge,
    /// The body is not what it says it is.
    Malformed,
    /// The body is in an encoding that isn't read here.
    Encoding,
    /// The sender stopped in the middle of the body, or was too slow.
    Cut,
    /// A form's trap for robots was filled in.
    Spam,
    /// The same delivery came before; it started a run then.
    Duplicate,
    /// Verified, and not what the trigger is for.
    Ignored,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Address => "address",
            Self::Credentials => "credentials",
            Self::Signature => "signature",
            Self::Timestamp => "timestamp",
            Self::NotSetUp => "not_set_up",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Encoding => "encoding",
            Self::Cut => "cut",
            Self::Spam => "spam",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }

    /// Must the caller hear the same as for an address that doesn't exist? So for everything that tells who may call.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Address | Self::Credentials | Self::Signature | Self::Timestamp | Self::NotSetUp)
    }
}

/// A delivery that was turned away: the reason, and a sentence for the workflow's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub detail: String,
}

impl Refusal {
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// What is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Start { version: u32 },
    Park(Parking),
    Refuse(Refusal),
}

/// A delivery that fails verification is refused however the workflow stands; one that passes is never dropped.
pub fn decide(standing: &Standing, verified: Result<(), Refusal>) -> Decision {
    match (verified, standing) {
        (Err(refusal), _) => Decision::Refuse(refusal),
        (Ok(()), Standing::Published { version }) => Decision::Start { version: *version },
        (Ok(()), Standing::NotStartable { .. }) => Decision::Park(Parking::NotStartable),
        (Ok(()), Standing::Unpublished) => Decision::Park(Parking::Unpublished),
        (Ok(()), Standing::Paused) => Decision::Park(Parking::Paused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings() -> Vec<(Standing, Decision)> {
        vec![
            (Standing::Published { version: 7 }, Decision::Start { version: 7 }),
            (Standing::NotStartable { version: 7, why: "x".into() }, Decision::Park(Parking::NotStartable)),
            (Standing::Unpublished, Decision::Park(Parking::Unpublished)),
            (Standing::Paused, Decision::Park(Parking::Paused)),
        ]
    }

    #[test]
    fn a_verified_delivery_is_started_or_parked_and_never_dropped() {
        for (standing, expected) in standings() {
            assert_eq!(decide(&standing, Ok(())), expected, "{standing:?}");
        }
    }

    #[test]
    fn a_delivery_that_fails_verification_is_refused_in_every_state() {
        let refusal = Refusal::new(Reason::Signature, "the signature is wrong");
        for (standing, _) in standings() {
            assert_eq!(decide(&standing, Err(refusal.clone())), Decision::Refuse(refusal.clone()), "{standing:?}");
        }
    }
}
