//! Times over changes of the clock in several zones, policies about missed times, and the crate `cron` as a second opinion where no
//! clock is changed.

use super::*;
use crate::{Json, Object};
use proptest::prelude::*;
use serde_json::json;
use std::str::FromStr;

fn read(input: Json) -> Result<Schedule, Vec<Wrong>> {
    Schedule::read(input.as_object().unwrap())
}

fn schedule(input: Json) -> Schedule {
    read(input.clone()).unwrap_or_else(|wrong| panic!("{input}: {wrong:?}"))
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_utc()
}

/// The next slots after a moment, as the zone's clock shows them with its offset.
fn times(input: Json, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(input);
    let shown = |slot: DateTime<Utc>| slot.with_timezone(&schedule.zone()).format("%m-%d %H:%M%:z").to_string();
    schedule.upcoming(at(after), count).into_iter().map(shown).collect()
}

#[test]
fn a_daily_time_that_falls_into_the_gap_of_spring_happens_right_after_it_and_only_once() {
    for (zone, time, after, expected) in [
        ("Europe/Berlin", "02:30", "2026-03-28T00:00:00Z", ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"]),
        ("Europe/Berlin", "02:00", "2026-03-28T02:00:00Z", ["03-29 03:00+02:00", "03-30 02:00+02:00", "03-31 02:00+02:00"]),
        ("America/New_York", "02:15", "2026-03-07T12:00:00Z", ["03-08 03:00-04:00", "03-09 02:15-04:00", "03-10 02:15-04:00"]),
        ("Australia/Lord_Howe", "02:15", "2026-10-02T20:00:00Z", ["10-04 02:30+11:00", "10-05 02:15+11:00", "10-06 02:15+11:00"]),
        // The gap begins at midnight.
        ("Africa/Cairo", "00:15", "2026-04-22T23:00:00Z", ["04-24 01:00+03:00", "04-25 00:15+03:00", "04-26 00:15+03:00"]),
        // The gap ends at midnight, so right after it is another day.
        ("America/Nuuk", "23:30", "2026-03-28T12:00:00Z", ["03-29 00:00-01:00", "03-29 23:30-01:00", "03-30 23:30-01:00"]),
        // Samoa left a whole day out.
        ("Pacific/Apia", "09:00", "2011-12-29T00:00:00Z", ["12-29 09:00-10:00", "12-31 00:00+14:00", "12-31 09:00+14:00"]),
    ] {
        assert_eq!(times(json!({ "repeat": "days", "at": time, "zone": zone }), after, 3), expected, "{time} in {zone}");
    }
}

#[test]
fn a_daily_time_that_comes_twice_in_autumn_happens_the_first_time_only() {
    for (zone, time, after, expected) in [
        ("Europe/Berlin", "02:30", "2026-10-24T12:00:00Z", ["10-25 02:30+02:00", "10-26 02:30+01:00"]),
        ("America/New_York", "01:30", "2026-10-31T12:00:00Z", ["11-01 01:30-04:00", "11-02 01:30-05:00"]),
        ("Australia/Lord_Howe", "01:45", "2026-04-04T00:00:00Z", ["04-05 01:45+11:00", "04-06 01:45+10:30"]),
    ] {
        assert_eq!(times(json!({ "repeat": "days", "at": time, "zone": zone }), after, 2), expected, "{time} in {zone}");
    }
    // Asked between the two, the second isn't taken for the first.
    assert_eq!(
        times(json!({ "repeat": "days", "at": "02:30", "zone": "Europe/Berlin" }), "2026-10-25T00:45:00Z", 1),
        ["10-26 02:30+01:00"]
    );
}

#[test]
fn a_cron_line_that_names_its_hours_goes_by_the_clock() {
    let line =
        |cron: &str, after: &str, count| times(json!({ "repeat": "cron", "cron": cron, "zone": "Europe/Berlin" }), after, count);
    assert_eq!(line("30 2,14 * * *", "2026-03-28T20:00:00Z", 3), ["03-29 03:00+02:00", "03-29 14:30+02:00", "03-30 02:30+02:00"]);
    assert_eq!(line("30 2,14 * * *", "2026-10-24T20:00:00Z", 3), ["10-25 02:30+02:00", "10-25 14:30+01:00", "10-26 02:30+01:00"]);
    // Four times in the gap are one moment.
    assert_eq!(line("*/15 2 * * *", "2026-03-28T20:00:00Z", 2), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
}

#[test]
fn real_intervals_go_on_at_the_same_pace_through_every_change_of_the_clock() {
    let line =
        |cron: &str, after: &str, count| times(json!({ "repeat": "cron", "cron": cron, "zone": "Europe/Berlin" }), after, count);
    assert_eq!(
        line("0 * * * *", "2026-03-28T23:30:00Z", 4),
        ["03-29 01:00+01:00", "03-29 03:00+02:00", "03-29 04:00+02:00", "03-29 05:00+02:00"]
    );
    assert_eq!(
        line("*/30 * * * *", "2026-10-24T23:45:00Z", 6),
        [
            "10-25 02:00+02:00",
            "10-25 02:30+02:00",
            "10-25 02:00+01:00",
            "10-25 02:30+01:00",
            "10-25 03:00+01:00",
            "10-25 03:30+01:00"
        ]
    );
    for (input, pace) in [
        (json!({ "repeat": "minutes", "minutes": 15 }), 15),
        (json!({ "repeat": "minutes", "minutes": 7 }), 7),
        (json!({ "repeat": "hours", "hours": 2, "minute": 10 }), 120),
        (json!({ "repeat": "hours" }), 60),
    ] {
        for (zone, change) in [
            ("Europe/Berlin", "2026-03-28T12:00:00Z"),
            ("Europe/Berlin", "2026-10-24T12:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
        ] {
            let mut input = input.clone();
            input["zone"] = zone.into();
            let slots = schedule(input.clone()).upcoming(at(change), 60);
            assert!(slots.windows(2).all(|pair| pair[1] - pair[0] == TimeDelta::minutes(pace)), "{input} in {zone}");
        }
    }
}

#[test]
fn an_interval_begins_at_the_zones_own_midnight() {
    assert_eq!(
        times(json!({ "repeat": "hours", "hours": 6, "zone": "Asia/Kolkata" }), "2026-01-09T20:00:00Z", 2),
        ["01-10 06:00+05:30", "01-10 12:00+05:30"]
    );
    assert_eq!(
        times(json!({ "repeat": "hours", "hours": 1, "minute": 20, "zone": "Asia/Kathmandu" }), "2026-01-10T00:00:00Z", 2),
        ["01-10 06:20+05:45", "01-10 07:20+05:45"]
    );
}

#[test]
fn days_of_the_week_and_of_the_month_are_those_that_people_mean() {
    let zone = "America/Sao_Paulo";
    assert_eq!(
        times(json!({ "repeat": "weeks", "days": ["thu", "mon"], "at": "9:00", "zone": zone }), "2026-01-01T12:00:00Z", 3),
        ["01-05 09:00-03:00", "01-08 09:00-03:00", "01-12 09:00-03:00"]
    );
    assert_eq!(
        times(json!({ "repeat": "weeks", "days": ["sun"], "at": "00:00", "zone": "UTC" }), "2026-01-01T00:00:00Z", 1),
        ["01-04 00:00+00:00"]
    );
    assert_eq!(
        times(json!({ "repeat": "months", "day": "last", "at": "18:00", "zone": "UTC" }), "2028-01-31T19:00:00Z", 3),
        ["02-29 18:00+00:00", "03-31 18:00+00:00", "04-30 18:00+00:00"]
    );
    assert_eq!(
        times(json!({ "repeat": "months", "day": "31", "zone": "UTC" }), "2026-01-31T12:00:00Z", 2),
        ["03-31 09:00+00:00", "05-31 09:00+00:00"]
    );
}

#[test]
fn what_can_not_be_used_is_said_at_its_field() {
    let fields = |input: Json| read(input).unwrap_err().into_iter().map(|it| it.field).collect::<Vec<_>>();
    assert_eq!(fields(json!({})), ["zone"]);
    assert_eq!(fields(json!({ "zone": "Europe/Berln" })), ["zone"]);
    assert_eq!(
        fields(json!({ "repeat": "weeks", "days": [], "at": "25:00", "zone": "UTC", "missed": "x" })),
        ["days", "at", "missed"]
    );
    assert_eq!(fields(json!({ "repeat": "minutes", "minutes": 0, "zone": "UTC" })), ["minutes"]);
    assert_eq!(fields(json!({ "repeat": "hours", "hours": 1.5, "minute": 60, "zone": "UTC" })), ["hours", "minute"]);
    assert_eq!(fields(json!({ "repeat": "months", "day": 32, "zone": "UTC" })), ["day"]);
    assert_eq!(fields(json!({ "repeat": "sometimes", "zone": "UTC" })), ["repeat"]);
    for cron in ["", "0 0 * *", "0 0 0 * * *", "61 * * * *", "@never", "* * * * * 2030", "Ω * * * *"] {
        assert_eq!(fields(json!({ "repeat": "cron", "cron": cron, "zone": "UTC" })), ["cron"], "{cron}");
    }
}

#[test]
fn a_day_that_is_in_no_year_is_refused_and_one_of_leap_years_is_not() {
    let line = |cron: &str| read(json!({ "repeat": "cron", "cron": cron, "zone": "UTC" }));
    assert!(line("0 0 31 2 *").unwrap_err()[0].message.starts_with("This never comes"));
    assert!(line("0 0 31 4,6 *").is_err());
    assert_eq!(line("0 0 29 2 *").unwrap().next(at("2025-01-01T00:00:00Z")), Some(at("2028-02-29T00:00:00Z")));
}

#[test]
fn a_schedule_is_said_in_words() {
    for (input, words) in [
        (json!({ "repeat": "minutes", "minutes": 15 }), "Every 15 minutes"),
        (json!({ "repeat": "minutes", "minutes": 1 }), "Every minute"),
        (json!({ "repeat": "hours" }), "Every hour"),
        (json!({ "repeat": "hours", "hours": 2, "minute": 1 }), "Every 2 hours, 1 minute past"),
        (json!({ "repeat": "days", "at": "9:05" }), "Every day at 09:05"),
        (
            json!({ "repeat": "weeks", "days": ["thu", "mon", "tue"], "at": "09:00" }),
            "Every Monday, Tuesday and Thursday at 09:00",
        ),
        (json!({ "repeat": "weeks", "days": ["mon", "tue", "wed", "thu", "fri"] }), "Every weekday at 09:00"),
        (json!({ "repeat": "months", "day": "22" }), "On the 22nd of the month at 09:00"),
        (json!({ "repeat": "months", "day": "13" }), "On the 13th of the month at 09:00"),
        (json!({ "repeat": "months", "day": "last" }), "On the last day of the month at 09:00"),
    ] {
        let mut input: Object = input.as_object().unwrap().clone();
        input.insert("zone".into(), "UTC".into());
        assert_eq!(Schedule::read(&input).unwrap().to_string(), words);
    }
}

#[test]
fn the_policy_decides_about_missed_times_and_never_about_those_on_time() {
    let hourly = |more: Json| {
        let mut input = json!({ "repeat": "hours", "zone": "UTC" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schedule(input)
    };
    let due = |schedule: &Schedule, from: &str, now: &str| {
        let due = schedule.due(at(from), at(now));
        (due.slots.iter().map(|slot| slot.format("%H:%M").to_string()).collect::<Vec<_>>(), due.next)
    };
    let next = Some(at("2026-01-01T14:00:00Z"));
    for policy in [json!({ "missed": "skip" }), json!({}), json!({ "missed": "all" })] {
        assert_eq!(
            due(&hourly(policy.clone()), "2026-01-01T13:00:00Z", "2026-01-01T12:59:59Z"),
            (vec![], Some(at("2026-01-01T13:00:00Z")))
        );
        assert_eq!(due(&hourly(policy), "2026-01-01T13:00:00Z", "2026-01-01T13:00:07Z"), (vec!["13:00".into()], next));
    }
    let (long_ago, now) = ("2026-01-01T09:00:00Z", "2026-01-01T13:20:00Z");
    assert_eq!(due(&hourly(json!({ "missed": "skip" })), long_ago, now), (vec![], next));
    assert_eq!(due(&hourly(json!({})), long_ago, now), (vec!["13:00".into()], next));
    assert_eq!(
        due(&hourly(json!({ "missed": "all", "missed_limit": 3 })), long_ago, now),
        (vec!["11:00".into(), "12:00".into(), "13:00".into()], next)
    );
    assert_eq!(due(&hourly(json!({ "missed": "all" })), long_ago, now).0.len(), 5);
    // A year of minutes is counted from its end.
    let minutes = schedule(json!({ "repeat": "minutes", "minutes": 1, "missed": "all", "missed_limit": 1000, "zone": "UTC" }));
    let due = minutes.due(at("2025-01-01T00:00:00Z"), at(now));
    assert_eq!((due.slots.len(), due.slots.last()), (1000, Some(&at(now))));
    assert!(due.slots.is_sorted());
}

/// Patterns that both crates read and mean the same by: their Sundays differ, and `cron` has seconds and years.
fn common_pattern() -> impl Strategy<Value = (String, String)> {
    let minute = prop_oneof![
        Just("*".to_owned()),
        (0..60_u32).prop_map(|n| n.to_string()),
        (1..30_u32).prop_map(|n| format!("*/{n}")),
        (0..30_u32, 30..60_u32).prop_map(|(a, b)| format!("{a}-{b}"))
    ];
    let hour = prop_oneof![
        Just("*".to_owned()),
        (0..24_u32).prop_map(|n| n.to_string()),
        (0..12_u32, 12..24_u32).prop_map(|(a, b)| format!("{a},{b}"))
    ];
    let days = prop_oneof![
        Just(("*".to_owned(), "*".to_owned())),
        (1..32_u32).prop_map(|n| (n.to_string(), "*".to_owned())),
        prop::sample::select(vec!["MON", "TUE,THU", "SAT", "SUN", "MON-FRI"]).prop_map(|day| ("*".to_owned(), day.to_owned())),
    ];
    let month = prop_oneof![Just("*".to_owned()), (1..13_u32).prop_map(|n| n.to_string())];
    (minute, hour, days, month).prop_map(|(minute, hour, (day, weekday), month)| {
        (format!("{minute} {hour} {day} {month} {weekday}"), format!("0 {minute} {hour} {day} {month} {weekday} *"))
    })
}

proptest! {
    #[test]
    fn where_no_clock_is_changed_two_crates_agree((ours, theirs) in common_pattern(), start in 1_700_000_000_i64..1_900_000_000) {
        let after = DateTime::from_timestamp(start, 0).unwrap();
        let oracle = cron::Schedule::from_str(&theirs).unwrap();
        for (name, zone) in [("UTC", chrono_tz::UTC), ("Asia/Kolkata", chrono_tz::Asia::Kolkata)] {
            let Ok(schedule) = read(json!({ "repeat": "cron", "cron": ours, "zone": name })) else {
                prop_assert!(oracle.after(&after).next().is_none());
                return Ok(());
            };
            let expected: Vec<_> = oracle.after(&after.with_timezone(&zone)).take(5).map(|slot| slot.to_utc()).collect();
            // The other crate looks no further than the year 2100.
            prop_assert_eq!(&schedule.upcoming(after, expected.len()), &expected);
        }
    }

    #[test]
    fn every_day_has_exactly_one_slot_of_a_daily_time_in_every_zone(zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()), hour in 0..24_u32, minute in 0..60_u32, start in 1_600_000_000_i64..2_100_000_000) {
        let schedule = schedule(json!({ "repeat": "days", "at": format!("{hour:02}:{minute:02}"), "zone": zone.name() }));
        let after = DateTime::from_timestamp(start, 0).unwrap();
        let slots = schedule.upcoming(after, 400);
        prop_assert_eq!(slots.len(), 400);
        prop_assert!(slots[0] > after);
        for pair in slots.windows(2) {
            let apart = pair[1] - pair[0];
            prop_assert!(apart >= TimeDelta::hours(21) && apart <= TimeDelta::hours(27), "{} and {}", pair[0], pair[1]);
            // From between the two the second is next: nothing is found from a long way off that isn't found near by.
            prop_assert_eq!(schedule.next(pair[0] + apart / 2), Some(pair[1]));
            prop_assert_eq!(schedule.next(pair[1] - TimeDelta::seconds(1)), Some(pair[1]));
        }
    }

    #[test]
    fn an_hourly_line_has_a_slot_whenever_the_clock_shows_its_minute(zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()), minute in 0..60_u32, start in 1_600_000_000_i64..2_100_000_000) {
        use chrono::Timelike;
        let schedule = schedule(json!({ "repeat": "cron", "cron": format!("{minute} * * * *"), "zone": zone.name() }));
        let after = DateTime::from_timestamp(start / 60 * 60, 0).unwrap();
        let minutes = (1..=60 * 24 * 3).map(|n| after + TimeDelta::minutes(n));
        let expected: Vec<_> = minutes.filter(|moment| moment.with_timezone(&zone).minute() == minute).collect();
        prop_assert_eq!(schedule.upcoming(after, expected.len()), expected);
    }
}
