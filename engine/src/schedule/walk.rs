//! From times on a clock to moments: what a change of the clock does to them.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// The longest that a clock was ever set forward or back: a whole day, in Samoa.
const LONGEST_CHANGE: TimeDelta = TimeDelta::hours(25);
/// More times of a pattern than can fall into one gap, or be repeated by one overlap.
const MOST_IN_A_CHANGE: usize = 2 * 24 * 60;

/// The first moment after `after` that is a whole number of `every` minutes from the zone's midnight of 2000-01-01, plus `past`.
pub fn interval(zone: Tz, every: i64, past: i64, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let midnight = chrono::NaiveDate::from_ymd_opt(2000, 1, 1)?.and_hms_opt(0, 0, 0)?;
    let anchor = resolve(zone, midnight)?.timestamp() + past * 60;
    let (pace, since) = (every.max(1) * 60, after.timestamp() - anchor);
    DateTime::from_timestamp(anchor + (since.div_euclid(pace) + 1) * pace, 0)
}

/// The first moment after `after` for a pattern of which each time on the clock counts once.
pub fn clock(cron: &Cron, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut from = local(zone, after);
    for _ in 0..MOST_IN_A_CHANGE {
        let time = next_on_clock(cron, from)?;
        if let Some(moment) = resolve(zone, time).filter(|moment| *moment > after) {
            return Some(moment);
        }
        from = time;
    }
    None
}

/// The first moment after `after` at which the clock shows a time of the pattern, however often it shows it.
pub fn real(cron: &Cron, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut after = after;
    for _ in 0..MOST_IN_A_CHANGE {
        let offset = offset(zone, after);
        let time = next_on_clock(cron, local(zone, after))?;
        let moment = (time - offset).and_utc();
        // Is the clock changed before that? Only near by can it show times again that it showed before.
        let near = moment.min(after + LONGEST_CHANGE);
        if self::offset(zone, near) != offset {
            after = change(zone, after, near);
            if is_on_clock(cron, local(zone, after)) {
                return Some(after);
            }
        } else if near == moment {
            return Some(moment);
        } else {
            match zone.from_local_datetime(&time) {
                LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => return Some(moment.to_utc()),
                LocalResult::None => after = after_gap(zone, time)? - TimeDelta::seconds(1),
            }
        }
    }
    None
}

fn local(zone: Tz, moment: DateTime<Utc>) -> NaiveDateTime {
    moment.with_timezone(&zone).naive_local()
}

fn offset(zone: Tz, moment: DateTime<Utc>) -> Duration {
    Duration::seconds(i64::from(zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc()))
}

/// The next time of the pattern on a clock that is never changed.
fn next_on_clock(cron: &Cron, after: NaiveDateTime) -> Option<NaiveDateTime> {
    cron.find_next_occurrence(&after.and_utc(), false).ok().map(|found| found.naive_utc())
}

fn is_on_clock(cron: &Cron, time: NaiveDateTime) -> bool {
    next_on_clock(cron, time - TimeDelta::seconds(1)) == Some(time)
}

/// When the clock shows this time: the first time it does, or right after the gap that swallows it.
fn resolve(zone: Tz, time: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&time) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
        LocalResult::None => after_gap(zone, time),
    }
}

/// The first moment after the gap in which this time lies.
fn after_gap(zone: Tz, time: NaiveDateTime) -> Option<DateTime<Utc>> {
    let around = time.and_utc();
    let (before, after) = (around - LONGEST_CHANGE - TimeDelta::hours(15), around + LONGEST_CHANGE + TimeDelta::hours(15));
    // The clock never shows `time`: it jumps from before it to after it.
    let (mut early, mut late) = (before.timestamp(), after.timestamp());
    while late - early > 1 {
        let middle = early + (late - early) / 2;
        let shown = local(zone, DateTime::from_timestamp(middle, 0)?);
        if shown < time { early = middle } else { late = middle }
    }
    DateTime::from_timestamp(late, 0)
}

/// The first moment after `early` with another offset than there; `late` has one.
fn change(zone: Tz, early: DateTime<Utc>, late: DateTime<Utc>) -> DateTime<Utc> {
    let before = offset(zone, early);
    let (mut early, mut late) = (early.timestamp(), late.timestamp());
    while late - early > 1 {
        let middle = early + (late - early) / 2;
        let same = DateTime::from_timestamp(middle, 0).is_some_and(|moment| offset(zone, moment) == before);
        if same { early = middle } else { late = middle }
    }
    DateTime::from_timestamp(late, 0).unwrap_or_default()
}
