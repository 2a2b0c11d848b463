use super::{step::MAX_REASON, *};
use crate::{catalogue::Effect, error::StepError};
use crate::{
    error::ErrorKind,
    record::{EndState, Trace, WokenBy},
    rehearsal::{a_moment, path},
};
use serde_json::json;

fn started(attempt: u16, effect: Effect) -> Record {
    Record::Started { step: path("a"), attempt, effect: Some(effect) }
}

fn succeeded(attempt: u16) -> Record {
    Record::Succeeded { step: path("a"), attempt, output: json!({}), trace: Trace::default() }
}

fn failed(attempt: u16, kind: ErrorKind, effect: Effect) -> Record {
    Record::failure(path("a"), attempt, StepError::new(kind, "No."), Some(effect), Trace::default())
}

fn waiting(attempt: u16, on: WaitOn) -> Record {
    Record::Waiting { step: path("a"), attempt, on }
}

fn decided(attempt: u16, decision: Decision) -> Record {
    Record::Decided { step: path("a"), attempt, by: "ada".into(), decision }
}

fn woken(attempt: u16) -> Record {
    Record::Woken { step: path("a"), attempt, by: WokenBy::Time }
}

fn fold(history: &[Record]) -> RunState {
    RunState::fold(RunId(uuid::Uuid::from_u128(1)), history)
}

/// Records that come after these and say nothing new, or contradict them, change nothing.
#[track_caller]
fn ignores(history: &[Record], late: &[Record]) {
    let state = fold(history);
    for record in late {
        let mut after = state.clone();
        after.apply(record);
        assert_eq!(after, state, "{record:?} after {history:?}");
    }
}

#[test]
fn the_first_result_of_an_attempt_counts() {
    let wait = || waiting(1, WaitOn::Retry { until: a_moment() });
    ignores(
        &[succeeded(1)],
        &[succeeded(1), started(1, Effect::Read), failed(1, ErrorKind::Timeout, Effect::Read), started(2, Effect::Read), wait()],
    );
    ignores(
        &[failed(1, ErrorKind::Timeout, Effect::Read)],
        &[succeeded(1), started(1, Effect::Read), failed(1, ErrorKind::NotFound, Effect::Read)],
    );
    ignores(&[failed(1, ErrorKind::Timeout, Effect::Unsafe)], &[succeeded(1), started(1, Effect::Unsafe)]);
}

#[test]
fn records_of_earlier_attempts_are_old_news() {
    let history = [
        failed(1, ErrorKind::Timeout, Effect::Read),
        waiting(1, WaitOn::Retry { until: a_moment() }),
        woken(1),
        started(2, Effect::Read),
    ];
    ignores(&history, &[succeeded(1), failed(1, ErrorKind::NotFound, Effect::Read), woken(1), waiting(1, WaitOn::Decision)]);
    assert_eq!(fold(&history).attempts(), 2);
}

#[test]
fn a_decision_is_taken_once_and_only_where_there_is_something_to_decide() {
    ignores(&[started(1, Effect::Unsafe)], &[decided(1, Decision::SendAgain)]);
    ignores(&[failed(1, ErrorKind::NotFound, Effect::Read)], &[decided(1, Decision::Fail)]);
    let uncertain = [failed(1, ErrorKind::Timeout, Effect::Unsafe), waiting(1, WaitOn::Decision), decided(1, Decision::Fail)];
    ignores(
        &uncertain,
        &[decided(1, Decision::SendAgain), decided(1, Decision::WentThrough { output: json!({}) }), waiting(1, WaitOn::Decision)],
    );
}

#[test]
fn nothing_happens_after_the_end() {
    let end = |state| Record::Ended { end: End { state, reason: None, error: None } };
    let late = [end(EndState::Failed), succeeded(1), Record::CancelRequested { by: "ada".into() }];
    ignores(&[end(EndState::Succeeded)], &late);
    assert_eq!(fold(&[end(EndState::Succeeded)]).end().unwrap().state, EndState::Succeeded);
}

#[test]
fn waking_needs_a_wait_for_time() {
    ignores(&[started(1, Effect::Read)], &[woken(1)]);
    ignores(&[failed(1, ErrorKind::Timeout, Effect::Unsafe), waiting(1, WaitOn::Decision)], &[woken(1)]);
}

#[test]
fn turns_are_read_from_outputs_and_long_reasons_are_cut() {
    assert_eq!(Turn::of(&json!({ "case": 2, "title": "x" })), Some(Turn::Case(Some(2))));
    assert_eq!(Turn::of(&json!({ "case": null })), Some(Turn::Case(None)));
    assert_eq!(Turn::of(&json!({ "passed": true })), Some(Turn::Passed(true)));
    assert_eq!(Turn::of(&json!({ "outcome": "maybe" })), None);
    assert_eq!(Turn::of(&json!(["case"])), None);
    let Some(Turn::Stop { failed: true, reason: Some(reason) }) =
        Turn::of(&json!({ "outcome": "failed", "reason": "é".repeat(9_000) }))
    else {
        panic!("a stop is read");
    };
    assert_eq!(reason.chars().count(), MAX_REASON);
}
