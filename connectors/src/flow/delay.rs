//! `delay`: wait for a length of time or until a moment.

use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "delay".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Delay".into(),
        sentence: "Wait before going on".into(),
        keywords: ["sleep", "pause", "later", "until", "timer", "hours", "days", "schedule", "reminder"].map(Into::into).to_vec(),
        icon: "clock".into(),
        category: Category::Flow,
        inputs: vec![
            choice("mode", "Wait", &[("for", "For a length of time"), ("until", "Until a date and time")]),
            field("for", "How long", FieldKind::Span)
                .help("A number and a unit: 30s, 10m, 2h or 3d.")
                .placeholder("10m")
                .required()
                .show_if("mode", &["for"]),
            field("until", "Until", FieldKind::DateTime)
                .help("A moment in the past means no wait at all.")
                .required()
                .show_if("mode", &["until"]),
        ],
        effect: None,
        sample: json!({ "until": "2026-03-02T09:51:00Z" }),
        help: "The run sleeps in the database, not in memory: it costs nothing, may take months, and survives restarts.".into(),
    }
}
