//! A schedule in words: what stands on the trigger's card and in the list of workflows.

use super::{MonthDay, Repeat, Schedule};
use chrono::{NaiveTime, Weekday};
use std::fmt;

impl fmt::Display for Schedule {
    /// "Every day at 09:00", "Every Monday and Thursday at 09:00". Without the zone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repeat {
            Repeat::Minutes(1) => f.write_str("Every minute"),
            Repeat::Minutes(every) => write!(f, "Every {every} minutes"),
            Repeat::Hours { every: 1, minute: 0 } => f.write_str("Every hour"),
            Repeat::Hours { every: 1, minute } => write!(f, "Every hour, {}", past(*minute)),
            Repeat::Hours { every, minute: 0 } => write!(f, "Every {every} hours"),
            Repeat::Hours { every, minute } => write!(f, "Every {every} hours, {}", past(*minute)),
            Repeat::Days { at, .. } => write!(f, "Every day at {}", clock(*at)),
            Repeat::Weeks { on, at, .. } => write!(f, "{} at {}", days(on), clock(*at)),
            Repeat::Months { day: MonthDay::Last, at, .. } => write!(f, "On the last day of the month at {}", clock(*at)),
            Repeat::Months { day: MonthDay::Day(day), at, .. } => {
                write!(f, "On the {} of the month at {}", ordinal(*day), clock(*at))
            }
            Repeat::Cron { cron, .. } => f.write_str(cron.describe().trim_end_matches('.')),
        }
    }
}

fn past(minute: u32) -> String {
    format!("{minute} {} past", if minute == 1 { "minute" } else { "minutes" })
}

fn clock(at: NaiveTime) -> String {
    at.format("%H:%M").to_string()
}

fn days(on: &[Weekday]) -> String {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    match on {
        [Mon, Tue, Wed, Thu, Fri, Sat, Sun] => "Every day".into(),
        [Mon, Tue, Wed, Thu, Fri] => "Every weekday".into(),
        [Sat, Sun] => "Every Saturday and Sunday".into(),
        [rest @ .., last] if !rest.is_empty() => {
            let rest: Vec<&str> = rest.iter().map(|day| name(*day)).collect();
            format!("Every {} and {}", rest.join(", "), name(*last))
        }
        one => format!("Every {}", one.first().map_or("day", |day| name(*day))),
    }
}

fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

fn ordinal(day: u32) -> String {
    let end = match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{end}")
}
