//! Places in a service's list: fields that are numbers or times, compared and moved back. Pure.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use towpath_engine::{Json, Object};

/// Values by the names of a manifest's `cursor`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub Object);

impl Position {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By the first field that differs. What has nothing to compare is equal.
    pub fn order(&self, other: &Self) -> Ordering {
        let differing = self.0.iter().filter_map(|(name, value)| Some(compare(value, other.0.get(name)?)));
        differing.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
    }

    pub fn is_before(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Less
    }
}

/// Field by field, the larger one.
pub fn largest(mut at: Position, other: &Position) -> Position {
    for (name, value) in &other.0 {
        match at.0.get(name) {
            Some(known) if compare(value, known) != Ordering::Greater => {}
            _ => {
                at.0.insert(name.clone(), value.clone());
            }
        }
    }
    at
}

/// So many seconds earlier: numbers are seconds since 1970 (with or without a fraction), texts are such numbers or RFC 3339 times.
/// What is neither stays.
pub fn shifted(at: &Position, seconds: u64) -> Position {
    if seconds == 0 {
        return at.clone();
    }
    Position(at.0.iter().map(|(name, value)| (name.clone(), back(value, seconds))).collect())
}

fn back(value: &Json, seconds: u64) -> Json {
    let signed = i64::try_from(seconds).unwrap_or(i64::MAX);
    match value {
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.saturating_sub(signed).max(0).into(),
            None => value.clone(),
        },
        Json::String(text) => {
            // A decimal text keeps its fraction to the digit: "1718000000.000100".
            let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
            if let (Ok(whole), true) = (whole.parse::<i64>(), fraction.bytes().all(|byte| byte.is_ascii_digit())) {
                let earlier = whole.saturating_sub(signed).max(0);
                return if fraction.is_empty() { earlier.to_string().into() } else { format!("{earlier}.{fraction}").into() };
            }
            match text.parse::<DateTime<Utc>>() {
                Ok(time) => {
                    let form = if time.timestamp_subsec_nanos() == 0 { SecondsFormat::Secs } else { SecondsFormat::AutoSi };
                    (time - Duration::seconds(signed)).to_rfc3339_opts(form, true).into()
                }
                Err(_) => value.clone(),
            }
        }
        _ => value.clone(),
    }
}

/// Times by their moment, numbers by their value (as exactly as they are written), anything else as text.
fn compare(a: &Json, b: &Json) -> Ordering {
    if let (Some(a), Some(b)) = (decimal(a), decimal(b)) {
        return a.cmp(&b);
    }
    if let (Some(a), Some(b)) = (time(a), time(b)) {
        return a.cmp(&b);
    }
    crate::sdk::value::text(a).cmp(&crate::sdk::value::text(b))
}

/// A number as its whole part and 18 digits of its fraction.
fn decimal(value: &Json) -> Option<(i64, u64)> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 18 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((whole.parse().ok()?, format!("{fraction:0<18}").parse().ok()?))
}

fn time(value: &Json) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(value: Json) -> Position {
        Position(json!({ "ts": value }).as_object().unwrap().clone())
    }

    #[test]
    fn places_are_compared_as_what_they_are() {
        let table = [
            (json!("999.5"), json!("1000.000001")),
            (json!("1718000000.000100"), json!("1718000000.000200")),
            (json!(9), json!(10)),
            (json!("2026-03-02T10:00:00+01:00"), json!("2026-03-02T09:30:00Z")),
            (json!("2026-03-02T09:30:00Z"), json!("2026-03-02T09:30:00.5Z")),
            (json!("a"), json!("b")),
        ];
        for (before, after) in table {
            assert!(at(before.clone()).is_before(&at(after.clone())), "{before} {after}");
            assert!(!at(after.clone()).is_before(&at(before.clone())), "{before} {after}");
            assert!(!at(after.clone()).is_before(&at(after.clone())));
            assert_eq!(largest(at(before.clone()), &at(after.clone())), at(after.clone()));
            assert_eq!(largest(at(after.clone()), &at(before)), at(after));
        }
        assert!(!at(json!(1)).is_before(&Position::default()));
        assert!(!Position::default().is_before(&at(json!(1))));
    }

    #[test]
    fn a_look_begins_so_many_seconds_earlier() {
        let table = [
            (json!("1718000000.000100"), json!("1717999880.000100")),
            (json!("1718000000"), json!("1717999880")),
            (json!(1718000000), json!(1717999880)),
            (json!(5), json!(0)),
            (json!("2026-03-02T00:01:00Z"), json!("2026-03-01T23:59:00Z")),
            (json!("2026-03-02T00:01:00.250Z"), json!("2026-03-01T23:59:00.250Z")),
            (json!("opaque"), json!("opaque")),
        ];
        for (value, expected) in table {
            assert_eq!(shifted(&at(value.clone()), 120), at(expected), "{value}");
        }
    }
}
