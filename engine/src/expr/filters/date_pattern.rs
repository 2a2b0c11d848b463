//! Patterns of dates in the letters that office programs use: `DD.MM.YYYY HH:mm`.

use chrono::{DateTime, Datelike, FixedOffset, Timelike};

/// The longest first, so that `MMMM` isn't read as two `MM`.
const PARTS: [&str; 27] = [
    "YYYY", "YY", "MMMM", "MMM", "MM", "M", "dddd", "ddd", "DDDD", "DD", "D", "HH", "H", "hh", "h", "mm", "m", "SSS", "ss", "s",
    "A", "a", "ZZ", "Z", "WW", "Q", "X",
];

/// The moment as the pattern has it. Everything that is no part of a date stays as it is, and so does what stands in `[ ]`.
pub(super) fn write(moment: DateTime<FixedOffset>, pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        if let Some((kept, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            out.push_str(kept);
            rest = after;
        } else if let Some(part) = PARTS.iter().find(|part| rest.starts_with(**part)) {
            out.push_str(&of(moment, part));
            rest = &rest[part.len()..];
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

fn of(moment: DateTime<FixedOffset>, part: &str) -> String {
    let (pm, hour) = moment.hour12();
    match part {
        "YYYY" => format!("{:04}", moment.year()),
        "YY" => format!("{:02}", moment.year().rem_euclid(100)),
        "MMMM" => moment.format("%B").to_string(),
        "MMM" => moment.format("%b").to_string(),
        "MM" => format!("{:02}", moment.month()),
        "M" => moment.month().to_string(),
        "dddd" => moment.format("%A").to_string(),
        "ddd" => moment.format("%a").to_string(),
        "DDDD" => format!("{:03}", moment.ordinal()),
        "DD" => format!("{:02}", moment.day()),
        "D" => moment.day().to_string(),
        "HH" => format!("{:02}", moment.hour()),
        "H" => moment.hour().to_string(),
        "hh" => format!("{hour:02}"),
        "h" => hour.to_string(),
        "mm" => format!("{:02}", moment.minute()),
        "m" => moment.minute().to_string(),
        "SSS" => format!("{:03}", moment.nanosecond() / 1_000_000 % 1000),
        "ss" => format!("{:02}", moment.second()),
        "s" => moment.second().to_string(),
        "A" => if pm { "PM" } else { "AM" }.to_owned(),
        "a" => if pm { "pm" } else { "am" }.to_owned(),
        "ZZ" => moment.format("%z").to_string(),
        "Z" => moment.format("%:z").to_string(),
        "WW" => format!("{:02}", moment.iso_week().week()),
        "Q" => (moment.month0() / 3 + 1).to_string(),
        "X" => moment.timestamp().to_string(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_the_pattern_has_it() {
        let moment = DateTime::parse_from_rfc3339("2026-02-03T15:04:05.678+01:00").unwrap();
        for (pattern, written) in [
            ("DD.MM.YYYY", "03.02.2026"),
            ("D/M/YY", "3/2/26"),
            ("dddd, D MMMM YYYY [at] h:mm a", "Tuesday, 3 February 2026 at 3:04 pm"),
            ("YYYY-MM-DDTHH:mm:ss.SSSZ", "2026-02-03T15:04:05.678+01:00"),
            ("[week] WW, Q", "week 06, 1"),
            ("hh A ZZ X", "03 PM +0100 1770127445"),
            ("[unclosed", "[unclo5ed"),
            ("ünï 日", "ünï 日"),
            ("", ""),
        ] {
            assert_eq!(write(moment, pattern), written, "{pattern}");
        }
    }
}
