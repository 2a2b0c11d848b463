//! The steps over lists: by table, and against plainer programs that do the same slowly.

use crate::{
    Json,
    error::StepError,
    expr::tests::context,
    pure::{MAX_ITEMS, Outcome, PureStep},
    workflow::Step,
};
use proptest::prelude::*;
use serde_json::json;

/// What a step gives over a run whose trigger's body this is.
fn over(body: Json, operation: &str, input: Json) -> Result<Json, StepError> {
    let step: Step = serde_json::from_value(json!({ "id": "it", "use": operation, "input": input })).unwrap();
    match PureStep::compile(&step)?.expect("it is the engine's own").evaluate(&context(body))? {
        Outcome::Done { output } => Ok(output),
        other => panic!("{other:?}"),
    }
}

fn done(body: &Json, operation: &str, input: Json) -> Json {
    over(body.clone(), operation, input.clone()).unwrap_or_else(|error| panic!("{input}: {error:?}"))
}

fn complaint(body: &Json, operation: &str, input: Json) -> (String, String) {
    let error = over(body.clone(), operation, input).unwrap_err();
    (error.field.unwrap_or_default(), error.message)
}

fn said(field: &str, message: &str) -> (String, String) {
    (field.to_owned(), message.to_owned())
}

const LINES: &str = "{{ trigger.body.lines }}";

fn order() -> Json {
    json!({ "rate": 2, "lines": [
        { "sku": "B2", "price": 5, "city": "Oslo", "on": "2026-03-02" },
        { "sku": "A1", "price": 19.99, "city": "Rome", "on": "2026-01-15" },
        { "sku": "C3", "price": 0.01, "city": "oslo", "on": "2025-12-31" },
    ] })
}

#[test]
fn map_makes_an_item_of_each() {
    let fields = json!({ "code": "{{ item.sku | lower }}", "twice": "{{ item.price * trigger.body.rate }}", "at": "{{ index }}", "gone": "{{ item.no }}" });
    assert_eq!(
        done(&order(), "list.map", json!({ "list": LINES, "fields": fields })),
        json!({ "items": [
            { "code": "b2", "twice": 10, "at": 0 }, { "code": "a1", "twice": 39.98, "at": 1 }, { "code": "c3", "twice": 0.02, "at": 2 },
        ], "count": 3 })
    );
    assert_eq!(
        done(
            &json!({ "lines": [{ "a": 1, "b": 2 }] }),
            "list.map",
            json!({ "list": LINES, "make": "extended", "fields": { "b": "{{ item.a + 9 }}" } })
        ),
        json!({ "items": [{ "a": 1, "b": 10 }], "count": 1 })
    );
    assert_eq!(
        done(&order(), "list.map", json!({ "list": LINES, "make": "value", "value": "{{ item.sku }}" })),
        json!({ "items": ["B2", "A1", "C3"], "count": 3 })
    );
    assert_eq!(
        done(&json!({ "lines": null }), "list.map", json!({ "list": LINES, "fields": { "a": 1 } })),
        json!({ "items": [], "count": 0 })
    );
}

#[test]
fn an_error_names_the_field_and_the_item() {
    let body = json!({ "lines": [{ "n": 1 }, { "n": "x" }], "word": "a", "many": vec![0; MAX_ITEMS + 1] });
    for (operation, input, field, message) in [
        (
            "list.map",
            json!({ "list": LINES, "fields": { "m": "{{ item.n * 2 }}" } }),
            "fields.m",
            "Item 2: {{ item.n * 2 }}: Text and a number can't be multiplied. To count with a text write | number after it. It saw \"x\" and 2.",
        ),
        (
            "list.map",
            json!({ "list": "{{ trigger.body.word }}", "fields": { "m": 1 } }),
            "list",
            "A list is needed here, not \"a\".",
        ),
        (
            "list.map",
            json!({ "list": "{{ trigger.body.line }}", "fields": { "m": 1 } }),
            "list",
            "{{ trigger.body.line }}: There is no field \"line\" in trigger.body; it has lines, word, many.",
        ),
        (
            "list.map",
            json!({ "list": "{{ trigger.body.many }}", "fields": { "m": 1 } }),
            "list",
            "This list has 100001 items; a step works on 100000 at most.",
        ),
        ("list.map", json!({ "fields": { "m": 1 } }), "list", "“The list” is missing."),
        ("list.map", json!({ "list": LINES }), "fields", "“Fields of each new item” is missing."),
        (
            "list.map",
            json!({ "list": LINES, "make": "some" }),
            "make",
            "\"some\" is not a choice here; it is fields, extended or value.",
        ),
        (
            "list.map",
            json!({ "list": LINES, "fields": "{{ item.n }}" }),
            "fields",
            "Item 1: Names and values are needed here, not 1.",
        ),
        (
            "list.map",
            json!({ "list": "{{ [1] }}", "make": "extended", "fields": { "a": 1 } }),
            "fields",
            "Item 1: Only an item with fields can get more of them, and this one is 1.",
        ),
        (
            "list.filter",
            json!({ "list": LINES, "condition": { "value": "{{ item.n }}", "is": "greater_than", "to": 0 } }),
            "condition.value",
            "Item 2: Text can't be read as a number. It saw \"x\".",
        ),
        ("list.filter", json!({ "list": LINES }), "condition", "Say which items to keep."),
        (
            "list.sort",
            json!({ "list": LINES, "by": "{{ item.n }}", "read": "number" }),
            "by",
            "Item 2: \"x\" can't be read as a number.",
        ),
        (
            "list.group",
            json!({ "list": LINES, "key": "k", "sum": { "total": "{{ item.n }}" } }),
            "sum.total",
            "Item 2: \"x\" can't be read as a number.",
        ),
        (
            "list.group",
            json!({ "list": LINES, "key": "k", "sum": { "n": 1 }, "largest": { "n": 1 } }),
            "largest.n",
            "Two totals are called “n”. Give each its own name.",
        ),
        (
            "list.join",
            json!({ "list": LINES, "other": "{{ [5] }}", "key": "k" }),
            "other",
            "Item 1 of the second list: Only items with fields can be put beside others, and this one is 5. Put it under a name instead.",
        ),
        (
            "list.join",
            json!({ "list": "{{ [5] }}", "other": LINES, "key": "k" }),
            "list",
            "Item 1 of the first list: Only items with fields can be joined, and this one is 5.",
        ),
        (
            "list.reconcile",
            json!({ "list": LINES, "other": LINES, "key": "k", "values": { "n": "{{ item.n }}" }, "other_values": { "m": 1 } }),
            "other_values.m",
            "Nothing of the first list is called “m”. Use the names of the values that are compared.",
        ),
        ("list.deduplicate", json!({ "list": LINES, "ignore_case": "yes" }), "ignore_case", "This is either on or off."),
    ] {
        assert_eq!(complaint(&body, operation, input.clone()), said(field, message), "{input}");
    }
}

#[test]
fn item_is_that_of_the_steps_own_list() {
    let (field, message) = complaint(&order(), "list.map", json!({ "list": "{{ item }}", "fields": { "a": 1 } }));
    assert_eq!(field, "list");
    assert!(message.contains("only there inside a “For each”"), "{message}");
    let mut round = context(order());
    let lines = json!([{ "list": [{ "n": 1 }, { "n": 2 }] }]).as_array().unwrap().clone();
    round.set_rounds(vec![crate::lines::Round { list: Some(std::sync::Arc::new(lines)), index: 0 }]);
    let step = json!({ "id": "it", "use": "list.map", "input": { "list": "{{ item.list }}", "make": "value", "value": "{{ item.n }}{{ index }}" } });
    let step: Step = serde_json::from_value(step).unwrap();
    let done = PureStep::compile(&step).unwrap().unwrap().evaluate(&round).unwrap();
    assert_eq!(done.output()["items"], json!(["10", "21"]));
}

#[test]
fn each_item_draws_its_own_random_values() {
    let ids = done(&order(), "list.map", json!({ "list": LINES, "make": "value", "value": "{{ uuid() }}" }));
    let ids = ids["items"].as_array().unwrap().clone();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(
        done(&order(), "list.map", json!({ "list": LINES, "make": "value", "value": "{{ uuid() }}" }))["items"],
        Json::from(ids)
    );
}

#[test]
fn filter_keeps_the_items_for_which_the_conditions_hold() {
    let keep = |condition: Json| {
        let done = done(&order(), "list.filter", json!({ "list": LINES, "condition": condition }));
        let kept: Vec<String> =
            done["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect();
        assert_eq!(done["count"], kept.len());
        assert_eq!(done["removed"], 3 - kept.len());
        kept
    };
    assert_eq!(keep(json!({ "value": "{{ item.price }}", "is": "at_least", "to": 5 })), ["B2", "A1"]);
    assert_eq!(
        keep(
            json!({ "any": [{ "value": "{{ index }}", "is": "equals", "to": 2 }, { "value": "{{ item.on }}", "is": "before", "to": "2026-02-01" }] })
        ),
        ["A1", "C3"]
    );
    assert_eq!(keep(json!({ "expression": "item.price > trigger.body.rate" })), ["B2", "A1"]);
    assert_eq!(keep(json!({ "all": [] })), ["B2", "A1", "C3"]);
}

#[test]
fn sort_orders_by_what_the_values_are() {
    let sorted = |list: Json, more: Json| {
        let mut input = json!({ "list": LINES });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        done(&json!({ "lines": list }), "list.sort", input)["items"].clone()
    };
    for (list, more, expected) in [
        (json!([10, "9", 2.5]), json!({}), json!([2.5, "9", 10])),
        (json!([10, "9", "x"]), json!({}), json!([10, "9", "x"])),
        (json!([10, "9", 2.5]), json!({ "read": "text" }), json!([10, 2.5, "9"])),
        (json!(["b", "A", "a", "B"]), json!({}), json!(["A", "a", "B", "b"])),
        (
            json!(["2026-03-01", "20.11.2025", "2026-01-01T00:00:00+01:00"]),
            json!({}),
            json!(["20.11.2025", "2026-01-01T00:00:00+01:00", "2026-03-01"]),
        ),
        (json!([null, 2, "", 1]), json!({ "order": "descending" }), json!([2, 1, null, ""])),
        (
            json!([{ "a": 1, "b": 1 }, { "a": 0, "b": 2 }, { "a": 1, "b": 3 }]),
            json!({ "by": "{{ item.a }}", "order": "descending", "then_by": "{{ item.b }}", "then_order": "descending" }),
            json!([{ "a": 1, "b": 3 }, { "a": 1, "b": 1 }, { "a": 0, "b": 2 }]),
        ),
        (json!([{ "k": 1 }, {}, { "k": 0 }]), json!({ "by": "{{ item.k }}" }), json!([{ "k": 0 }, { "k": 1 }, {}])),
    ] {
        assert_eq!(sorted(list.clone(), more.clone()), expected, "{list} {more}");
    }
}

#[test]
fn deduplicate_keeps_the_first_or_the_last_of_a_key() {
    let body = json!({ "lines": [{ "k": "a", "n": 1 }, { "k": "A", "n": 2 }, { "n": 3 }, { "k": "a", "n": 4 }, { "n": 5 }, { "k": 7, "n": 6 }, { "k": "7", "n": 7 }] });
    let kept = |more: Json| {
        let mut input = json!({ "list": LINES, "key": "{{ item.k }}" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let done = done(&body, "list.deduplicate", input);
        (
            done["items"].as_array().unwrap().iter().map(|item| item["n"].as_i64().unwrap()).collect::<Vec<_>>(),
            done["removed"].clone(),
        )
    };
    assert_eq!(kept(json!({})), (vec![1, 2, 3, 5, 6], json!(2)));
    assert_eq!(kept(json!({ "keep": "last" })), (vec![2, 3, 4, 5, 7], json!(2)));
    assert_eq!(kept(json!({ "ignore_case": true })), (vec![1, 3, 5, 6], json!(3)));
    let whole = json!({ "lines": [{ "a": 1, "b": [2] }, { "b": [2.0], "a": 1 }, 1, "1", null, null] });
    assert_eq!(done(&whole, "list.deduplicate", json!({ "list": LINES }))["items"], json!([{ "a": 1, "b": [2] }, 1, null, null]));
}

#[test]
fn group_counts_and_totals() {
    let done = done(
        &order(),
        "list.group",
        json!({ "list": LINES, "key": "{{ item.city }}", "ignore_case": true, "keep_items": false,
            "sum": { "total": "{{ item.price }}" }, "average": { "mean": "{{ item.price }}", "none": "{{ item.no }}" },
            "smallest": { "first": "{{ item.on }}" }, "largest": { "dearest": "{{ item.price }}" } }),
    );
    assert_eq!(
        done,
        json!({ "groups": [
            { "key": "Oslo", "count": 2, "totals": { "total": 5.01, "mean": 2.505, "none": null, "first": "2025-12-31", "dearest": 5 } },
            { "key": "Rome", "count": 1, "totals": { "total": 19.99, "mean": 19.99, "none": null, "first": "2026-01-15", "dearest": 19.99 } },
        ], "count": 2 })
    );
    let body = json!({ "lines": [{ "k": null, "n": "1" }, { "n": "" }, { "k": 1, "n": "2.5" }] });
    assert_eq!(
        super::tests::done(&body, "list.group", json!({ "list": LINES, "key": "{{ item.k }}", "sum": { "n": "{{ item.n }}" } })),
        json!({ "groups": [
            { "key": null, "count": 2, "totals": { "n": 1 }, "items": [{ "k": null, "n": "1" }, { "n": "" }] },
            { "key": 1, "count": 1, "totals": { "n": 2.5 }, "items": [{ "k": 1, "n": "2.5" }] },
        ], "count": 2 })
    );
}

#[test]
fn join_puts_the_items_of_two_lists_together() {
    let body = json!({
        "lines": [{ "id": 1, "who": 7, "name": "first" }, { "id": 2, "who": "8" }, { "id": 3, "who": null }],
        "people": [{ "no": "7", "name": "Ada" }, { "no": 7, "name": "Grace" }, { "no": 9, "name": "Nobody" }, { "name": "Null" }],
    });
    let joined = |more: Json| {
        let mut input =
            json!({ "list": LINES, "other": "{{ trigger.body.people }}", "key": "{{ item.who }}", "other_key": "{{ item.no }}" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        done(&body, "list.join", input)
    };
    assert_eq!(
        joined(json!({})),
        json!({ "items": [
            { "id": 1, "who": 7, "name": "first", "no": "7" }, { "id": 1, "who": 7, "name": "first", "no": 7 },
            { "id": 2, "who": "8" }, { "id": 3, "who": null },
        ], "count": 4, "unmatched": 2, "unused": 2 })
    );
    assert_eq!(
        joined(json!({ "keep": "matching", "several": "first", "prefix": "person_" }))["items"],
        json!([{ "id": 1, "who": 7, "name": "first", "person_no": "7", "person_name": "Ada" }])
    );
    assert_eq!(
        joined(json!({ "keep": "matching", "put": "under", "name": "person", "several": "first" }))["items"],
        json!([{ "id": 1, "who": 7, "name": "first", "person": { "no": "7", "name": "Ada" } }])
    );
}

#[test]
fn a_join_that_would_explode_is_refused() {
    let body = json!({ "lines": vec![json!({ "k": 1 }); 400] });
    let (field, message) = complaint(&body, "list.join", json!({ "list": LINES, "other": LINES, "key": "{{ item.k }}" }));
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("key", "The result has more than 100000 items: many items of both lists share the same keys.")
    );
    let long = "x".repeat(200_000);
    let body = json!({ "lines": vec![json!({ "k": 1, "t": long }); 40] });
    let (_, message) = complaint(&body, "list.join", json!({ "list": LINES, "other": LINES, "key": "{{ item.k }}" }));
    assert_eq!(message, "The step's result would be larger than 32 MB.");
}

#[test]
fn reconcile_says_what_is_missing_and_what_differs() {
    let body = json!({
        "lines": [{ "id": 1, "sum": 10, "note": "a" }, { "id": 2, "sum": 20 }, { "id": 3, "sum": 30 }, { "id": 3, "sum": 31 }, { "sum": 5 }],
        "other": [{ "no": "1", "amount": "10.00" }, { "no": "2", "amount": 21 }, { "no": "4", "amount": 40 }, { "no": "4", "amount": 41 }],
    });
    let input = json!({ "list": LINES, "other": "{{ trigger.body.other }}", "key": "{{ item.id }}", "other_key": "{{ item.no }}",
        "values": { "amount": "{{ item.sum }}" }, "other_values": { "amount": "{{ item.amount }}" } });
    assert_eq!(
        done(&body, "list.reconcile", input),
        json!({
            "matches": false,
            "same": 1,
            "missing_in_second": [{ "id": 3, "sum": 30 }, { "sum": 5 }],
            "missing_in_first": [{ "no": "4", "amount": 40 }],
            "different": [{ "key": 2, "fields": [{ "name": "amount", "first": 20, "second": 21 }], "first": { "id": 2, "sum": 20 }, "second": { "no": "2", "amount": 21 } }],
            "repeated_in_first": [{ "id": 3, "sum": 31 }],
            "repeated_in_second": [{ "no": "4", "amount": 41 }],
        })
    );
    let whole = json!({ "lines": [{ "id": 1, "a": "", "b": 2 }], "other": [{ "id": 1, "b": "2", "c": true }] });
    let done =
        done(&whole, "list.reconcile", json!({ "list": LINES, "other": "{{ trigger.body.other }}", "key": "{{ item.id }}" }));
    assert_eq!(done["different"][0]["fields"], json!([{ "name": "c", "first": null, "second": true }]));
}

#[test]
fn the_paths_of_a_data_step_are_those_into_the_run() {
    let paths = |operation: &str, input: Json| {
        let step: Step = serde_json::from_value(json!({ "id": "it", "use": operation, "input": input })).unwrap();
        PureStep::compile(&step).unwrap().unwrap().paths()
    };
    assert_eq!(
        paths("list.map", json!({ "list": LINES, "fields": { "a": "{{ item.x ~ steps.rate.value }}", "b": "{{ index }}" } })),
        ["trigger.body.lines", "steps.rate.value"]
    );
    assert_eq!(
        paths(
            "list.filter",
            json!({ "list": LINES, "condition": { "value": "{{ item.x }}", "is": "equals", "to": "{{ steps.a.b }}" } })
        ),
        ["trigger.body.lines", "steps.a.b"]
    );
}

#[test]
fn a_hundred_thousand_items_are_worked_on_within_the_bounds() {
    let body = json!({ "lines": (0..MAX_ITEMS).map(|n| json!({ "k": n % 1000, "n": n })).collect::<Vec<_>>() });
    assert_eq!(
        done(&body, "list.group", json!({ "list": LINES, "key": "{{ item.k }}", "sum": { "n": "{{ item.n }}" } }))["count"],
        1000
    );
    assert_eq!(
        done(&body, "list.sort", json!({ "list": LINES, "by": "{{ item.n }}", "order": "descending" }))["items"][0]["n"],
        MAX_ITEMS - 1
    );
    let body = json!({ "lines": vec![0; MAX_ITEMS] });
    let busy = json!({ "list": LINES, "make": "value", "value": "{{ 1 in trigger.body.lines }}" });
    assert!(complaint(&body, "list.map", busy).1.contains("too much work"));
}

fn any_key() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        (0..6_i64).prop_map(Json::from),
        (0..6_i64).prop_map(|n| Json::from(n.to_string())),
        "[abAB]?".prop_map(Json::from),
    ]
}

fn any_list() -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec((any_key(), 0..4_i64).prop_map(|(k, n)| json!({ "k": k, "n": n })), 0..14)
}

fn text_of(key: &Json) -> Option<String> {
    let text = crate::expr::print::text(key);
    (!text.is_empty()).then_some(text)
}

proptest! {
    #[test]
    fn a_sorted_list_has_the_same_items_in_order(list in prop::collection::vec(prop_oneof![any_key(), (-50..50_i64).prop_map(|n| json!(n as f64 / 4.0))], 0..30), down in any::<bool>()) {
        let order = if down { "descending" } else { "ascending" };
        let body = json!({ "lines": list.iter().enumerate().map(|(at, k)| json!({ "k": k, "at": at })).collect::<Vec<_>>() });
        let sorted = done(&body, "list.sort", json!({ "list": LINES, "by": "{{ item.k }}", "order": order }))["items"].as_array().unwrap().clone();
        let mut places: Vec<u64> = sorted.iter().map(|item| item["at"].as_u64().unwrap()).collect();
        let numbers = list.iter().filter(|k| text_of(k).is_some()).all(|k| text_of(k).unwrap().parse::<f64>().is_ok());
        for pair in sorted.windows(2) {
            let (Some(a), Some(b)) = (text_of(&pair[0]["k"]), text_of(&pair[1]["k"])) else {
                prop_assert!(text_of(&pair[1]["k"]).is_none(), "what is empty comes last: {sorted:?}");
                continue;
            };
            let (low, high) = if down { (&b, &a) } else { (&a, &b) };
            if numbers {
                prop_assert!(low.parse::<f64>().unwrap() <= high.parse::<f64>().unwrap(), "{sorted:?}");
            } else {
                prop_assert!(low.to_lowercase() <= high.to_lowercase(), "{sorted:?}");
            }
            if a == b {
                prop_assert!(pair[0]["at"].as_u64() < pair[1]["at"].as_u64(), "equal items stay as they were: {sorted:?}");
            }
        }
        places.sort_unstable();
        prop_assert_eq!(places, (0..list.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn join_finds_what_two_loops_find(list in any_list(), other in any_list(), all in any::<bool>()) {
        let body = json!({ "lines": list, "other": other });
        let joined = done(&body, "list.join", json!({ "list": LINES, "other": "{{ trigger.body.other }}", "key": "{{ item.k }}", "keep": if all { "all" } else { "matching" }, "put": "under", "name": "o" }));
        let mut expected = Vec::new();
        for a in &list {
            let partners: Vec<&Json> = other.iter().filter(|b| text_of(&a["k"]).is_some() && text_of(&a["k"]) == text_of(&b["k"])).collect();
            if partners.is_empty() && all {
                expected.push(a.clone());
            }
            expected.extend(partners.into_iter().map(|b| { let mut a = a.clone(); a["o"] = b.clone(); a }));
        }
        prop_assert_eq!(&joined["items"], &Json::from(expected));
    }

    #[test]
    fn reconcile_finds_what_two_loops_find(list in any_list(), other in any_list()) {
        let body = json!({ "lines": list, "other": other });
        let found = done(&body, "list.reconcile", json!({ "list": LINES, "other": "{{ trigger.body.other }}", "key": "{{ item.k }}", "values": { "n": "{{ item.n }}" } }));
        let is_first = |list: &[Json], at: usize| text_of(&list[at]["k"]).is_none_or(|key| !list[..at].iter().any(|before| text_of(&before["k"]) == Some(key.clone())));
        let firsts = |list: &[Json]| (0..list.len()).filter(|at| is_first(list, *at)).map(|at| list[at].clone()).collect::<Vec<_>>();
        let partner = |item: &Json, list: &[Json]| firsts(list).into_iter().find(|other| text_of(&item["k"]).is_some() && text_of(&item["k"]) == text_of(&other["k"]));
        let missing = |from: &[Json], of: &[Json]| firsts(from).into_iter().filter(|item| partner(item, of).is_none()).collect::<Vec<_>>();
        prop_assert_eq!(&found["missing_in_second"], &Json::from(missing(&list, &other)));
        prop_assert_eq!(&found["missing_in_first"], &Json::from(missing(&other, &list)));
        let pairs: Vec<(Json, Json)> = firsts(&list).into_iter().filter_map(|a| partner(&a, &other).map(|b| (a, b))).collect();
        prop_assert_eq!(&found["same"], &json!(pairs.iter().filter(|(a, b)| a["n"] == b["n"]).count()));
        prop_assert_eq!(found["different"].as_array().unwrap().len(), pairs.iter().filter(|(a, b)| a["n"] != b["n"]).count());
        prop_assert_eq!(found["repeated_in_first"].as_array().unwrap().len(), list.len() - firsts(&list).len());
    }
}
