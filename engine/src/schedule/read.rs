//! A schedule as its form says it. All mistakes at once, each at its field.

use super::{MOST_MISSED, Missed, MonthDay, Pace, Repeat, Schedule};
use crate::{Json, Object, expr::closest};
use chrono::{DateTime, NaiveTime, Timelike, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

/// A value that can't be used: the field, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub message: String,
}

/// Days as documents write them, from Monday on.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

impl Schedule {
    /// Reads a trigger's `input`: `repeat` (`minutes`, `hours`, `days`, `weeks`, `months`, `cron`) with `minutes`, `hours` and `minute`,
    /// `at` (`09:00`), `days` (`["mon", "thu"]`), `day` (`1` to `31` or `last`), `cron`; `zone`; `missed` (`skip`, `last`, `all`) with
    /// `missed_limit`, `missed_paused`.
    pub fn read(input: &Object) -> Result<Self, Vec<Wrong>> {
        let mut form = Form { input, wrong: Vec::new() };
        let repeat = form.repeat();
        let zone = form.zone();
        let missed = form.missed();
        let missed_while_paused = input.get("missed_paused").and_then(Json::as_bool).unwrap_or(false);
        match (repeat, zone, missed) {
            (Some(repeat), Some(zone), Some(missed)) if form.wrong.is_empty() => {
                let schedule = Self { repeat, zone, missed, missed_while_paused };
                if schedule.next(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000)).is_some() {
                    Ok(schedule)
                } else {
                    Err(vec![Wrong { field: "cron", message: NEVER.into() }])
                }
            }
            _ => Err(form.wrong),
        }
    }
}

const NEVER: &str = "This never comes: no such day is in any year. Look at the day and the month.";

struct Form<'a> {
    input: &'a Object,
    wrong: Vec<Wrong>,
}

impl Form<'_> {
    fn wrong<T>(&mut self, field: &'static str, message: impl Into<String>) -> Option<T> {
        self.wrong.push(Wrong { field, message: message.into() });
        None
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.input.get(field).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    fn repeat(&mut self) -> Option<Repeat> {
        match self.text("repeat").unwrap_or("days") {
            "minutes" => Some(Repeat::Minutes(self.count("minutes", 15, 1..=1_440)?)),
            "hours" => {
                let (every, minute) = (self.count("hours", 1, 1..=168), self.count("minute", 0, 0..=59));
                Some(Repeat::Hours { every: every?, minute: minute? })
            }
            "days" => {
                let at = self.at()?;
                Some(Repeat::Days { at, cron: pattern(at, "* * *")? })
            }
            "weeks" => {
                let (on, at) = (self.weekdays(), self.at());
                let (on, at) = (on?, at?);
                let names: Vec<String> = on.iter().map(|day| day.num_days_from_sunday().to_string()).collect();
                Some(Repeat::Weeks { cron: pattern(at, &format!("* * {}", names.join(",")))?, on, at })
            }
            "months" => {
                let (day, at) = (self.month_day(), self.at());
                let (day, at) = (day?, at?);
                let name = match day {
                    MonthDay::Day(day) => day.to_string(),
                    MonthDay::Last => "L".into(),
                };
                Some(Repeat::Months { cron: pattern(at, &format!("{name} * *"))?, day, at })
            }
            "cron" => self.cron(),
            other => {
                let message = format!("\"{other}\" is not one of the choices: minutes, hours, days, weeks, months, cron.");
                self.wrong("repeat", message)
            }
        }
    }

    fn count(&mut self, field: &'static str, default: u32, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let value = match self.input.get(field) {
            None | Some(Json::Null) => return Some(default),
            Some(Json::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        match value.filter(|value| range.contains(value)) {
            Some(value) => Some(value),
            None => self.wrong(field, format!("Write a whole number from {} to {}.", range.start(), range.end())),
        }
    }

    fn at(&mut self) -> Option<NaiveTime> {
        let text = self.text("at").unwrap_or("09:00").to_owned();
        match time_of_day(&text) {
            Some(at) => Some(at),
            None => self.wrong("at", format!("\"{text}\" is not a time of day; write it as 09:00 or 17:30.")),
        }
    }

    fn weekdays(&mut self) -> Option<Vec<Weekday>> {
        let chosen: Vec<&str> = match self.input.get("days") {
            None | Some(Json::Null) => vec!["mon"],
            Some(Json::Array(days)) => days.iter().map(|day| day.as_str().unwrap_or_default()).collect(),
            Some(other) => vec![other.as_str().unwrap_or_default()],
        };
        if let Some(unknown) = chosen.iter().find(|day| !DAYS.iter().any(|(name, _)| name == *day)) {
            let message = format!("\"{unknown}\" is not a day; write mon, tue, wed, thu, fri, sat or sun.");
            return self.wrong("days", message);
        }
        let days: Vec<Weekday> = DAYS.iter().filter(|(name, _)| chosen.contains(name)).map(|(_, day)| *day).collect();
        if days.is_empty() { self.wrong("days", "Pick at least one day.") } else { Some(days) }
    }

    fn month_day(&mut self) -> Option<MonthDay> {
        let value = match self.input.get("day") {
            None | Some(Json::Null) => return Some(MonthDay::Day(1)),
            Some(Json::String(text)) if text.trim() == "last" => return Some(MonthDay::Last),
            Some(Json::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        match value.filter(|day| (1..=31).contains(day)) {
            Some(day) => Some(MonthDay::Day(day)),
            None => self.wrong("day", "Pick a day from 1 to 31, or the last day."),
        }
    }

    fn cron(&mut self) -> Option<Repeat> {
        let Some(line) = self.text("cron").map(str::to_owned) else {
            return self.wrong("cron", "Write a cron line: minute, hour, day of the month, month, day of the week.");
        };
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() != 5 && !line.starts_with('@') {
            let message = format!(
                "A cron line has five fields: minute, hour, day of the month, month, day of the week. This one has {}.",
                fields.len()
            );
            return self.wrong("cron", message);
        }
        match parse(&line) {
            Ok(cron) => {
                // A line that names its hours is meant by the clock; one with `*` hours is an interval.
                let hours = fields.get(1).copied().unwrap_or_default();
                let pace =
                    if hours.contains(['*', '?']) || line.eq_ignore_ascii_case("@hourly") { Pace::Real } else { Pace::Clock };
                Some(Repeat::Cron { cron: Box::new(cron), pace })
            }
            Err(why) => {
                self.wrong("cron", format!("This cron line can't be read: {}", why.trim_end_matches('.').to_owned() + "."))
            }
        }
    }

    fn zone(&mut self) -> Option<Tz> {
        let Some(name) = self.text("zone").map(str::to_owned) else {
            return self.wrong("zone", "Choose the time zone whose clock counts.");
        };
        match zone(&name) {
            Ok(zone) => Some(zone),
            Err(message) => self.wrong("zone", message),
        }
    }

    fn missed(&mut self) -> Option<Missed> {
        match self.text("missed").unwrap_or("last") {
            "skip" => Some(Missed::Skip),
            "last" => Some(Missed::Last),
            "all" => Some(Missed::All(self.count("missed_limit", 24, 1..=MOST_MISSED)?)),
            other => {
                let message = format!("\"{other}\" is not one of the choices: skip, last, all.");
                self.wrong("missed", message)
            }
        }
    }
}

/// A zone by its IANA name.
pub fn zone(name: &str) -> Result<Tz, String> {
    name.parse::<Tz>().map_err(|_| {
        let near = closest(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let near = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        format!("There is no time zone called \"{name}\".{near} Write a region and a city, as Europe/Berlin.")
    })
}

/// `09:00`, `9:00`.
pub fn time_of_day(text: &str) -> Option<NaiveTime> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str| (1..=2).contains(&text.len()).then(|| text.parse::<u32>().ok()).flatten();
    NaiveTime::from_hms_opt(number(hours)?, number(minutes).filter(|_| minutes.len() == 2)?, 0)
}

fn parse(line: &str) -> Result<Cron, String> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(line)
        .map_err(|error| error.to_string())
}

fn pattern(at: NaiveTime, days: &str) -> Option<Box<Cron>> {
    parse(&format!("{} {} {days}", at.minute(), at.hour())).ok().map(Box::new)
}
