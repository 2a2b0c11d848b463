//! Every connector of this repository through the suite, and planted mistakes that it must find.

use super::*;
use std::{fs, path::Path, time::SystemTime};

fn today() -> NaiveDate {
    chrono::DateTime::<chrono::Utc>::from(SystemTime::now()).date_naive()
}

#[tokio::test]
async fn every_connector_of_this_repository_passes_every_trial() {
    let waivers = waiver::built_in();
    let mut bad = Vec::new();
    for folder in Folder::embedded() {
        let outcomes = run(&folder, &waivers, today()).await;
        assert!(outcomes.len() > 3, "{}: hardly anything was tried", folder.name);
        bad.extend(outcomes.into_iter().filter(Outcome::is_bad));
    }
    let said: Vec<String> = bad
        .iter()
        .map(|it| format!("{} {} {}: {}", it.connector, it.rule, it.subject, it.failure.as_deref().unwrap_or_default()))
        .collect();
    assert!(said.is_empty(), "\n{}", said.join("\n"));
}

#[test]
fn every_waiver_is_for_a_connector_that_is_there() {
    let folders: Vec<String> = Folder::embedded().into_iter().map(|folder| folder.name).collect();
    for waiver in waiver::built_in() {
        assert!(folders.contains(&waiver.connector), "{}", waiver.connector);
    }
}

/// The folder of a connector with one part of its manifest replaced.
fn planted(id: &str, old: &str, new: &str) -> Folder {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(id);
    let to = tempfile::tempdir().unwrap();
    let to = to.keep().join(id);
    fs::create_dir_all(to.join("cases")).unwrap();
    for file in ["connector.yaml", "icon.svg", "README.md"] {
        let text = fs::read_to_string(from.join(file)).unwrap();
        if file == "connector.yaml" {
            assert!(text.contains(old), "{old}");
        }
        fs::write(to.join(file), text.replacen(old, new, 1)).unwrap();
    }
    for case in fs::read_dir(from.join("cases")).unwrap().map(Result::unwrap) {
        fs::copy(case.path(), to.join("cases").join(case.file_name())).unwrap();
    }
    let folder = Folder::open(&to).unwrap();
    fs::remove_dir_all(to.parent().unwrap()).unwrap();
    folder
}

#[tokio::test]
async fn planted_mistakes_are_found_by_the_rule_that_is_for_them() {
    let table = [
        ("slack", "    post: /chat.postMessage", "    post: /chat.post", "cases"),
        ("slack", "    post: /chat.postMessage", "    get: /chat.postMessage", "manifest"),
        ("slack", "kind: rate_limited, say", "kind: invalid_input, say", "errors"),
        ("slack", "        max_age: 300", "        max_age: 300000000", "manifest"),
        ("slack", "      overlap: 120", "      overlap: 0", "cases"),
        ("slack", "hosts: [slack.com]", "hosts: [slack.example]", "manifest"),
        ("slack", "sample: { type: message, ts:", "sample: { type: message, tz:", "manifest"),
        ("slack", "        prefix: v0=", "        prefix: v1=", "cases"),
        ("github", "\"{{ found.body.sha }}\"", "\"{{ found.body.sah }}\"", "cases"),
        ("github", "effect: unsafe", "effect: keyed", "manifest"),
        ("todoist", "headers: { X-Request-Id: \"{{ run.key }}\" }", "headers: {}", "manifest"),
        ("todoist", "      key: \"{{ item.id }}\"", "      key: \"{{ item.content }}{{ now }}\"", "cases"),
    ];
    for (id, old, new, rule) in table {
        let outcomes = run(&planted(id, old, new), &[], today()).await;
        let bad: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_bad()).collect();
        assert!(bad.iter().any(|outcome| outcome.rule == rule), "{new}: {bad:?}");
    }
}

#[test]
fn a_waiver_excuses_until_its_day_and_only_what_fails() {
    let text = |until: &str| {
        format!("[{{ connector: x, rule: errors, reason: The service has no status of its own., until: {until} }}]")
    };
    let failed = || vec![Outcome::of("x", "errors", "send", Err("no".into())), Outcome::of("x", "egress", "send", Ok(()))];
    let day = |text: &str| text.parse().unwrap();
    let holds = waiver::read(&text("2026-12-31")).unwrap();
    let mut outcomes = failed();
    waiver::apply(&mut outcomes, "x", &holds, day("2026-12-31"));
    assert!(outcomes.iter().all(|outcome| !outcome.is_bad()));
    let mut stale = failed();
    waiver::apply(&mut stale, "x", &holds, day("2027-01-01"));
    assert_eq!(stale.iter().filter(|outcome| outcome.is_bad()).count(), 2);
    let mut needless = vec![Outcome::of("x", "errors", "send", Ok(()))];
    waiver::apply(&mut needless, "x", &holds, day("2026-12-31"));
    assert!(needless.iter().any(|outcome| outcome.rule == "waiver" && outcome.is_bad()));
    assert!(waiver::read("[{ connector: x, rule: errors, reason: '', until: 2026-12-31 }]").is_err());
}
