//! Reads dates and times as people and services write them. A date without a time zone is in UTC; day and month are never guessed
//! from `01/02/2026`.

use crate::Json;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// The forms of a date and time without a zone.
const MOMENTS: [&str; 8] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
];
/// The forms with a zone that RFC 3339 doesn't cover.
const ZONED: [&str; 5] =
    ["%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M %z"];
/// The forms of a day.
const DAYS: [&str; 8] = ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y%m%d"];

/// What the forms look like, for error sentences.
pub(crate) const FORMS: &str = "such as 2026-11-20, 2026-11-20 10:25 or 2026-11-20T10:25:00+01:00";

/// A moment as expressions see it: RFC 3339 in UTC with milliseconds.
pub(crate) fn write(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads a text as a moment, in the offset it was written with.
pub(crate) fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    let text = text.trim();
    // Longer than any of the forms: nothing to try.
    if text.len() > 64 {
        return None;
    }
    let utc = |moment: NaiveDateTime| moment.and_utc().fixed_offset();
    let zulu = text.strip_suffix(['Z', 'z']).map(|text| text.strip_suffix(' ').unwrap_or(text));
    DateTime::parse_from_rfc3339(text)
        .ok()
        .or_else(|| ZONED.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()))
        .or_else(|| MOMENTS.iter().find_map(|form| NaiveDateTime::parse_from_str(zulu.unwrap_or(text), form).ok()).map(utc))
        .or_else(|| {
            DAYS.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok()).map(|day| utc(day.and_time(NaiveTime::MIN)))
        })
        .or_else(|| DateTime::parse_from_rfc2822(text).ok())
        .filter(|moment| in_range(moment.to_utc()))
}

/// Does a text that [`parse`] reads say its time zone itself?
pub(crate) fn has_zone(text: &str) -> bool {
    let text = text.trim();
    let naive = MOMENTS.iter().any(|form| NaiveDateTime::parse_from_str(text, form).is_ok());
    !naive && !DAYS.iter().any(|form| NaiveDate::parse_from_str(text, form).is_ok())
}

/// Reads a value as a moment: text, or a number of seconds (or, when it is that large, milliseconds) since 1970.
pub(crate) fn read(value: &Json) -> Option<DateTime<FixedOffset>> {
    match value {
        Json::String(text) => parse(text),
        Json::Number(number) => from_timestamp(number.as_f64()?).map(|moment| moment.fixed_offset()),
        _ => None,
    }
}

/// A Unix time: seconds below 100,000,000,000 (the year 5138), milliseconds from there.
pub(crate) fn from_timestamp(number: f64) -> Option<DateTime<Utc>> {
    let seconds = if number.abs() < 1e11 { number } else { number / 1000.0 };
    #[allow(clippy::cast_possible_truncation, reason = "a cast saturates, and what is out of range is refused below")]
    let micros = (seconds * 1e6).round() as i64;
    DateTime::from_timestamp_micros(micros).filter(|moment| in_range(*moment))
}

/// Years 0001 to 9999: what every reader of our dates can hold.
pub(crate) fn in_range(moment: DateTime<Utc>) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&moment.year())
}

/// `moment` moved by `delta`, when the result is still a date that can be written.
pub(crate) fn shift(moment: DateTime<Utc>, delta: TimeDelta) -> Option<DateTime<Utc>> {
    moment.checked_add_signed(delta).filter(|moment| in_range(*moment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_read_as_people_and_services_write_them() {
        for (written, read) in [
            ("2026-11-20", "2026-11-20T00:00:00+00:00"),
            ("2026-11-20T10:25:30.5+01:00", "2026-11-20T10:25:30.500+01:00"),
            ("2026-11-20T10:25Z", "2026-11-20T10:25:00+00:00"),
            ("2026-11-20 10:25", "2026-11-20T10:25:00+00:00"),
            ("2026-11-20 10:25:30+0200", "2026-11-20T10:25:30+02:00"),
            ("2026-11-20 10:25:30 UTC", ""),
            ("20.11.2026 10:25", "2026-11-20T10:25:00+00:00"),
            ("20 November 2026", "2026-11-20T00:00:00+00:00"),
            ("Nov 20, 2026", "2026-11-20T00:00:00+00:00"),
            ("Fri, 20 Nov 2026 10:25:00 GMT", "2026-11-20T10:25:00+00:00"),
            ("11/20/2026", ""),
            ("2026-02-30", ""),
            ("tomorrow", ""),
            ("", ""),
        ] {
            assert_eq!(parse(written).map_or(String::new(), |moment| moment.to_rfc3339()), read, "{written}");
        }
    }

    #[test]
    fn timestamps_are_seconds_or_milliseconds() {
        for number in [json!(1_795_170_300), json!(1_795_170_300_000_i64), json!(1_795_170_300.0)] {
            assert_eq!(read(&number).unwrap().to_rfc3339(), "2026-11-20T10:25:00+00:00");
        }
        assert!(read(&json!(1e300)).is_none());
        assert!(read(&json!(u64::MAX)).is_none());
        assert!(read(&json!(null)).is_none());
    }
}
