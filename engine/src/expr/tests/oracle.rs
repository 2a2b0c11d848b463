//! The part of the language that Jinja and ours share means the same in both: `minijinja` is asked about random expressions.

use super::*;
use minijinja::{Environment, UndefinedBehavior};
use proptest::prelude::*;

/// Expressions over whole numbers, texts and booleans, without what differs on purpose: comparison across kinds, `*` on text,
/// division, and truth as a number.
fn whole() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..100_i64).prop_map(|number| number.to_string()),
        Just("a.n".to_owned()),
        Just("a['n']".to_owned()),
        Just("l[1]".to_owned())
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["+", "-", "*"]), inner.clone())
                .prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} - {b})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} if {b} > {c} else {c})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("[{a}, {b}][-1]")),
        ]
    })
}

fn truth() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (whole(), prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]), whole())
            .prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        prop::sample::select(vec![
            "true",
            "false",
            "'n' in a",
            "'b' not in 'abc'",
            "2 in l",
            "a.n is odd",
            "a.n is defined",
            "a.x is not defined"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["and", "or"]), inner.clone())
                .prop_map(|(a, word, b)| format!("{a} {word} {b}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof!["'[a-zA-Zé ]{0,5}'", Just("a.t".to_owned()), Just("\"it's\"".to_owned())];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} ~ {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            inner.clone().prop_map(|a| format!("({a} | upper)")),
            inner.clone().prop_map(|a| format!("({a} | lower)")),
            inner.clone().prop_map(|a| format!("({a} | trim)")),
            (inner.clone(), 0..4_usize, 0..6_usize).prop_map(|(a, from, to)| format!("({a})[{from}:{to}]")),
            inner.prop_map(|a| format!("(a.x | default({a}))")),
        ]
    })
}

fn ours(source: &str) -> Json {
    // The oracle's roots are put below one of ours.
    let source = source
        .replace("a.", "vars.a.")
        .replace("a[", "vars.a[")
        .replace("l[", "vars.l[")
        .replace("in a", "in vars.a")
        .replace("in l", "in vars.l");
    let run = RunInfo { id: RunId(Uuid::nil()), key: Uuid::nil(), started_at: moment("2026-11-20T10:00:00Z") };
    let Json::Object(vars) = data() else { unreachable!() };
    let context =
        Context::new(Roots { trigger: json!({}).into(), run, now: run.started_at, vars: vars.into(), language: "en".into() });
    Template::expression(&source)
        .and_then(|template| template.resolve(&context))
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .unwrap()
}

fn theirs(source: &str) -> Json {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    let value = environment
        .compile_expression(source)
        .unwrap()
        .eval(minijinja::value::Serde(data()))
        .unwrap_or_else(|error| panic!("{source}: {error}"));
    serde_json::to_value(value).unwrap()
}

fn data() -> Json {
    json!({ "a": { "n": 7, "t": "Towpath" }, "l": [1, 2, 3] })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arithmetic_means_what_it_means_in_jinja(source in whole()) {
        prop_assert_eq!(ours(&source), theirs(&source), "{}", source);
    }

    #[test]
    fn logic_means_what_it_means_in_jinja(source in truth()) {
        prop_assert_eq!(ours(&source), theirs(&source), "{}", source);
    }

    #[test]
    fn text_means_what_it_means_in_jinja(source in text()) {
        prop_assert_eq!(ours(&source), theirs(&source), "{}", source);
    }
}
