use super::*;
use crate::rehearsal::{random::workflows, workflow};
use proptest::prelude::*;
use serde_json::json;

fn operation(value: Json) -> Operation {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Applies an operation, checks that undoing it gives the workflow back, and says what became of it.
fn applied(workflow: &Workflow, change: Json) -> Result<Workflow, EditError> {
    let mut edited = workflow.clone();
    match apply(&mut edited, &operation(change)) {
        Err(error) => {
            assert_eq!(edited, *workflow, "a refused operation changes nothing");
            Err(error)
        }
        Ok(Applied { done, undo }) => {
            let mut redone = workflow.clone();
            apply(&mut redone, &done).unwrap();
            assert_eq!(redone, edited, "what was done can be done again");
            let mut undone = edited.clone();
            apply(&mut undone, &undo).unwrap();
            assert_eq!(undone, *workflow, "undoing gives the workflow back");
            Ok(edited)
        }
    }
}

fn ids(workflow: &Workflow) -> Vec<String> {
    workflow.placed().map(|placed| placed.step.id.0.clone()).collect()
}

fn example() -> Workflow {
    workflow(
        "  - { id: first, use: set, input: { fields: { a: 1 } } }
  - id: big
    use: branch
    title: Is it big?
    cases:
      - { title: over 100, if: { all: [] }, steps: [ { id: post, use: http.request, input: { url: 'https://{{ steps.first.a }}' } }, { id: tell, use: email.send, input: { to: '{{ steps.post.body.to }}, {{ steps.first.post }}' } } ] }
      - { title: else, if: { all: [] }, steps: [] }
  - { id: last, use: set, input: { fields: {} } }",
    )
}

#[test]
fn steps_are_added_anywhere_and_named_after_what_they_do() {
    let add = |at: Json| json!({ "op": "add_step", "at": at, "step": { "id": "", "use": "http.request" } });
    let top = applied(&example(), add(json!({ "index": 0 }))).unwrap();
    assert_eq!(ids(&top), ["http_request", "first", "big", "post", "tell", "last"]);
    let again = applied(&top, add(json!({ "parent": { "step": "big", "lane": 0 }, "index": 1 }))).unwrap();
    assert_eq!(ids(&again), ["http_request", "first", "big", "post", "http_request_2", "tell", "last"]);
    let otherwise = applied(&example(), add(json!({ "parent": { "step": "big", "lane": "otherwise" }, "index": 0 }))).unwrap();
    assert_eq!(ids(&otherwise), ["first", "big", "post", "tell", "http_request", "last"]);
}

#[test]
fn places_that_do_not_exist_are_refused_in_words() {
    let add = |at: Json| json!({ "op": "add_step", "at": at, "step": { "id": "", "use": "set" } });
    let refused = |change| applied(&example(), change).unwrap_err().0;
    assert_eq!(refused(add(json!({ "index": 9 }))), "There is no place 9 here: the lane has 3 steps.");
    assert_eq!(refused(add(json!({ "parent": { "step": "big", "lane": 7 }, "index": 0 }))), "The branch \"big\" has no case 8.");
    assert!(refused(add(json!({ "parent": { "step": "first", "lane": 0 }, "index": 0 }))).starts_with("Only a branch"));
    assert!(
        refused(add(json!({ "parent": { "step": "gone", "lane": 0 }, "index": 0 }))).starts_with("There is no step \"gone\"")
    );
    assert!(refused(json!({ "op": "remove_step", "step": "gone" })).starts_with("There is no step"));
    assert!(refused(json!({ "op": "set_condition", "step": "first", "condition": { "all": [] } })).starts_with("Only a filter"));
    assert!(refused(json!({ "op": "add_case", "step": "last", "case": { "if": { "all": [] } } })).starts_with("Only a branch"));
}

#[test]
fn ids_stay_unique_and_well_formed() {
    let add = |id: &str| json!({ "op": "add_step", "at": { "index": 0 }, "step": { "id": id, "use": "set" } });
    assert!(applied(&example(), add("tell")).unwrap_err().0.starts_with("There is already a step"));
    assert!(applied(&example(), add("Not a slug")).unwrap_err().0.contains("can't be a step's id"));
    assert!(applied(&example(), add("mine")).is_ok());
}

#[test]
fn removing_a_branch_takes_everything_inside_and_undo_brings_it_back() {
    let without = applied(&example(), json!({ "op": "remove_step", "step": "big" })).unwrap();
    assert_eq!(ids(&without), ["first", "last"]);
    let without = applied(&example(), json!({ "op": "remove_case", "step": "big", "index": 0 })).unwrap();
    assert_eq!(ids(&without), ["first", "big", "last"]);
}

#[test]
fn steps_move_between_lanes_but_never_into_themselves() {
    let to = |step: &str, to: Json| json!({ "op": "move_step", "step": step, "to": to });
    let moved = applied(&example(), to("last", json!({ "parent": { "step": "big", "lane": 1 }, "index": 0 }))).unwrap();
    assert_eq!(ids(&moved), ["first", "big", "post", "tell", "last"]);
    // Counted as if the step were not there.
    assert_eq!(ids(&applied(&example(), to("first", json!({ "index": 2 }))).unwrap()), ["big", "post", "tell", "last", "first"]);
    let error = applied(&example(), to("big", json!({ "parent": { "step": "big", "lane": 0 }, "index": 0 }))).unwrap_err();
    assert_eq!(error.0, "A step can't be moved into itself.");
}

#[test]
fn a_copy_has_ids_of_its_own_and_its_expressions_name_its_own_steps() {
    let copied = applied(&example(), json!({ "op": "duplicate_step", "step": "big" })).unwrap();
    assert_eq!(ids(&copied), ["first", "big", "post", "tell", "big_2", "post_2", "tell_2", "last"]);
    let tell = copied.step(&StepId("tell_2".into())).unwrap();
    assert_eq!(tell.input["to"], "{{ steps.post_2.body.to }}, {{ steps.first.post }}");
    let twice = applied(&copied, json!({ "op": "duplicate_step", "step": "post_2" })).unwrap();
    assert!(ids(&twice).contains(&"post_3".to_owned()));
}

#[test]
fn an_absent_value_removes_a_field_and_null_is_a_value() {
    let set = |change: Json| applied(&example(), change).unwrap().steps[0].input.clone();
    assert_eq!(set(json!({ "op": "set_input", "step": "first", "field": "fields" })).len(), 0);
    let null = set(json!({ "op": "set_input", "step": "first", "field": "fields", "value": null }));
    assert_eq!(null.get("fields"), Some(&Json::Null));
}

#[test]
fn every_setting_can_be_changed_and_changed_back() {
    let mut start = example();
    start.steps.push(Step::new("gate", "filter"));
    for change in [
        json!({ "op": "set_name", "name": " Orders " }),
        json!({ "op": "set_trigger", "trigger": { "use": "form" } }),
        json!({ "op": "remove_trigger" }),
        json!({ "op": "set_trigger_title", "title": "Order comes in" }),
        json!({ "op": "set_trigger_input", "field": "methods", "value": ["PUT"] }),
        json!({ "op": "set_title", "step": "post", "title": "Post it" }),
        json!({ "op": "set_title", "step": "big" }),
        json!({ "op": "set_note", "step": "tell", "note": "Ask Bob" }),
        json!({ "op": "set_condition", "step": "gate", "condition": { "value": "{{ trigger.body.a }}", "is": "exists" } }),
        json!({ "op": "add_case", "step": "big", "index": 1, "case": { "title": "new", "if": { "all": [] }, "steps": [ { "id": "", "use": "set" } ] } }),
        json!({ "op": "add_case", "step": "big", "case": { "if": { "all": [] } } }),
        json!({ "op": "move_case", "step": "big", "from": 0, "to": 1 }),
        json!({ "op": "set_case_title", "step": "big", "index": 1, "title": "small" }),
        json!({ "op": "set_case_condition", "step": "big", "index": 0, "condition": { "expression": "true" } }),
        json!({ "op": "set_retry", "step": "post", "retry": { "attempts": 2, "first": "2s", "max": "1m" } }),
        json!({ "op": "set_timeout", "step": "post", "timeout": "5s" }),
        json!({ "op": "set_on_error", "step": "post", "on_error": "continue" }),
        json!({ "op": "set_connection", "step": "post", "connection": "crm" }),
        json!({ "op": "set_connection", "step": "trigger", "connection": "crm" }),
    ] {
        let edited = applied(&start, change.clone()).unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_ne!(edited, start, "{change}");
        assert_eq!(serde_json::to_value(operation(change.clone())).unwrap()["op"], change["op"]);
        assert!(!describe(&operation(change), &start).is_empty());
    }
}

#[test]
fn operations_are_described_in_words() {
    let words = |change: Json| describe(&operation(change), &example());
    assert_eq!(words(json!({ "op": "remove_step", "step": "big" })), "Removed the step “Is it big?” with the 2 steps inside");
    assert_eq!(words(json!({ "op": "set_input", "step": "post", "field": "url", "value": "x" })), "Changed “url” of “post”");
    assert_eq!(words(json!({ "op": "remove_case", "step": "big", "index": 0 })), "Removed the case “over 100” of “Is it big?”");
}

#[test]
fn unknown_operations_and_fields_are_refused() {
    assert!(serde_json::from_value::<Operation>(json!({ "op": "explode" })).is_err());
    assert!(serde_json::from_value::<Operation>(json!({ "op": "set_name", "name": "x", "extra": 1 })).is_err());
}

#[test]
fn a_workflow_does_not_grow_beyond_its_bounds() {
    let mut deep = Workflow::new("Deep");
    let mut at = json!({ "index": 0 });
    for level in 0..crate::workflow::MAX_DEPTH {
        let step = json!({ "id": format!("b{level}"), "use": "branch", "cases": [{ "if": { "all": [] } }] });
        deep = applied(&deep, json!({ "op": "add_step", "at": at, "step": step })).unwrap();
        at = json!({ "parent": { "step": format!("b{level}"), "lane": 0 }, "index": 0 });
    }
    let error = applied(&deep, json!({ "op": "add_step", "at": at, "step": { "id": "", "use": "set" } })).unwrap_err();
    assert!(error.0.contains("at most 20 deep"), "{error}");
}

#[test]
fn fresh_ids_are_slugs() {
    let id = |operation: &str| fresh_id(&example(), operation).0;
    assert_eq!(id("http.request"), "http_request");
    assert_eq!(id("post"), "post_2");
    assert_eq!(id("9 Läufe!"), "l_ufe");
    assert_eq!(id("§§"), "step");
    assert!(fresh_id(&example(), &"x".repeat(300)).is_well_formed());
}

/// An operation that fits the workflow, more or less, from a few numbers.
fn some_operation(workflow: &Workflow, kind: u8, a: u8, b: u8, c: u8) -> Operation {
    let steps: Vec<_> = workflow.placed().collect();
    let id = |n: u8| match steps.is_empty() {
        true => "none".to_owned(),
        false => steps[usize::from(n) % steps.len()].step.id.0.clone(),
    };
    let branches: Vec<_> = steps.iter().filter(|placed| placed.step.operation == "branch").collect();
    let place = match branches.is_empty() || b.is_multiple_of(3) {
        true => json!({ "index": c % 5 }),
        false => {
            let lane = if b % 4 == 1 { json!("otherwise") } else { json!(b % 3) };
            json!({ "parent": { "step": branches[usize::from(b) % branches.len()].step.id, "lane": lane }, "index": c % 4 })
        }
    };
    let branch = branches.get(usize::from(a) % branches.len().max(1)).map_or("none".into(), |placed| placed.step.id.0.clone());
    operation(match kind % 14 {
        0 | 1 => {
            json!({ "op": "add_step", "at": place, "step": { "id": "", "use": if c.is_multiple_of(2) { "set" } else { "branch" }, "cases": if c.is_multiple_of(2) { json!([]) } else { json!([{ "if": { "all": [] } }]) } } })
        }
        2 => json!({ "op": "remove_step", "step": id(a) }),
        3 | 4 => json!({ "op": "move_step", "step": id(a), "to": place }),
        5 => json!({ "op": "duplicate_step", "step": id(a) }),
        6 => json!({ "op": "set_input", "step": id(a), "field": "x", "value": b }),
        7 => json!({ "op": "set_input", "step": id(a), "field": "url" }),
        8 => {
            json!({ "op": "add_case", "step": branch, "index": c % 4, "case": { "if": { "all": [] }, "steps": [{ "id": "", "use": "set" }] } })
        }
        9 => json!({ "op": "remove_case", "step": branch, "index": b % 4 }),
        10 => json!({ "op": "move_case", "step": branch, "from": b % 4, "to": c % 4 }),
        11 => json!({ "op": "set_title", "step": id(a), "title": "T" }),
        12 => json!({ "op": "set_retry", "step": id(a) }),
        _ => json!({ "op": "set_trigger_input", "field": "x", "value": [a] }),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_can_be_undone_and_leave_unique_ids(start in workflows(), edits in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 0..20)) {
        let mut workflow = start.clone();
        let mut undos = Vec::new();
        for (kind, a, b, c) in edits {
            let before = workflow.clone();
            let change = some_operation(&workflow, kind, a, b, c);
            let _ = describe(&change, &workflow);
            match apply(&mut workflow, &change) {
                Ok(applied) => {
                    let mut redone = before.clone();
                    apply(&mut redone, &applied.done).unwrap();
                    prop_assert_eq!(&redone, &workflow);
                    undos.push(applied.undo);
                }
                Err(_) => prop_assert_eq!(&before, &workflow),
            }
            let mut seen = ids(&workflow);
            let count = seen.len();
            seen.sort();
            seen.dedup();
            prop_assert_eq!(seen.len(), count);
            let text = serde_json::to_string(&workflow).unwrap();
            prop_assert_eq!(&Workflow::from_json(&text).unwrap(), &workflow);
        }
        for undo in undos.into_iter().rev() {
            apply(&mut workflow, &undo).unwrap();
        }
        prop_assert_eq!(workflow, start);
    }
}
