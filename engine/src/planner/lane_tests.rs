//! Lines side by side, loops and error lanes, as examples.

use super::*;
use crate::{
    error::ErrorKind as Is,
    record::{EndState, LinesKind},
    rehearsal::{Outcome, Script, Shell, path, plan, succeeded},
};
use serde_json::json;

const SET: &str = "use: set, input: { fields: { a: 1 } }";
const GET: &str = "use: http.request, input: { method: GET, url: 'https://a.example' }, retry: { attempts: 1 }";
const POST: &str = "use: http.request, input: { method: POST, url: 'https://a.example' }, retry: { attempts: 1 }";

fn planned(steps: &str) -> Plan {
    plan(&steps.replace("SET", SET).replace("GET", GET).replace("POST", POST))
}

fn run<'a>(plan: &'a Plan, mut script: Script) -> Shell<'a> {
    let mut shell = Shell::new(plan);
    shell.run(&mut script);
    shell
}

fn output<'a>(shell: &'a Shell<'_>, id: &str) -> &'a Json {
    let found = shell.history.iter().find_map(|record| match record {
        Record::Succeeded { step, output, .. } if step.0 == id => Some(output),
        _ => None,
    });
    found.expect("the step succeeded")
}

fn ends<'a>(shell: &'a Shell<'_>) -> Vec<(&'a str, &'a LineEnd)> {
    let ended = |record: &'a Record| match record {
        Record::LineEnded { line, end, .. } => Some((line.0.as_str(), end)),
        _ => None,
    };
    shell.history.iter().filter_map(ended).collect()
}

fn failed_with<'a>(shell: &'a Shell<'_>) -> &'a str {
    let end = shell.end().expect("the run ended");
    assert_eq!(end.state, EndState::Failed);
    &end.error.as_ref().expect("a failed run says why").error.message
}

#[test]
fn when_a_step_fails_its_error_lane_is_done_and_the_run_goes_on_after_it() {
    let plan = planned("  - { id: a, POST, on_error: rescue, rescue: { steps: [ { id: tell, SET } ] } }\n  - { id: after, SET }");
    let failed = run(&plan, Script::new().on("a", [Outcome::Fails(Is::NotFound)]));
    assert_eq!(failed.done(), ["tell", "after"]);
    assert_eq!(failed.end(), Some(&succeeded(None)));
    let well = run(&plan, Script::new());
    assert_eq!(well.done(), ["a", "after"]);
    assert_eq!(well.skipped(), [("tell", SkipReason::NotNeeded)]);
}

#[test]
fn an_error_lane_waits_for_the_last_attempt_and_can_fail_itself() {
    let plan = planned(
        "  - { id: a, use: http.request, input: { method: HEAD, url: 'https://a.example' }, retry: { attempts: 2 }, on_error: rescue, rescue: { steps: [ { id: tell, POST } ] } }",
    );
    let down = || Outcome::Fails(Is::Unavailable);
    let once = run(&plan, Script::new().on("a", [down()]));
    assert_eq!(once.done(), ["a"]);
    let twice = run(&plan, Script::new().on("a", [down(), down()]).on("tell", [Outcome::Fails(Is::NotFound)]));
    assert_eq!(twice.end().unwrap().error.as_ref().unwrap().step, path("tell"));
}

const EACH: &str = "
  - { id: each, use: for_each, input: { list: '{{ trigger.body }}', at_once: 2, on_failed: STOP }, body: { steps: [ { id: post, GET }, { id: note, SET } ] } }
  - { id: after, SET }";

#[test]
fn a_for_each_does_its_steps_for_every_item_with_so_many_at_once() {
    let plan = planned(&EACH.replace("STOP", "stop"));
    let shell = run(&plan, Script::new().items(5).picks([1, 0, 1, 1]));
    assert_eq!(ends(&shell).len(), 5);
    assert_eq!(shell.at_once, 2);
    assert_eq!(shell.done().iter().filter(|step| step.ends_with("/post")).count(), 5);
    assert_eq!(output(&shell, "each"), &json!({ "count": 5, "succeeded": 5, "filtered": 0, "failed": 0 }));
    assert_eq!(shell.done().last(), Some(&"after"));
    assert_eq!(run(&plan, Script::new().items(0)).done(), ["each", "after"]);
}

#[test]
fn a_failed_round_ends_the_for_each_and_cuts_the_others_off() {
    let plan = planned(&EACH.replace("STOP", "stop"));
    let shell = run(&plan, Script::new().items(5).on("post", [Outcome::Fails(Is::NotFound)]));
    assert_eq!(failed_with(&shell), "Item 1 failed at “post”: It failed.");
    assert!(ends(&shell).contains(&("each[1]", &LineEnd::Cancelled)));
    assert!(shell.skipped().contains(&("each[1]/post", SkipReason::Cancelled)));
}

#[test]
fn a_for_each_that_goes_on_counts_its_failed_rounds() {
    let plan = planned(&EACH.replace("STOP", "go_on"));
    let shell = run(&plan, Script::new().items(5).on("post", [Outcome::Fails(Is::NotFound), Outcome::Fails(Is::Conflict)]));
    assert_eq!(output(&shell, "each"), &json!({ "count": 5, "succeeded": 3, "filtered": 0, "failed": 2 }));
    assert_eq!(shell.end(), Some(&succeeded(None)));
}

#[test]
fn a_filter_in_a_loop_ends_its_round_only() {
    let plan = planned(
        "  - { id: each, use: for_each, input: { list: '{{ trigger.body }}' }, body: { steps: [ { id: f, use: filter, if: { all: [] } }, { id: post, POST } ] } }",
    );
    let shell = run(&plan, Script::new().items(3).on("f", [Outcome::Done(json!({ "passed": false }))]));
    assert_eq!(output(&shell, "each"), &json!({ "count": 3, "succeeded": 2, "filtered": 1, "failed": 0 }));
    assert_eq!(ends(&shell)[0], ("each[0]", &LineEnd::Filtered));
}

#[test]
fn stop_inside_a_loop_ends_the_run_and_every_round_with_it() {
    let plan = planned(
        "  - { id: each, use: for_each, input: { list: '{{ trigger.body }}', at_once: 3 }, body: { steps: [ { id: post, POST }, { id: enough, use: stop } ] } }",
    );
    let shell = run(&plan, Script::new().items(3));
    assert_eq!(shell.end(), Some(&succeeded(Some("stopped"))));
    let uncertain: Vec<_> = shell.history.iter().filter(|record| matches!(record, Record::Uncertain { .. })).collect();
    assert_eq!(uncertain.len(), 2, "what was under way may have gone through");
}

const BOTH: &str = "
  - id: both
    use: parallel
    input: { JOIN }
    lanes:
      - { title: one, steps: [ { id: a, POST }, { id: b, SET } ] }
      - { title: two, steps: [ { id: c, GET } ] }
      - { title: three, steps: [ { id: d, GET } ] }
  - { id: after, SET }";

#[test]
fn lanes_go_on_side_by_side_and_what_follows_waits_for_all_of_them() {
    let plan = planned(&BOTH.replace("JOIN", "join: all"));
    let shell = run(&plan, Script::new().picks([2, 1, 0]));
    assert_eq!(shell.at_once, 3);
    assert_eq!(shell.done(), ["both[2]/d", "both[1]/c", "both[0]/a", "both[0]/b", "both", "after"]);
    assert_eq!(output(&shell, "both"), &json!({ "done": 3, "failed": 0 }));
}

#[test]
fn the_first_lane_wins_and_an_unsafe_effect_of_the_others_is_told_as_uncertain() {
    let plan = planned(&BOTH.replace("JOIN", "join: first"));
    let shell = run(&plan, Script::new().picks([1]));
    assert_eq!(shell.done(), ["both[1]/c", "both", "after"]);
    assert!(shell.history.iter().any(|record| matches!(record, Record::Uncertain { step, .. } if step.0 == "both[0]/a")));
    assert!(shell.skipped().contains(&("both[2]/d", SkipReason::Cancelled)));
    assert_eq!(shell.end(), Some(&succeeded(None)));
}

#[test]
fn so_many_lanes_are_enough_and_too_many_failures_are_the_end() {
    let plan = planned(&BOTH.replace("JOIN", "join: some, needed: 2"));
    let well = run(&plan, Script::new().picks([1, 1]).on("d", [Outcome::Fails(Is::NotFound)]));
    assert_eq!(well.done(), ["both[1]/c", "both[0]/a", "both[0]/b", "both", "after"]);
    let ill =
        run(&plan, Script::new().picks([1, 1]).on("c", [Outcome::Fails(Is::NotFound)]).on("d", [Outcome::Fails(Is::NotFound)]));
    assert_eq!(failed_with(&ill), "Lane 2 failed at “c”: It failed.");
}

#[test]
fn a_lane_that_sleeps_does_not_hold_the_others() {
    let plan = planned(
        "  - { id: both, use: parallel, lanes: [ { steps: [ { id: wait, use: delay, input: { for: 1h } } ] }, { steps: [ { id: c, GET }, { id: e, GET } ] } ] }",
    );
    let shell = run(&plan, Script::new());
    assert_eq!(shell.done(), ["both[1]/c", "both[1]/e", "both[0]/wait", "both"]);
}

const REPEAT: &str = "
  - { id: again, use: repeat, if: { all: [] }, input: { most: 4 }, body: { steps: [ { id: page, GET } ] } }
  - { id: after, SET }";

#[test]
fn a_repeat_goes_on_while_its_condition_holds_one_round_after_the_other() {
    let plan = planned(REPEAT);
    let shell = run(&plan, Script::new().again(2));
    assert_eq!(shell.done(), ["again[0]/page", "again[1]/page", "again[2]/page", "again", "after"]);
    assert_eq!(output(&shell, "again"), &json!({ "rounds": 3 }));
    assert_eq!(failed_with(&run(&plan, Script::new().again(100))), "After 4 rounds the condition for another one still held.");
}

#[test]
fn attempts_in_loops_do_not_count_towards_the_budget_of_the_run() {
    let plan = planned(&EACH.replace("STOP", "stop").replace("at_once: 2", "at_once: 50"));
    let items = STEP_BUDGET / 2 + 100;
    let shell = run(&plan, Script::new().items(items));
    assert_eq!(shell.end(), Some(&succeeded(None)));
    assert!(shell.state.attempts() > STEP_BUDGET && shell.state.counted_attempts() < 5);
}

#[test]
fn planning_a_round_takes_no_longer_when_many_were_before_it() {
    // A hundred thousand rounds in a blink: with work that grows with what lies behind, this would take hours.
    let plan =
        planned("  - { id: each, use: for_each, input: { list: '{{ trigger.body }}' }, body: { steps: [ { id: note, SET } ] } }");
    let mut state = RunState::new(crate::ids::RunId::new());
    let items = 100_000;
    state.apply(&Record::Opened { step: path("each"), attempt: 1, kind: LinesKind::Each, lines: items });
    let mut asked = 0;
    loop {
        let commands = next(&plan, &state);
        asked += 1;
        match &commands[..] {
            [command @ Command::Start { step, attempt, .. }] => {
                state.issued(command);
                let (step, attempt) = (step.clone(), *attempt);
                state.apply(&Record::Succeeded { step, attempt, output: json!({}), trace: Trace::default() });
            }
            [Command::CloseLine { line, end }] => {
                state.apply(&Record::LineEnded { line: line.clone(), end: end.clone(), result: None });
                assert_eq!(state.inner_lines().count(), 0, "a round that is over leaves memory");
            }
            other => {
                assert!(matches!(other, [Command::Join { .. }]), "{other:?}");
                break;
            }
        }
    }
    assert_eq!(asked, 2 * items + 1);
}

#[test]
fn cancelling_tells_of_every_line_under_way() {
    let plan = planned(&BOTH.replace("JOIN", "join: all"));
    let mut shell = Shell::new(&plan);
    shell.run(&mut Script::new().on("c", [Outcome::Cancel]).picks([1]));
    assert_eq!(shell.end().unwrap().state, EndState::Cancelled);
    assert!(shell.history.iter().any(|record| matches!(record, Record::Uncertain { step, .. } if step.0 == "both[0]/a")));
    assert_eq!(
        shell.skipped(),
        [
            ("both[2]/d", SkipReason::Cancelled),
            ("both[1]/c", SkipReason::Cancelled),
            ("both", SkipReason::Cancelled),
            ("after", SkipReason::Cancelled)
        ]
    );
}
