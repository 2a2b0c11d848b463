//! When to look again: pure.

use chrono::TimeDelta;
use std::time::Duration;

/// The shortest pause between two looks that a workflow may ask for.
pub const SHORTEST: Duration = Duration::from_secs(10);
/// The longest pause after failures, unless the workflow's own is longer.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The longest pause that a service can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The pause before the next look. `chance` (0 to 1) spreads looks that would fall together: by a tenth when all is well, by half after
/// failures, which double the pause. `asked` is what the service asked for.
pub fn pause(every: Duration, failures: u32, asked: Option<Duration>, chance: f64) -> TimeDelta {
    let chance = chance.clamp(0.0, 1.0);
    let pause = if failures == 0 {
        every.mul_f64(1.0 + chance / 10.0)
    } else {
        let doubled = every.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(LONGEST.max(every));
        doubled.mul_f64(0.5 + chance / 2.0)
    };
    let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
    TimeDelta::from_std(pause.max(asked)).unwrap_or(TimeDelta::hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_spread_failures_slow_them_down_and_a_service_s_wish_is_obeyed() {
        let seconds = |every, failures, asked: Option<u64>, chance| {
            pause(Duration::from_secs(every), failures, asked.map(Duration::from_secs), chance).num_seconds()
        };
        assert_eq!((seconds(60, 0, None, 0.0), seconds(60, 0, None, 1.0)), (60, 66));
        assert_eq!((seconds(60, 1, None, 0.0), seconds(60, 1, None, 1.0)), (60, 120));
        assert_eq!((seconds(60, 3, None, 0.0), seconds(60, 3, None, 1.0)), (240, 480));
        assert_eq!(seconds(60, 40, None, 1.0), 3_600);
        assert_eq!(seconds(7_200, 5, None, 1.0), 7_200, "a pause that is long anyway isn't doubled");
        assert_eq!(seconds(60, 0, Some(900), 0.5), 900);
        assert_eq!(seconds(60, 1, Some(10_000_000), 0.5), 86_400);
    }
}
