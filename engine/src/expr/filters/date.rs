//! Filters for dates and times. A date is text (RFC 3339, or one of the forms that people write) or a Unix time; what has no time
//! zone is in UTC.

use super::date_pattern;
use crate::{
    Json,
    expr::{
        error::Fault,
        functions::{Arguments, Call, Function, Group, Parameter, may, need},
        moment,
        value::{Val, wrong},
    },
};
use chrono::{
    DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveTime, Offset, SecondsFormat, TimeDelta, TimeZone, Timelike,
};
use chrono_tz::Tz;

const fn filter(name: &'static str, call: Call, parameters: &'static [Parameter]) -> Function {
    Function::filter(Group::Date, name, call, parameters)
}

type Value<'a> = Result<Val<'a>, Fault>;

pub(super) const TABLE: &[Function] = &[
    filter("date", date, &[may("timezone")]).says(
        "As a date and time",
        r#""20.11.2026 10:25" | date("Europe/Berlin")"#,
        r#""2026-11-20T10:25:00+01:00""#,
        "Reads a date as people or services write it. A date without a time zone is in UTC, or in the one that you name.",
    ),
    filter("format_date", format_date, &[need("pattern"), may("timezone")]).says(
        "As people write it",
        r#""2026-11-20T09:05:00Z" | format_date("D MMMM YYYY, HH:mm", "Europe/Berlin")"#,
        r#""20 November 2026, 10:05""#,
        "YYYY year, M MM MMM MMMM month, D DD day, ddd dddd weekday, H HH hour, h A for 12 hours, mm minute, ss second, Z offset, WW week; [words] in square brackets stay.",
    ),
    filter("add", add, &[need("amount"), may("unit")]).says(
        "Move a date",
        r#""2026-01-31" | add(1, "months")"#,
        r#""2026-02-28T00:00:00Z""#,
        "Later by so many seconds, minutes, hours, days (unless you say otherwise), weeks, months or years; earlier with a negative number.",
    ),
    filter("difference", difference, &[need("until"), may("unit")]).says(
        "Time between dates",
        r#""2026-11-20" | difference("2026-12-24", "days")"#,
        "34",
        "How many whole seconds, minutes, hours, days (unless you say otherwise), weeks, months or years lie between the two; negative when the second is earlier.",
    ),
    filter("start_of", start_of, &[need("unit"), may("timezone")]).says(
        "Beginning of a day, month or year",
        r#""2026-11-20T10:25:00Z" | start_of("month")"#,
        r#""2026-11-01T00:00:00Z""#,
        "The beginning of the minute, hour, day, week (Monday), month, quarter or year in which the date lies.",
    ),
    filter("timezone", timezone, &[need("timezone")]).says(
        "In another time zone",
        r#""2026-07-01T12:00:00Z" | timezone("America/New_York")"#,
        r#""2026-07-01T08:00:00-04:00""#,
        "The same moment as clocks show it there.",
    ),
    filter("from_timestamp", from_timestamp, &[]).says(
        "From a Unix time",
        "1795170300 | from_timestamp",
        r#""2026-11-20T10:25:00Z""#,
        "The date of a number of seconds, or milliseconds, since 1970.",
    ),
    filter("timestamp", timestamp, &[may("unit")]).says(
        "As a Unix time",
        r#""2026-11-20T10:25:00Z" | timestamp"#,
        "1795170300",
        "The number of seconds since 1970, or of milliseconds when you say so.",
    ),
];

/// A moment as the filters yield it: RFC 3339 with as many fractions of a second as there are.
fn write(moment: DateTime<FixedOffset>) -> Json {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
}

fn read(value: &Val<'_>, who: &str) -> Result<DateTime<FixedOffset>, Fault> {
    let value = value.json()?;
    moment::read(value).ok_or_else(|| wrong(who, &format!("a date {}", moment::FORMS), value))
}

fn input(call: &mut Arguments<'_>, index: usize) -> Result<DateTime<FixedOffset>, Fault> {
    let value = call.take(index)?;
    read(&value, call.who())
}

fn zone(call: &mut Arguments<'_>, index: usize) -> Result<Option<Tz>, Fault> {
    if !call.given(index) {
        return Ok(None);
    }
    let name = call.text(index)?;
    let found = name
        .parse::<Tz>()
        .ok()
        .or_else(|| chrono_tz::TZ_VARIANTS.into_iter().find(|zone| zone.name().eq_ignore_ascii_case(&name)));
    found.map(Some).ok_or_else(|| {
        Fault::new("There is no such time zone; write a region and a city, such as Europe/Berlin or America/New_York.")
            .saw(format!("\"{name}\""))
    })
}

/// The moment at which clocks in the zone show this; in the hour that a change of the clocks skips, right after it.
fn local(day: NaiveDate, time: NaiveTime, zone: Tz) -> DateTime<FixedOffset> {
    let wall = day.and_time(time);
    let found =
        zone.from_local_datetime(&wall).earliest().or_else(|| zone.from_local_datetime(&(wall + TimeDelta::hours(1))).earliest());
    found.map_or_else(|| wall.and_utc().fixed_offset(), |moment| moment.fixed_offset())
}

fn date(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    let moment = read(&value, "date")?;
    let Some(zone) = zone(&mut call, 1)? else { return Ok(write(moment).into()) };
    let says_its_zone = match value.json()? {
        // What reads differently with a zone put behind it had none of its own.
        Json::String(text) => moment::has_zone(text),
        _ => true,
    };
    if says_its_zone {
        return Ok(write(moment.with_timezone(&zone).fixed_offset()).into());
    }
    let wall = moment.naive_utc();
    Ok(write(local(wall.date(), wall.time(), zone)).into())
}

fn format_date(mut call: Arguments<'_>) -> Value<'_> {
    let moment = input(&mut call, 0)?;
    let pattern = call.text(1)?;
    let zone = zone(&mut call, 2)?;
    let moment = zone.map_or(moment, |zone| moment.with_timezone(&zone).fixed_offset());
    call.scope.room(pattern.len().saturating_mul(12))?;
    Ok(Val::text(date_pattern::write(moment, &pattern)))
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

fn unit(call: &mut Arguments<'_>, index: usize, default: &'static str) -> Result<Unit, Fault> {
    let name = call.text_or(index, default)?;
    Ok(match name.trim().to_ascii_lowercase().trim_end_matches('s') {
        "m" | "millisecond" => Unit::Millisecond,
        "" | "second" | "sec" => Unit::Second,
        "minute" | "min" => Unit::Minute,
        "hour" | "h" => Unit::Hour,
        "day" | "d" => Unit::Day,
        "week" | "w" => Unit::Week,
        "month" => Unit::Month,
        "quarter" => Unit::Quarter,
        "year" | "y" => Unit::Year,
        _ => {
            return Err(Fault::new("A unit of time is one of seconds, minutes, hours, days, weeks, months, quarters and years.")
                .saw(format!("\"{name}\"")));
        }
    })
}

fn add(mut call: Arguments<'_>) -> Value<'_> {
    let moment = input(&mut call, 0)?;
    let amount = call.whole(1, -1_000_000_000_000, 1_000_000_000_000)?;
    let moved = match unit(&mut call, 2, "days")? {
        Unit::Millisecond => TimeDelta::try_milliseconds(amount).and_then(|delta| moment.checked_add_signed(delta)),
        Unit::Second => TimeDelta::try_seconds(amount).and_then(|delta| moment.checked_add_signed(delta)),
        Unit::Minute => TimeDelta::try_minutes(amount).and_then(|delta| moment.checked_add_signed(delta)),
        Unit::Hour => TimeDelta::try_hours(amount).and_then(|delta| moment.checked_add_signed(delta)),
        Unit::Day => add_days(moment, amount),
        Unit::Week => amount.checked_mul(7).and_then(|days| add_days(moment, days)),
        Unit::Month => add_months(moment, amount),
        Unit::Quarter => amount.checked_mul(3).and_then(|months| add_months(moment, months)),
        Unit::Year => amount.checked_mul(12).and_then(|months| add_months(moment, months)),
    };
    let moved = moved.filter(|moment| moment::in_range(moment.to_utc()));
    moved.map(|moment| write(moment).into()).ok_or_else(|| Fault::new("The result isn't a date in the years 1 to 9999."))
}

fn add_days(moment: DateTime<FixedOffset>, days: i64) -> Option<DateTime<FixedOffset>> {
    let distance = Days::new(days.unsigned_abs());
    if days < 0 { moment.checked_sub_days(distance) } else { moment.checked_add_days(distance) }
}

fn add_months(moment: DateTime<FixedOffset>, months: i64) -> Option<DateTime<FixedOffset>> {
    let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { moment.checked_sub_months(distance) } else { moment.checked_add_months(distance) }
}

fn difference(mut call: Arguments<'_>) -> Value<'_> {
    let (from, to) = (input(&mut call, 0)?, input(&mut call, 1)?);
    let delta = to - from;
    Ok(Json::from(match unit(&mut call, 2, "days")? {
        Unit::Millisecond => delta.num_milliseconds(),
        Unit::Second => delta.num_seconds(),
        Unit::Minute => delta.num_minutes(),
        Unit::Hour => delta.num_hours(),
        Unit::Day => delta.num_days(),
        Unit::Week => delta.num_weeks(),
        Unit::Month => months_between(from, to),
        Unit::Quarter => months_between(from, to) / 3,
        Unit::Year => months_between(from, to) / 12,
    })
    .into())
}

/// Whole months from one moment to the other: the most that can be added to the earlier without passing the later.
fn months_between(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>) -> i64 {
    if to < from {
        return -months_between(to, from);
    }
    let to = to.with_timezone(from.offset());
    let months = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
    if add_months(from, months).is_some_and(|reached| reached <= to) { months } else { months - 1 }
}

fn start_of(mut call: Arguments<'_>) -> Value<'_> {
    let moment = input(&mut call, 0)?;
    let unit = unit(&mut call, 1, "day")?;
    let zone = zone(&mut call, 2)?;
    let moment = zone.map_or(moment, |zone| moment.with_timezone(&zone).fixed_offset());
    let (day, time) = (moment.date_naive(), moment.time());
    let first_of = |month: u32| day.with_day(1).and_then(|day| day.with_month(month)).unwrap_or(day);
    let (day, time) = match unit {
        Unit::Millisecond => return Err(Fault::new("start_of takes minute, hour, day, week, month, quarter or year.")),
        Unit::Second => (day, time.with_nanosecond(0)),
        Unit::Minute => (day, NaiveTime::from_hms_opt(time.hour(), time.minute(), 0)),
        Unit::Hour => (day, NaiveTime::from_hms_opt(time.hour(), 0, 0)),
        Unit::Day => (day, None),
        Unit::Week => (day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())).unwrap_or(day), None),
        Unit::Month => (first_of(day.month()), None),
        Unit::Quarter => (first_of((day.month0() / 3) * 3 + 1), None),
        Unit::Year => (first_of(1), None),
    };
    let time = time.unwrap_or(NaiveTime::MIN);
    let start = match zone {
        // Within a day the offset stays what it is; else an hour that occurs twice would always be the first.
        Some(zone) if matches!(unit, Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::Year) => local(day, time, zone),
        _ => day.and_time(time).and_local_timezone(moment.offset().fix()).earliest().unwrap_or(moment),
    };
    Ok(write(start).into())
}

fn timezone(mut call: Arguments<'_>) -> Value<'_> {
    let moment = input(&mut call, 0)?;
    let zone = zone(&mut call, 1)?.unwrap_or(Tz::UTC);
    Ok(write(moment.with_timezone(&zone).fixed_offset()).into())
}

fn from_timestamp(mut call: Arguments<'_>) -> Value<'_> {
    let number = call.number(0)?;
    let moment = moment::from_timestamp(number.to_f64())
        .ok_or_else(|| Fault::new("This number is not the time of a date in the years 1 to 9999."))?;
    Ok(write(moment.fixed_offset()).into())
}

fn timestamp(mut call: Arguments<'_>) -> Value<'_> {
    let moment = input(&mut call, 0)?;
    match unit(&mut call, 1, "seconds")? {
        Unit::Second => Ok(Json::from(moment.timestamp()).into()),
        Unit::Millisecond => Ok(Json::from(moment.timestamp_millis()).into()),
        _ => Err(Fault::new("A Unix time is in seconds or in milliseconds.")),
    }
}
