//! Decisions, as examples.

use super::*;
use crate::Json;
use crate::{
    catalogue::Effect,
    error::ErrorKind,
    plan::Plan,
    record::EndState,
    record::{Decision, WokenBy},
    rehearsal::{Outcome, Script, Shell, a_moment, path, plan, succeeded},
};
use ErrorKind as Is;
use serde_json::json;

/// Runs a workflow through a script.
fn run<'a>(plan: &'a Plan, mut script: Script) -> Shell<'a> {
    let mut shell = Shell::new(plan);
    shell.run(&mut script);
    shell
}

fn failed_at(shell: &Shell<'_>) -> Option<(String, ErrorKind)> {
    let end = shell.end()?;
    assert_eq!(end.state, EndState::Failed);
    end.error.as_ref().map(|failed| (failed.step.0.clone(), failed.error.kind))
}

const SET: &str = "use: set, input: { fields: { a: 1 } }";
const GET: &str = "use: http.request, input: { method: GET, url: 'https://a.example' }";
const CONNECTION: &str = "01890000-0000-7000-8000-000000000001";
const POST: &str = "use: http.request, input: { method: POST, url: 'https://a.example' }";

#[test]
fn steps_run_in_order_and_the_run_succeeds() {
    let plan = plan(&format!("  - {{ id: a, {SET} }}\n  - {{ id: b, {POST} }}\n  - {{ id: c, {SET} }}"));
    let shell = run(&plan, Script::new());
    assert_eq!(shell.done(), ["a", "b", "c"]);
    assert_eq!(shell.end(), Some(&succeeded(None)));
}

#[test]
fn a_workflow_without_steps_succeeds_at_once() {
    let plan = plan("  []");
    assert_eq!(next(&plan, &RunState::new(crate::ids::RunId::new())), [Command::End(succeeded(None))]);
}

const BRANCH: &str = "
  - id: which
    use: branch
    cases:
      - { title: one, if: { all: [] }, steps: [ { id: one, SET }, { id: inner, use: branch, cases: [ { if: { all: [] }, steps: [ { id: deep, SET } ] } ] } ] }
      - { title: two, if: { all: [] }, steps: [ { id: two, SET } ] }
    otherwise: { steps: [ { id: other, SET } ] }
  - { id: after, SET }";

fn branch() -> Plan {
    plan(&BRANCH.replace("SET", SET))
}

#[test]
fn a_branch_runs_the_chosen_case_and_what_follows_and_skips_the_others_with_all_inside() {
    use SkipReason::OtherCase as Other;
    let plan = branch();
    let first = run(&plan, Script::new().done("which", json!({ "case": 0 })));
    assert_eq!(first.done(), ["which", "one", "inner", "deep", "after"]);
    assert_eq!(first.skipped(), [("two", Other), ("other", Other)]);
    let second = run(&plan, Script::new().done("which", json!({ "case": 1, "title": "two" })));
    assert_eq!(second.done(), ["which", "two", "after"]);
    assert_eq!(second.skipped(), [("one", Other), ("inner", Other), ("deep", Other), ("other", Other)]);
    let none = run(&plan, Script::new().done("which", json!({ "case": null })));
    assert_eq!(none.done(), ["which", "other", "after"]);
    assert_eq!(none.end(), Some(&succeeded(None)));
}

#[test]
fn the_other_cases_are_skipped_before_the_chosen_one_starts() {
    let plan = branch();
    let shell = run(&plan, Script::new().done("which", json!({ "case": 0 })));
    let at = |wanted: &dyn Fn(&Record) -> bool| shell.history.iter().position(wanted).unwrap();
    let skipped = at(&|record| matches!(record, Record::Skipped { step, .. } if step.0 == "other"));
    assert!(skipped < at(&|record| matches!(record, Record::Succeeded { step, .. } if step.0 == "one")));
}

#[test]
fn a_branch_where_no_case_holds_and_no_otherwise_is_there_goes_on_after_it() {
    let plan = plan(&format!(
        "  - {{ id: b, use: branch, cases: [ {{ if: {{ all: [] }}, steps: [ {{ id: x, {SET} }} ] }} ] }}\n  - {{ id: after, {SET} }}"
    ));
    let shell = run(&plan, Script::new().done("b", json!({ "case": null })));
    assert_eq!(shell.done(), ["b", "after"]);
    assert_eq!(shell.skipped(), [("x", SkipReason::OtherCase)]);
}

#[test]
fn a_filter_at_the_top_ends_the_run_succeeded_as_filtered() {
    let plan = plan(&format!("  - {{ id: f, use: filter, if: {{ all: [] }} }}\n  - {{ id: x, {POST} }}"));
    let shell = run(&plan, Script::new().done("f", json!({ "passed": false })));
    assert_eq!(shell.skipped(), [("x", SkipReason::Filtered)]);
    assert_eq!(shell.end(), Some(&succeeded(Some("filtered"))));
}

#[test]
fn a_filter_in_a_case_ends_that_lane_only() {
    let plan = plan(&format!(
        "  - {{ id: b, use: branch, cases: [ {{ if: {{ all: [] }}, steps: [ {{ id: f, use: filter, if: {{ all: [] }} }}, {{ id: x, {POST} }} ] }} ], otherwise: {{ steps: [ {{ id: o, {SET} }} ] }} }}
  - {{ id: after, {SET} }}"
    ));
    let shell = run(&plan, Script::new().done("f", json!({ "passed": false })));
    assert_eq!(shell.done(), ["b", "f", "after"]);
    assert_eq!(shell.skipped(), [("o", SkipReason::OtherCase), ("x", SkipReason::Filtered)]);
    assert_eq!(shell.end(), Some(&succeeded(None)));
}

#[test]
fn a_filter_that_fails_lets_nothing_through_even_if_the_run_goes_on() {
    let plan = plan(&format!("  - {{ id: f, use: filter, if: {{ all: [] }}, on_error: continue }}\n  - {{ id: x, {POST} }}"));
    let shell = run(&plan, Script::new().on("f", [Outcome::Fails(Is::InvalidInput)]));
    assert_eq!(shell.acted, []);
    assert_eq!(shell.end(), Some(&succeeded(Some("filtered"))));
}

#[test]
fn stop_ends_the_run_with_its_words_and_skips_the_rest() {
    let plan = plan(&format!(
        "  - {{ id: b, use: branch, cases: [ {{ if: {{ all: [] }}, steps: [ {{ id: s, use: stop }}, {{ id: x, {SET} }} ] }} ] }}\n  - {{ id: y, {SET} }}"
    ));
    let ended = |outcome| {
        let shell = run(&plan, Script::new().done("s", outcome));
        assert_eq!(shell.skipped(), [("x", SkipReason::Stopped), ("y", SkipReason::Stopped)]);
        let End { state, reason, error } = shell.end().unwrap().clone();
        assert_eq!(error, None);
        (state, reason.unwrap())
    };
    assert_eq!(ended(json!({ "outcome": "succeeded", "reason": null })), (EndState::Succeeded, "stopped".into()));
    assert_eq!(ended(json!({ "outcome": "failed", "reason": "No stock." })), (EndState::Failed, "No stock.".into()));
}

#[test]
fn a_failed_step_fails_the_run_and_what_follows_stays_undone() {
    let plan = plan(&format!("  - {{ id: a, {SET} }}\n  - {{ id: b, {POST} }}"));
    let shell = run(&plan, Script::new().on("a", [Outcome::Fails(Is::InvalidInput)]));
    assert_eq!(failed_at(&shell), Some(("a".into(), Is::InvalidInput)));
    assert_eq!((shell.acted.len(), shell.skipped().len()), (0, 0));
}

#[test]
fn on_error_continue_goes_on_and_keeps_the_error_as_the_output() {
    let plan = plan(&format!("  - {{ id: a, {GET}, on_error: continue }}\n  - {{ id: b, {SET} }}"));
    let shell = run(&plan, Script::new().on("a", [Outcome::Fails(Is::NotFound)]));
    assert_eq!(shell.done(), ["b"]);
    assert_eq!(shell.end(), Some(&succeeded(None)));
    let output = shell.history.iter().filter(|record| record.step() == Some(&path("a"))).find_map(Record::output);
    assert_eq!(output, Some(json!({ "error": { "kind": "not_found", "message": "It failed." } })));
}

/// workflow.md's table of effects and retries, row by row: how a first failure of each kind goes on.
#[test]
fn the_table_of_effects_and_retries_holds_row_by_row() {
    #[derive(Debug, PartialEq)]
    enum Then {
        Retry,
        Ask,
        Wait,
        Fail,
    }
    use Then::{Ask, Fail, Retry, Wait};
    let methods =
        [("GET", "false"), ("PUT", "false"), ("DELETE", "false"), ("POST", "true"), ("POST", "false"), ("PATCH", "false")];
    // The kind, then what follows for read, idempotent and keyed, then for unsafe.
    let rows = [
        (Is::Unavailable, Retry, Retry),
        (Is::RateLimited, Retry, Retry),
        (Is::Timeout, Retry, Ask),
        (Is::Uncertain, Retry, Ask),
        (Is::Unauthorized, Wait, Wait),
        (Is::InvalidInput, Fail, Fail),
        (Is::Forbidden, Fail, Fail),
        (Is::NotFound, Fail, Fail),
        (Is::Conflict, Fail, Fail),
        (Is::Internal, Fail, Ask),
    ];
    for (method, keyed) in methods {
        let plan = plan(&format!(
            "  - {{ id: a, use: http.request, input: {{ method: {method}, keyed: {keyed}, url: 'https://a.example' }}, connection: '{CONNECTION}' }}"
        ));
        let step = &plan.steps()[0];
        let effect = step.effect_of(&Json::Object(plan.workflow.steps[0].input.clone()));
        for (kind, careless, careful) in &rows {
            let mut state = RunState::new(crate::ids::RunId::new());
            state.apply(&Record::Started { step: path("a"), attempt: 1, effect });
            state.apply(&Record::failure(path("a"), 1, StepError::new(*kind, "No."), effect, Trace::default()));
            let then = match &next(&plan, &state)[..] {
                [Command::Start { attempt: 2, after: Some(_), .. }] => Retry,
                [Command::AskPerson { attempt: 1, .. }] => Ask,
                [Command::AwaitConnection { attempt: 1, .. }] => Wait,
                [Command::End(end)] if end.state == EndState::Failed => Fail,
                other => panic!("{method} {kind:?}: {other:?}"),
            };
            let expected = if effect == Some(Effect::Unsafe) { careful } else { careless };
            assert_eq!(then, *expected, "{method} keyed={keyed} {kind:?}");
        }
        // The row of a crash after the start.
        let mut state = RunState::new(crate::ids::RunId::new());
        state.apply(&Record::Started { step: path("a"), attempt: 1, effect });
        match &next(&plan, &state)[..] {
            [Command::MarkUncertain { attempt: 1, .. }, Command::AskPerson { attempt: 1, .. }] => {
                assert_eq!(effect, Some(Effect::Unsafe));
            }
            [Command::Start { attempt: 1, after: None, .. }] => assert_ne!(effect, Some(Effect::Unsafe)),
            other => panic!("{method}: {other:?}"),
        }
    }
}

#[test]
fn a_refused_step_waits_for_its_connection_and_is_tried_again_beyond_its_limit() {
    let steps = format!("  - {{ id: a, {POST}, connection: '{CONNECTION}', retry: {{ attempts: 1 }} }}\n  - {{ id: b, {SET} }}");
    let plan = plan(&steps);
    let refused = || [Outcome::Fails(Is::Unauthorized), Outcome::Fails(Is::Unauthorized)];
    let shell = run(&plan, Script::new().on("a", refused()));
    assert_eq!(shell.acted.iter().map(|(_, attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((shell.done(), shell.end()), (vec!["a", "b"], Some(&succeeded(None))));
    let waits = shell.history.iter().filter(|record| matches!(record, Record::Waiting { on: WaitOn::Connection { .. }, .. }));
    assert_eq!(waits.count(), 2);
}

#[test]
fn a_refused_step_without_a_connection_fails() {
    let plan = plan(&format!("  - {{ id: a, {GET} }}"));
    let shell = run(&plan, Script::new().on("a", [Outcome::Fails(Is::Unauthorized)]));
    assert_eq!(failed_at(&shell), Some(("a".into(), Is::Unauthorized)));
}

#[test]
fn a_person_gives_up_what_waits_for_a_connection_and_cancelling_wins_over_it() {
    let plan = plan(&format!("  - {{ id: a, {POST}, connection: '{CONNECTION}' }}\n  - {{ id: b, {SET} }}"));
    let mut shell = Shell::new(&plan);
    shell.record(Record::Started { step: path("a"), attempt: 1, effect: Some(Effect::Unsafe) });
    let error = StepError::new(Is::Unauthorized, "Who are you?");
    shell.record(Record::failure(path("a"), 1, error, Some(Effect::Unsafe), Trace::default()));
    let wait = next(&plan, &shell.state);
    shell.record(wait[0].record().unwrap());
    assert_eq!(next(&plan, &shell.state), [], "it waits");
    let mut cancelled = shell.state.clone();
    cancelled.apply(&Record::CancelRequested { by: "ada".into() });
    assert!(matches!(next(&plan, &cancelled).last(), Some(Command::End(end)) if end.state == EndState::Cancelled));
    shell.record(Record::Decided { step: path("a"), attempt: 1, by: "ada".into(), decision: Decision::Fail });
    assert!(matches!(&next(&plan, &shell.state)[..], [Command::End(end)] if end.state == EndState::Failed));
}

#[test]
fn a_failed_record_written_plainly_is_held_uncertain_all_the_same() {
    let plan = plan(&format!("  - {{ id: a, {POST} }}"));
    let mut state = RunState::new(crate::ids::RunId::new());
    let error = StepError::new(Is::Timeout, "No answer.");
    state.apply(&Record::Failed { step: path("a"), attempt: 1, error, effect: Some(Effect::Unsafe), trace: Trace::default() });
    assert_eq!(next(&plan, &state), [Command::AskPerson { step: path("a"), attempt: 1 }]);
}

#[test]
fn attempts_end_at_the_limit() {
    let plan = plan(&format!("  - {{ id: a, {GET}, retry: {{ attempts: 3 }} }}"));
    let shell = run(&plan, Script::new().on("a", vec![Outcome::Fails(Is::Unavailable); 9]));
    assert_eq!(shell.acted.len(), 3);
    assert_eq!(failed_at(&shell), Some(("a".into(), Is::Unavailable)));
}

#[test]
fn a_step_of_the_engines_own_is_never_tried_again() {
    let plan = plan(&format!("  - {{ id: a, {SET}, retry: {{ attempts: 3 }} }}"));
    let shell = run(&plan, Script::new().on("a", vec![Outcome::Fails(Is::Unavailable); 9]));
    assert_eq!(shell.history.iter().filter(|record| matches!(record, Record::Failed { .. })).count(), 1);
}

#[test]
fn a_person_says_what_became_of_an_uncertain_effect() {
    let plan = plan(&format!("  - {{ id: a, {POST}, retry: {{ attempts: 1 }} }}\n  - {{ id: b, {SET} }}"));
    let uncertain = || Script::new().on("a", [Outcome::Fails(Is::Timeout)]);
    let through = run(&plan, uncertain().decided([Decision::WentThrough { output: json!({ "status": 201 }) }]));
    assert_eq!((through.acted.len(), through.end()), (1, Some(&succeeded(None))));
    assert_eq!(
        through.history.iter().rev().find_map(|record| record.step().filter(|step| step.0 == "a").and(record.output())),
        Some(json!({ "status": 201 }))
    );
    // The limit of one attempt was used up; a person's word goes beyond it.
    let again = run(&plan, uncertain().decided([Decision::SendAgain]));
    assert_eq!(again.acted.iter().map(|(_, attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(again.end(), Some(&succeeded(None)));
    let given_up = run(&plan, uncertain().decided([Decision::Fail]));
    assert_eq!(failed_at(&given_up), Some(("a".into(), Is::Timeout)));
}

#[test]
fn giving_up_an_uncertain_step_that_may_fail_goes_on() {
    let plan = plan(&format!("  - {{ id: a, {POST}, on_error: continue }}\n  - {{ id: b, {SET} }}"));
    let shell = run(&plan, Script::new().on("a", [Outcome::Fails(Is::Uncertain)]).decided([Decision::Fail]));
    assert_eq!((shell.done(), shell.end()), (vec!["b"], Some(&succeeded(None))));
}

#[test]
fn a_delay_sleeps_and_then_succeeds_with_its_moment() {
    let plan = plan("  - { id: d, use: delay, input: { for: 10m } }");
    let mut shell = Shell::new(&plan);
    shell.run(&mut Script::new());
    let kinds: Vec<_> = shell.history.iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds.len(), 4, "waiting, woken, succeeded, ended");
    let output = shell.history.iter().find_map(Record::output);
    assert_eq!(output, Some(json!({ "until": moment::write(a_moment()) })));
}

#[test]
fn a_sleeping_run_has_nothing_to_do_until_it_is_woken() {
    let plan = plan("  - { id: d, use: delay, input: { for: 10m } }");
    let mut state = RunState::new(crate::ids::RunId::new());
    state.apply(&Record::Waiting { step: path("d"), attempt: 1, on: WaitOn::Timer { until: a_moment() } });
    assert_eq!(next(&plan, &state), []);
    state.apply(&Record::Woken { step: path("d"), attempt: 1, by: WokenBy::Time });
    assert_eq!(next(&plan, &state), [Command::Finish { step: path("d"), attempt: 1, until: a_moment() }]);
}

#[test]
fn cancelling_skips_what_is_not_done_and_says_that_an_unsafe_effect_may_have_gone_through() {
    let steps = format!("  - {{ id: a, {SET} }}\n  - {{ id: b, ACT }}\n  - {{ id: c, {SET} }}");
    let cancelled = |act: &str| {
        let plan = plan(&steps.replace("ACT", act));
        let shell = run(&plan, Script::new().on("b", [Outcome::Cancel]));
        assert_eq!(shell.end(), Some(&End { state: EndState::Cancelled, reason: None, error: None }));
        let uncertain = shell.history.iter().any(|record| matches!(record, Record::Uncertain { step, .. } if step.0 == "b"));
        (uncertain, shell.skipped().iter().map(|(step, _)| (*step).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(cancelled(POST), (true, vec!["c".to_owned()]));
    assert_eq!(cancelled(GET), (false, vec!["b".to_owned(), "c".to_owned()]));
}

#[test]
fn cancelling_wins_over_waiting_for_time_and_for_people() {
    let plan = plan(&format!("  - {{ id: a, {POST} }}\n  - {{ id: b, {SET} }}"));
    let mut shell = Shell::new(&plan);
    let error = StepError::new(Is::Timeout, "No answer.");
    shell.record(Record::failure(path("a"), 1, error, Some(Effect::Unsafe), Trace::default()));
    shell.record(Record::Waiting { step: path("a"), attempt: 1, on: WaitOn::Decision });
    shell.record(Record::CancelRequested { by: "ada".into() });
    let commands = next(&plan, &shell.state);
    let skip = Command::Skip { step: path("b"), reason: SkipReason::Cancelled };
    assert_eq!(commands, [skip, Command::End(End { state: EndState::Cancelled, reason: None, error: None })]);
}

#[test]
fn a_run_ends_when_its_budget_of_attempts_is_used_up() {
    let plan = plan(&format!("  - {{ id: a, {POST}, retry: {{ attempts: 1 }} }}"));
    let mut script = Script::new().on("a", vec![Outcome::Fails(Is::Timeout); 20_000]).decided(vec![Decision::SendAgain; 20_000]);
    let mut shell = Shell::new(&plan);
    shell.run(&mut script);
    assert_eq!(shell.acted.len(), STEP_BUDGET as usize);
    assert_eq!(failed_at(&shell), Some(("a".into(), Is::Forbidden)));
}

#[test]
fn the_same_failure_waits_the_same_time_however_often_it_is_planned() {
    let plan = plan(&format!("  - {{ id: a, {GET} }}"));
    let mut state = RunState::new(crate::ids::RunId::new());
    let error = StepError::new(Is::Unavailable, "Down.");
    state.apply(&Record::failure(path("a"), 1, error, Some(Effect::Read), Trace::default()));
    assert_eq!(next(&plan, &state), next(&plan, &state.clone()));
}

#[test]
fn results_of_reads_are_committed_before_the_effects_that_follow_them() {
    let plan = plan(&format!("  - {{ id: r, {GET} }}\n  - {{ id: s, {SET} }}\n  - {{ id: p, {POST} }}"));
    let done = |id: &str| Record::Succeeded { step: path(id), attempt: 1, output: Json::Null, trace: Trace::default() };
    assert!(plan.commits_before(Some(Effect::Keyed), &[done("r"), done("s")]));
    assert!(!plan.commits_before(Some(Effect::Keyed), &[done("s")]), "pure results follow from what is on disk");
    assert!(!plan.commits_before(Some(Effect::Read), &[done("r")]), "reading changes nothing");
    assert!(plan.commits_before(Some(Effect::Unsafe), &[]), "its start is on disk before an unsafe effect leaves");
    assert!(!plan.commits_before(None, &[done("r")]));
}

#[test]
fn a_step_in_a_case_that_was_not_chosen_never_starts_even_if_its_skip_got_lost() {
    let plan = branch();
    let done = |id: &str, output| Record::Succeeded { step: path(id), attempt: 1, output, trace: Trace::default() };
    let mut state = RunState::new(crate::ids::RunId::new());
    state.apply(&done("which", json!({ "case": 1 })));
    state.apply(&done("two", json!({})));
    let skip = |id: &str| Command::Skip { step: path(id), reason: SkipReason::OtherCase };
    let start = Command::Start { step: path("after"), attempt: 1, after: None };
    assert_eq!(next(&plan, &state), [skip("other"), start]);
}
