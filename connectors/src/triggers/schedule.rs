//! The schedule trigger: a run starts when its time comes, by the clock of a zone. What the fields mean is
//! [`towpath_engine::schedule`]'s business.

use crate::sdk::form::{Change, choice, choices, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{Category, Choice, FieldKind, Operation, Role};

const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

pub fn operation() -> Operation {
    Operation {
        name: "schedule".into(),
        role: Role::Trigger,
        connector: "towpath".into(),
        connection: None,
        title: "Schedule".into(),
        sentence: "At certain times, or again and again".into(),
        keywords: [
            "time",
            "clock",
            "timer",
            "cron",
            "daily",
            "weekly",
            "monthly",
            "hourly",
            "every",
            "interval",
            "recurring",
            "date",
        ]
        .map(Into::into)
        .to_vec(),
        icon: "clock".into(),
        category: Category::Start,
        inputs: vec![
            choice(
                "repeat",
                "Repeat",
                &[
                    ("days", "Every day"),
                    ("weeks", "On days of the week"),
                    ("months", "On a day of the month"),
                    ("hours", "Every few hours"),
                    ("minutes", "Every few minutes"),
                    ("cron", "By a cron line (advanced)"),
                ],
            ),
            field("days", "Days", FieldKind::Choices { options: choices(&DAYS) })
                .default(json!(["mon"]))
                .required()
                .literal()
                .show_if("repeat", &["weeks"]),
            field("day", "Day of the month", FieldKind::Choice { options: month() })
                .help("A month that doesn't have this day is left out.")
                .default(json!("1"))
                .literal()
                .show_if("repeat", &["months"]),
            field("at", "At", FieldKind::Time)
                .default(json!("09:00"))
                .required()
                .literal()
                .show_if("repeat", &["days", "weeks", "months"]),
            field("hours", "Hours between", FieldKind::Number)
                .default(json!(1))
                .required()
                .literal()
                .show_if("repeat", &["hours"]),
            field("minute", "Minutes past the hour", FieldKind::Number).default(json!(0)).literal().show_if("repeat", &["hours"]),
            field("minutes", "Minutes between", FieldKind::Number)
                .default(json!(15))
                .required()
                .literal()
                .show_if("repeat", &["minutes"]),
            field("cron", "Cron line", FieldKind::Text)
                .help("Minute, hour, day of the month, month, day of the week.")
                .placeholder("0 9 * * MON-FRI")
                .required()
                .literal()
                .show_if("repeat", &["cron"]),
            field("zone", "Time zone", FieldKind::Zone)
                .help("Whose clock counts. Summer and winter time are taken care of.")
                .placeholder("Europe/Berlin")
                .required()
                .literal(),
            choice(
                "missed",
                "Times missed while the server was off",
                &[("last", "Make up for the last of them"), ("skip", "Leave them out"), ("all", "Make up for each of them")],
            )
            .advanced(),
            field("missed_limit", "Make up for at most", FieldKind::Number)
                .help("The latest ones, oldest first.")
                .default(json!(24))
                .literal()
                .show_if("missed", &["all"])
                .advanced(),
            switch("missed_paused", "Treat times during a pause in the same way", false)
                .help("Otherwise what fell into a pause of the workflow is left out.")
                .advanced(),
        ],
        effect: None,
        sample: json!({
            "body": {
                "scheduled_for": "2026-03-02T08:00:00Z",
                "fired_at": "2026-03-02T08:00:00.012Z",
                "late_seconds": 0,
                "local": { "date": "2026-03-02", "time": "09:00", "weekday": "Monday", "zone": "Europe/Berlin" }
            }
        }),
        help:
            "Starts by itself: at a time of day, on days of the week or the month, or again and again. Each time happens exactly \
               once, also when the server is restarted around it or the clock is set forward or back."
                .into(),
    }
}

fn month() -> Vec<Choice> {
    let days = (1..=31).map(|day| Choice { value: json!(day.to_string()), title: format!("{day}") });
    days.chain([Choice { value: json!("last"), title: "The last day".into() }]).collect()
}
