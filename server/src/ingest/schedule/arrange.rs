//! What becomes of a workflow's next slot when it is published, paused, resumed, or the data base of time zones is another. A pure
//! decision over the row that was there; the caller stores the answer.

use crate::store::schedules::Scheduled;
use chrono::{DateTime, Utc};
use towpath_engine::{
    Object,
    ids::{WorkflowId, WorkspaceId},
    schedule::Schedule,
};

/// The version of the data base of time zones in this build.
pub const ZONES: &str = chrono_tz::IANA_TZDB_VERSION;

/// The row that a published or paused workflow should have now. `None`: its trigger's input can't be read.
pub fn arrange(
    (workspace, workflow): (WorkspaceId, WorkflowId),
    version: i32,
    input: &Object,
    running: bool,
    before: Option<Scheduled>,
    now: DateTime<Utc>,
) -> Option<Scheduled> {
    let schedule = Schedule::read(input).ok()?;
    let next_at = match &before {
        // Another schedule: what the old one had left undone is not this one's business.
        None => schedule.next(now),
        Some(before) if before.input != *input => schedule.next(now),
        // It stood still, and what fell into the pause is left out.
        Some(before) if running && !before.running && !schedule.counts_pauses() => schedule.next(now),
        // The same slots by new zones. One that is due by now was due by the old ones.
        Some(before) if before.zones != ZONES && before.next_at.is_none_or(|at| at > now) => schedule.next(now),
        Some(before) => before.next_at,
    };
    let last_at = before.and_then(|before| before.last_at);
    Some(Scheduled { workspace, workflow, version, input: input.clone(), zones: ZONES.into(), next_at, running, last_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use serde_json::json;

    fn input(more: serde_json::Value) -> Object {
        let mut input = json!({ "repeat": "hours", "zone": "UTC" }).as_object().unwrap().clone();
        input.extend(more.as_object().unwrap().clone());
        input
    }

    fn next(input: &Object, running: bool, before: Option<Scheduled>, now: DateTime<Utc>) -> Option<i64> {
        arrange((WorkspaceId::new(), WorkflowId::new()), 2, input, running, before, now)
            .unwrap()
            .next_at
            .map(|at| (at - DateTime::UNIX_EPOCH).num_minutes())
    }

    #[test]
    fn a_slot_survives_a_republish_and_a_pause_leaves_its_times_out_unless_the_policy_counts_them() {
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let hourly = input(json!({}));
        let row = |running, input: &Object, zones: &str| {
            let row = arrange((WorkspaceId::new(), WorkflowId::new()), 1, input, running, None, at(30)).unwrap();
            Some(Scheduled { zones: zones.into(), ..row })
        };
        assert_eq!(next(&hourly, true, None, at(30)), Some(60));
        // Published again, late: the slot that is due stays due.
        assert_eq!(next(&hourly, true, row(true, &hourly, ZONES), at(65)), Some(60));
        // Published with other times.
        assert_eq!(next(&input(json!({ "minute": 20 })), true, row(true, &hourly, ZONES), at(65)), Some(80));
        // Paused, and resumed three hours later.
        assert_eq!(next(&hourly, false, row(true, &hourly, ZONES), at(200)), Some(60));
        assert_eq!(next(&hourly, true, row(false, &hourly, ZONES), at(200)), Some(240));
        let counting = input(json!({ "missed_paused": true }));
        assert_eq!(next(&counting, true, row(false, &counting, ZONES), at(200)), Some(60));
        // Other zones: what lies ahead is worked out again, what is due stays due.
        assert_eq!(next(&hourly, true, row(true, &hourly, "1999a"), at(40)), Some(60));
        assert_eq!(next(&hourly, true, row(true, &hourly, "1999a"), at(65)), Some(60));
        assert!(arrange((WorkspaceId::new(), WorkflowId::new()), 1, &Object::new(), true, None, at(0)).is_none());
    }
}
