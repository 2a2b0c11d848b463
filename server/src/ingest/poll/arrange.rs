//! What becomes of a workflow's poll when it is published, paused or resumed. A pure decision over the row that was there; the
//! caller stores the answer.

use super::pace::SHORTEST;
use crate::store::polls::Polled;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use towpath_connectors::sdk::poll::CHECK_EVERY;
use towpath_engine::{
    Json, Object,
    ids::{WorkflowId, WorkspaceId},
    workflow::{Span, Trigger},
};

/// The row that a published or paused workflow should have now. A cursor survives as long as the same thing is looked at in the same
/// way; with another source, connection or filter the first look is the first again, and starts nothing.
pub fn arrange(
    (workspace, workflow): (WorkspaceId, WorkflowId),
    version: i32,
    trigger: &Trigger,
    running: bool,
    before: Option<Polled>,
    now: DateTime<Utc>,
) -> Polled {
    let source = source(trigger);
    match before {
        Some(before) if before.source == source => {
            // Another pause between looks, or a resumed workflow: look now, and go on from there.
            let soon = running && (!before.running || before.input != trigger.input);
            let next_at = if soon { before.next_at.min(now) } else { before.next_at };
            Polled { version, input: trigger.input.clone(), running, next_at, ..before }
        }
        _ => Polled {
            workspace,
            workflow,
            version,
            operation: trigger.operation.clone(),
            connection: trigger.connection.as_deref().and_then(|id| id.parse().ok()),
            input: trigger.input.clone(),
            cursor: None,
            source,
            running,
            next_at: now,
            last_at: None,
            worked_at: None,
            failures: 0,
            error: None,
            hint: None,
            looks: 0,
            quiet: 0,
            seen: 0,
            fresh: 0,
            duplicate: 0,
        },
    }
}

/// What is looked at: the operation, the connection and the input, without the pause between looks.
fn source(trigger: &Trigger) -> Vec<u8> {
    let mut input: Vec<(&String, &Json)> = trigger.input.iter().filter(|(name, _)| *name != CHECK_EVERY).collect();
    input.sort_by_key(|(name, _)| *name);
    let what = serde_json::to_vec(&(&trigger.operation, &trigger.connection, input)).unwrap_or_default();
    Sha256::digest(what).to_vec()
}

/// The pause between two looks: what the workflow says, else the operation's own.
pub fn every(input: &Object, own: Duration) -> Duration {
    let said = input.get(CHECK_EVERY).and_then(Json::as_str).and_then(|text| text.parse::<Span>().ok());
    said.map_or(own, |Span(said)| said).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use serde_json::json;

    fn trigger(input: Json) -> Trigger {
        Trigger { input: input.as_object().unwrap().clone(), ..Trigger::new("feed.new_item") }
    }

    #[test]
    fn a_cursor_survives_republishing_and_pausing_and_not_another_source() {
        let place = (WorkspaceId::new(), WorkflowId::new());
        let now = DateTime::UNIX_EPOCH;
        let later = now + TimeDelta::hours(1);
        let first = arrange(place, 1, &trigger(json!({ "url": "a" })), true, None, now);
        assert_eq!((first.cursor.as_ref(), first.next_at), (None, now));
        let looked = Polled { cursor: Some(json!({ "n": 7 })), next_at: later + TimeDelta::minutes(5), ..first };
        let again =
            |input: Json, running, before: &Polled| arrange(place, 2, &trigger(input), running, Some(before.clone()), later);
        let same = again(json!({ "url": "a" }), true, &looked);
        assert_eq!((same.cursor.clone(), same.next_at, same.version), (looked.cursor.clone(), looked.next_at, 2));
        let faster = again(json!({ "url": "a", "check_every": "30s" }), true, &looked);
        assert_eq!((faster.cursor.clone(), faster.next_at), (looked.cursor.clone(), later));
        let paused = again(json!({ "url": "a" }), false, &looked);
        let resumed = again(json!({ "url": "a" }), true, &paused);
        assert_eq!((resumed.cursor.clone(), resumed.next_at), (looked.cursor.clone(), later));
        assert_eq!(again(json!({ "url": "b" }), true, &looked).cursor, None);
    }

    #[test]
    fn the_pause_is_the_workflow_s_else_the_operation_s_and_never_too_short() {
        let own = Duration::from_secs(300);
        let said = |input: Json| every(input.as_object().unwrap(), own).as_secs();
        assert_eq!(said(json!({})), 300);
        assert_eq!(said(json!({ "check_every": "1h" })), 3_600);
        assert_eq!(said(json!({ "check_every": "1s" })), SHORTEST.as_secs());
    }
}
