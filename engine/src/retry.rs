//! Repeats: whether a failed attempt is tried again, after how long, and under which key the other side may recognise it.
//!
//! Everything is a function of its arguments: planning the same failure twice gives the same answer, the random part included.

use crate::{
    catalogue::Effect,
    error::{ErrorKind, StepError},
    ids::RunId,
    workflow::{Retry, StepPath},
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

/// The longest wait that another side's Retry-After can ask of us.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a failed attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again, once this long has passed since the failure.
    Retry { after: Duration },
    /// The effect may have happened and a repeat would do it twice: a person decides.
    Uncertain,
    /// The service did not take the credentials, and did nothing: once they are renewed, there is another try, which doesn't count
    /// as a repeat.
    Refused,
    /// There is no point in another try, or none is left.
    Fail,
}

/// May the effect of this failed attempt have happened, where a repeat would do it twice?
///
/// A defect of ours counts: nobody knows how far the attempt came.
pub fn is_uncertain(kind: ErrorKind, effect: Option<Effect>) -> bool {
    effect == Some(Effect::Unsafe) && matches!(kind, ErrorKind::Timeout | ErrorKind::Uncertain | ErrorKind::Internal)
}

/// Decides about a failed attempt: the table of effects and outcomes.
///
/// `effect` is `None` for a step that has none outside, or that never got as far: repeating it changes nothing, so it fails.
/// `attempt` counts from 1; `limit` is the number of attempts allowed. `seed` is [`seed`]'s, and spreads the waits.
pub fn verdict(error: &StepError, effect: Option<Effect>, attempt: u16, limit: u16, retry: &Retry, seed: u64) -> Verdict {
    use ErrorKind as Kind;
    let Some(effect) = effect else { return Verdict::Fail };
    let repeat = match error.kind {
        Kind::RateLimited | Kind::Unavailable => true,
        Kind::Timeout | Kind::Uncertain | Kind::Internal if effect == Effect::Unsafe => return Verdict::Uncertain,
        Kind::Timeout | Kind::Uncertain => true,
        Kind::Unauthorized => return Verdict::Refused,
        Kind::InvalidInput | Kind::Forbidden | Kind::NotFound | Kind::Conflict | Kind::Internal => false,
    };
    if !repeat || attempt >= limit {
        return Verdict::Fail;
    }
    let asked = error.retry_after.map_or(Duration::ZERO, |wait| wait.min(MAX_RETRY_AFTER));
    Verdict::Retry { after: asked + backoff(attempt, retry, seed) }
}

/// Exponential with full jitter: anything from nothing to the bound, which starts at `first`, doubles and stops at `max`.
fn backoff(attempt: u16, retry: &Retry, seed: u64) -> Duration {
    let doublings = u32::from(attempt.saturating_sub(1)).min(63);
    let first = u64::try_from(retry.first.0.as_millis()).unwrap_or(u64::MAX);
    let max = u64::try_from(retry.max.0.as_millis()).unwrap_or(u64::MAX);
    let bound = first.saturating_mul(1 << doublings).min(max);
    let share = (u128::from(seed) * (u128::from(bound) + 1)) >> 64;
    Duration::from_millis(u64::try_from(share).unwrap_or(bound))
}

/// The random part of the wait after an attempt: evenly spread over runs, steps and attempts, and the same on every replanning.
pub fn seed(run: RunId, step: &StepPath, attempt: u16) -> u64 {
    let mut hash = Sha256::new();
    hash.update(b"towpath retry\0");
    hash.update(run.0.as_bytes());
    hash.update(step.0.as_bytes());
    hash.update(attempt.to_be_bytes());
    let bytes = hash.finalize();
    bytes.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

/// The key under which the other side may recognise a repeat of this step's effect: the same over attempts, crashes and nodes,
/// and another for every run and every step.
pub fn idempotency_key(run: RunId, step: &StepPath) -> Uuid {
    Uuid::new_v5(&run.0, step.0.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Span;

    const NONE: u64 = 0;
    const ALL: u64 = u64::MAX;

    fn retry() -> Retry {
        Retry { attempts: 9, first: Span(Duration::from_secs(1)), max: Span(Duration::from_secs(10)) }
    }

    fn wait(attempt: u16, seed: u64, asked: Option<u64>) -> Duration {
        let mut error = StepError::new(ErrorKind::RateLimited, "Too many.");
        error.retry_after = asked.map(Duration::from_secs);
        match verdict(&error, Some(Effect::Unsafe), attempt, 99, &retry(), seed) {
            Verdict::Retry { after } => after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread_from_nothing() {
        let most: Vec<u64> = (1..=6).map(|attempt| wait(attempt, ALL, None).as_secs()).collect();
        assert_eq!(most, [1, 2, 4, 8, 10, 10]);
        assert_eq!(wait(70, ALL, None), Duration::from_secs(10));
        assert_eq!(wait(3, NONE, None), Duration::ZERO);
        assert_eq!(wait(3, ALL / 2, None), Duration::from_millis(2_000));
    }

    #[test]
    fn an_unsafe_effect_with_an_unknown_outcome_is_never_repeated_and_none_without_an_effect() {
        for kind in [ErrorKind::Timeout, ErrorKind::Uncertain, ErrorKind::Internal] {
            let error = StepError::new(kind, "Gone.").retry_after(Duration::from_secs(1));
            assert_eq!(verdict(&error, Some(Effect::Unsafe), 1, 99, &retry(), ALL), Verdict::Uncertain);
            assert_eq!(verdict(&error, None, 1, 99, &retry(), ALL), Verdict::Fail);
            let keyed = verdict(&error, Some(Effect::Keyed), 1, 99, &retry(), ALL);
            assert_eq!(keyed == Verdict::Fail, kind == ErrorKind::Internal, "{kind:?}: {keyed:?}");
        }
    }

    #[test]
    fn refused_credentials_did_nothing_whatever_the_effect_and_however_many_attempts_were_made() {
        let error = StepError::new(ErrorKind::Unauthorized, "Who are you?");
        for effect in [Effect::Read, Effect::Idempotent, Effect::Keyed, Effect::Unsafe] {
            assert_eq!(verdict(&error, Some(effect), 99, 1, &retry(), ALL), Verdict::Refused);
        }
        assert_eq!(verdict(&error, None, 1, 9, &retry(), ALL), Verdict::Fail, "it never got as far as asking");
    }

    #[test]
    fn retry_after_is_waited_for_in_full_but_never_beyond_a_day() {
        assert!(wait(1, NONE, Some(120)) >= Duration::from_secs(120));
        assert!(wait(1, ALL, Some(10_000_000)) <= MAX_RETRY_AFTER + Duration::from_secs(1));
    }

    #[test]
    fn seeds_differ_by_run_step_and_attempt_and_repeat_themselves() {
        let (run, step) = (RunId(Uuid::from_u128(1)), StepPath("a".into()));
        let one = seed(run, &step, 1);
        assert_eq!(one, seed(run, &step, 1));
        assert_ne!(one, seed(run, &step, 2));
        assert_ne!(one, seed(run, &StepPath("b".into()), 1));
        assert_ne!(one, seed(RunId(Uuid::from_u128(2)), &step, 1));
        // Spread, not bunched: a thousand runs fill each tenth of the range.
        let mut tenths = [0; 10];
        for run in 0..1_000 {
            tenths[((u128::from(seed(RunId(Uuid::from_u128(run)), &step, 1)) * 10) >> 64) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_idempotency_key_is_the_steps_own_and_the_same_for_every_attempt() {
        let (run, step) = (RunId(Uuid::from_u128(1)), StepPath("a".into()));
        let key = idempotency_key(run, &step);
        assert_eq!(key, idempotency_key(run, &step));
        assert_eq!(key.to_string(), "0abcdf8d-3a47-5867-932d-49cfaa19bc66");
        assert_ne!(key, idempotency_key(run, &StepPath("b".into())));
        assert_ne!(key, idempotency_key(RunId(Uuid::from_u128(2)), &step));
    }
}
