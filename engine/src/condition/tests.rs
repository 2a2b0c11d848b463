//! What the operators mean, what they read values as, and what they say when they can't.

use super::*;
use crate::expr::{ExprError, tests::context};
use Operator as Is;
use proptest::prelude::*;
use serde_json::json;

fn test(value: Json, is: Operator, to: Json) -> Conditions {
    Conditions::Test(Test { value, is, to: Some(to) })
}

fn compiled(conditions: &Conditions) -> Compiled {
    Compiled::compile(conditions).unwrap_or_else(|error| panic!("{error:?}"))
}

fn holds(value: Json, is: Operator, to: Json) -> Result<bool, ExprError> {
    compiled(&test(value, is, to)).holds(&order())
}

fn order() -> crate::expr::Context {
    context(json!({
        "total": 120, "text": "120.0", "city": "Berlin", "empty": "", "nothing": null, "zero": 0, "tags": ["Red", 5], "paid": "yes",
        "day": "2026-11-20", "at": "2026-11-20T12:00:00+02:00", "customer": { "name": "Ada" }, "none": [], "no": {},
    }))
}

/// `{{ trigger.body.<name> }}`
fn body(name: &str) -> Json {
    format!("{{{{ trigger.body.{name} }}}}").into()
}

#[test]
fn every_operator_compares_what_it_is_for() {
    for (value, is, to, expected) in [
        (body("total"), Is::Equals, json!(120), true),
        (body("total"), Is::Equals, json!("120"), true),
        (body("total"), Is::Equals, json!("120 EUR"), false),
        (body("text"), Is::Equals, json!(120), true),
        (body("text"), Is::Equals, json!("120"), false),
        (json!("007"), Is::Equals, json!("7"), false),
        (body("city"), Is::Equals, json!("berlin"), false),
        (json!(true), Is::Equals, json!("True"), true),
        (body("tags"), Is::Equals, json!(["Red", 5.0]), true),
        (body("nothing"), Is::Equals, json!(""), true),
        (body("missing"), Is::Equals, json!("x"), false),
        (body("missing"), Is::NotEquals, json!("x"), true),
        (body("city"), Is::NotEquals, json!("Berlin"), false),
        (body("total"), Is::GreaterThan, json!("99.5"), true),
        (body("text"), Is::GreaterThan, json!(120), false),
        (body("text"), Is::AtLeast, json!(120), true),
        (body("total"), Is::LessThan, json!(120), false),
        (body("total"), Is::AtMost, json!(120), true),
        (json!("9007199254740993"), Is::GreaterThan, json!(9_007_199_254_740_992_i64), true),
        (body("total"), Is::Between, json!([100, "120"]), true),
        (body("total"), Is::Between, json!([121, 200]), false),
        (body("total"), Is::Between, json!([200, 100]), false),
        (body("day"), Is::Between, json!(["2026-11-01", "2026-11-30 12:00"]), true),
        (body("city"), Is::Contains, json!("ERL"), true),
        (body("city"), Is::NotContains, json!("x"), true),
        (body("total"), Is::Contains, json!(2), true),
        (body("tags"), Is::Contains, json!("Red"), true),
        (body("tags"), Is::Contains, json!("red"), false),
        (body("tags"), Is::Contains, json!("5"), true),
        (body("customer"), Is::Contains, json!("name"), true),
        (body("missing"), Is::Contains, json!("x"), false),
        (body("city"), Is::StartsWith, json!("ber"), true),
        (body("city"), Is::EndsWith, json!("LIN"), true),
        (body("city"), Is::EndsWith, json!("x"), false),
        (body("city"), Is::Matches, json!("^B.*n$"), true),
        (body("city"), Is::Matches, json!("^b"), false),
        (body("city"), Is::Matches, json!("(?i)^b"), true),
        (body("city"), Is::Matches, json!("{{ '^' ~ trigger.body.city }}"), true),
        (body("city"), Is::OneOf, json!("Paris, Berlin\nRome"), true),
        (body("city"), Is::OneOf, json!(["Paris", "Rome"]), false),
        (body("total"), Is::OneOf, json!("119, 120"), true),
        (body("city"), Is::NotOneOf, json!(["Paris"]), true),
        (body("day"), Is::Before, json!("2026-11-20T00:00:01Z"), true),
        (body("at"), Is::After, json!("2026-11-20 09:59"), true),
        (body("at"), Is::After, json!("2026-11-20 10:00"), false),
        (json!(1_795_170_300), Is::After, body("day"), true),
        (json!("20.11.2026"), Is::Before, json!("{{ now }}"), true),
    ] {
        assert_eq!(
            holds(value.clone(), is, to.clone()).unwrap_or_else(|e| panic!("{value} {is:?} {to}: {e}")),
            expected,
            "{value} {is:?} {to}"
        );
    }
    for (value, is, expected) in [
        (body("paid"), Is::IsTrue, true),
        (json!(true), Is::IsTrue, true),
        (json!(" ON "), Is::IsTrue, true),
        (body("zero"), Is::IsFalse, true),
        (body("missing"), Is::IsTrue, false),
        (body("missing"), Is::IsFalse, true),
        (body("empty"), Is::IsFalse, true),
        (body("missing"), Is::IsEmpty, true),
        (body("nothing"), Is::IsEmpty, true),
        (body("empty"), Is::IsEmpty, true),
        (body("none"), Is::IsEmpty, true),
        (body("no"), Is::IsEmpty, true),
        (body("zero"), Is::IsEmpty, false),
        (body("city"), Is::IsNotEmpty, true),
        (body("nothing"), Is::Exists, true),
        (body("missing"), Is::Exists, false),
        (body("missing"), Is::DoesNotExist, true),
        (body("a.b.c"), Is::DoesNotExist, true),
    ] {
        let conditions = Conditions::Test(Test { value: value.clone(), is, to: None });
        assert_eq!(compiled(&conditions).holds(&order()).unwrap(), expected, "{value} {is:?}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_which_value_and_as_what() {
    for (value, is, to, field, message) in [
        (body("city"), Is::GreaterThan, json!(1), "value", "Text can't be read as a number. It saw \"Berlin\"."),
        (body("total"), Is::AtMost, json!("many"), "to", "Text can't be read as a number. It saw \"many\"."),
        (body("missing"), Is::LessThan, json!(1), "value", "The value is missing or empty; here a number is needed."),
        (
            body("city"),
            Is::Before,
            json!("2026-11-20"),
            "value",
            "Text can't be read as a date, such as 2026-11-20, 2026-11-20 10:25 or 2026-11-20T10:25:00+01:00. It saw \"Berlin\".",
        ),
        (body("city"), Is::IsTrue, json!(null), "value", "Text can't be read as true or false. It saw \"Berlin\"."),
        (json!(2), Is::IsFalse, json!(null), "value", "A number can't be read as true or false. It saw 2."),
        (body("customer"), Is::StartsWith, json!("a"), "value", "An object can't be read as text. It saw an object with name."),
        (body("city"), Is::Contains, json!(["a"]), "to", "A list can't be read as text. It saw a list of 1 item."),
        (body("city"), Is::OneOf, json!(5), "to", "A number can't be read as a list. It saw 5."),
        (body("city"), Is::Between, json!([1, 2]), "value", "Text can't be read as a number. It saw \"Berlin\"."),
        (
            body("city"),
            Is::Matches,
            json!("{{ '(' }}"),
            "to",
            "This is not a pattern that can be used: unclosed group. It saw \"(\".",
        ),
        (
            json!("a {{ trigger.body.missing }}"),
            Is::Equals,
            json!("a"),
            "value",
            "{{ trigger.body.missing }}: There is no field \"missing\" in trigger.body; it has total, text, city, empty, nothing, zero, tags, paid, 5 more. Add | default(\"…\") if it may be missing.",
        ),
    ] {
        let error = holds(value.clone(), is, to).unwrap_err();
        assert_eq!((error.field.as_str(), error.to_string().as_str()), (field, message), "{value} {is:?}");
    }
}

#[test]
fn what_can_be_seen_without_a_run_is_refused_when_it_is_compiled() {
    let all = |condition: Conditions| Conditions::All { all: vec![Conditions::Any { any: vec![] }, condition] };
    for (conditions, field, message) in [
        (
            all(Conditions::Test(Test { value: json!(1), is: Is::GreaterThan, to: None })),
            "all[1].to",
            "“is greater than” needs something to compare with.",
        ),
        (
            all(test(json!("x"), Is::Matches, json!("["))),
            "all[1].to",
            "This is not a pattern that can be used: unclosed character class.",
        ),
        (all(test(json!("{{ x }}"), Is::Equals, json!(1))), "all[1].value", "“x” is not known here."),
        (all(test(json!("a"), Is::Equals, json!({ "b": ["{{"] }))), "all[1].to.b[0]", "This {{ is never closed"),
        (all(test(json!(1), Is::Between, json!([1]))), "all[1].to", "“is between” needs two values"),
        (all(Conditions::Expression { expression: "1 +".into() }), "all[1].expression", "The expression ends too early"),
    ] {
        let error = Compiled::compile(&conditions).unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.message.starts_with(message), "{error:?}");
    }
    let mut deep = Conditions::All { all: vec![] };
    for _ in 0..MAX_DEPTH {
        deep = Conditions::Any { any: vec![deep] };
    }
    assert!(Compiled::compile(&deep).unwrap_err().message.contains("more than 16 groups"));
    let Conditions::Any { any } = deep else { unreachable!() };
    assert!(Compiled::compile(&any[0]).is_ok());
}

#[test]
fn groups_hold_as_their_words_say_and_look_no_further_than_needed() {
    let yes = || test(json!(1), Is::Equals, json!(1));
    let no = || test(json!(1), Is::Equals, json!(2));
    let broken = || test(json!("x"), Is::GreaterThan, json!(1));
    for (conditions, expected) in [
        (Conditions::All { all: vec![] }, Some(true)),
        (Conditions::Any { any: vec![] }, Some(false)),
        (Conditions::All { all: vec![yes(), yes()] }, Some(true)),
        (Conditions::All { all: vec![yes(), no(), broken()] }, Some(false)),
        (Conditions::All { all: vec![yes(), broken(), no()] }, None),
        (Conditions::Any { any: vec![no(), yes(), broken()] }, Some(true)),
        (Conditions::Any { any: vec![no(), broken()] }, None),
        (Conditions::All { all: vec![Conditions::Any { any: vec![no(), yes()] }, yes()] }, Some(true)),
    ] {
        let compiled = compiled(&conditions);
        assert_eq!(compiled.holds(&order()).ok(), expected, "{conditions:?}");
        assert_eq!(compiled.explain(&order()).holds, expected, "{conditions:?}");
    }
}

#[test]
fn an_advanced_row_takes_an_expression_that_yields_true_or_false() {
    let row = |expression: &str| compiled(&Conditions::Expression { expression: expression.into() }).holds(&order());
    assert_eq!(row("trigger.body.total > 100 and trigger.body.city == 'Berlin'"), Ok(true));
    assert_eq!(row("{{ trigger.body.none | length > 0 }}"), Ok(false));
    let error = row("trigger.body.total").unwrap_err();
    assert_eq!(
        (error.field.as_str(), error.to_string().as_str()),
        ("expression", "{{ trigger.body.total }}: This expression must yield true or false. It saw 120.")
    );
    assert!(row("trigger.body.missing").unwrap_err().message.starts_with("There is no field \"missing\""));
}

#[test]
fn an_explanation_shows_what_was_compared_and_what_was_read_as_what() {
    let conditions = Conditions::All {
        all: vec![
            test(body("text"), Is::GreaterThan, json!("100")),
            test(body("city"), Is::OneOf, json!("Rome, Berlin")),
            test(body("day"), Is::Before, json!("2026-12-24")),
            test(body("missing"), Is::Equals, json!("x")),
            test(body("city"), Is::LessThan, json!(5)),
            Conditions::Test(Test { value: body("paid"), is: Is::IsTrue, to: None }),
        ],
    };
    let explanation = compiled(&conditions).explain(&order());
    assert_eq!(explanation.holds, Some(false));
    let parts: Vec<_> = explanation.parts.iter().map(|part| (part.holds, part.sentence.as_str(), part.notes.join(" "))).collect();
    assert_eq!(parts, [
        (Some(true), "\"120.0\" is greater than \"100\"", "The text \"120.0\" was read as a number. The text \"100\" was read as a number.".into()),
        (Some(true), "\"Berlin\" is one of \"Rome, Berlin\"", "The text \"Rome, Berlin\" was read as a list of 2.".into()),
        (
            Some(true),
            "\"2026-11-20\" is before \"2026-12-24\"",
            "\"2026-11-20\" was read as 20 November 2026, 00:00:00 UTC. \"2026-12-24\" was read as 24 December 2026, 00:00:00 UTC.".into(),
        ),
        (Some(false), "nothing is \"x\"", "The value is missing and counts as empty.".into()),
        (None, "is less than", String::new()),
        (Some(true), "\"yes\" is true", "\"yes\" was read as true.".into()),
    ]);
    assert_eq!(explanation.parts[4].error.as_ref().unwrap().field, "all[4].value");
}

#[test]
fn the_paths_of_conditions_are_known() {
    let conditions = Conditions::Any {
        any: vec![
            test(body("a"), Is::Equals, body("b")),
            Conditions::Expression { expression: "steps.x.y > trigger.body.a".into() },
        ],
    };
    assert_eq!(compiled(&conditions).paths(), ["trigger.body.a", "trigger.body.b", "steps.x.y"]);
}

proptest! {
    #[test]
    fn an_operator_and_its_opposite_never_agree(
        value in any_value(), to in any_value(),
        pair in prop::sample::select(vec![(Is::Equals, Is::NotEquals), (Is::Contains, Is::NotContains), (Is::OneOf, Is::NotOneOf),
            (Is::GreaterThan, Is::AtMost), (Is::LessThan, Is::AtLeast), (Is::IsTrue, Is::IsFalse), (Is::IsEmpty, Is::IsNotEmpty)]),
    ) {
        match (holds(value.clone(), pair.0, to.clone()), holds(value, pair.1, to)) {
            (Ok(a), Ok(b)) => prop_assert_ne!(a, b),
            (Err(a), Err(b)) => prop_assert_eq!(a.message, b.message),
            (a, b) => prop_assert!(false, "{:?} {:?}", a, b),
        }
    }

    #[test]
    fn every_operator_takes_any_values(value in any_value(), to in any_value(), is in prop::sample::select(vec![Is::Between, Is::StartsWith, Is::EndsWith,
        Is::Matches, Is::Before, Is::After, Is::Exists, Is::DoesNotExist])) {
        if let Ok(compiled) = Compiled::compile(&test(value, is, to)) {
            let explanation = compiled.explain(&order());
            prop_assert_eq!(explanation.holds, compiled.holds(&order()).ok());
        }
    }
}

fn any_value() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3..3_i64).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[0-3.a-c(,\\-]{0,4}".prop_map(Json::from),
        Just(json!("2026-11-20")),
        prop::collection::vec((-2..2_i64).prop_map(Json::from), 0..3).prop_map(Json::from),
        Just(json!({ "a": 1 })),
        Just(body("missing")),
    ]
}
