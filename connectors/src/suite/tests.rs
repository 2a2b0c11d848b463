//! Every connector of this repository through the suite, and planted mistakes that it must find.

use super::*;
use crate::sdk::poll::{Cursor, Polled};
use serde_json::{Value as Json, json};
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
        ("todoist", "section_id: \"{{ input.section }}\"", "section: \"{{ input.section }}\"", "cases"),
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

/// Looks through Slack's messages with at most one page at a time; `pages` are the service's answers by their cursors.
async fn look(
    max: u32,
    pages: &'static [(&'static str, &'static [&'static str], &'static str)],
    cursor: Option<Cursor>,
) -> Polled {
    let folder = planted("slack", "max: 20 }", &format!("max: {max} }}"));
    let checked = check(&folder).unwrap_or_else(|problems| panic!("{problems:?}"));
    let answer = |_: usize, request: &crate::sdk::HttpRequest| {
        let at =
            request.url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned()).unwrap_or_default();
        let (_, messages, next) = pages.iter().find(|(page, ..)| *page == at).unwrap();
        let messages: Vec<Json> = messages.iter().map(|ts| json!({ "type": "message", "ts": ts, "text": ts })).collect();
        let body = json!({ "ok": true, "messages": messages, "response_metadata": { "next_cursor": next } });
        Ok(door::Answer { status: 200, headers: Default::default(), body })
    };
    let stage = door::Stage::new("slack", std::sync::Arc::new(answer));
    let case = case::Case::read("{ poll: new_message, input: { channel: C1 } }").unwrap();
    case.look_on(&stage, &checked, "new_message", cursor).await.unwrap().unwrap()
}

fn keys(polled: &Polled) -> Vec<&str> {
    polled.items.iter().map(|item| item.key.as_str()).collect()
}

#[tokio::test]
async fn a_look_that_meets_too_many_pages_goes_on_from_there_and_loses_nothing() {
    const PAGES: &[(&str, &[&str], &str)] =
        &[("", &["5000.3", "5000.2"], "p2"), ("p2", &["5000.1", "4000.9"], "p3"), ("p3", &["4000.8"], "")];
    let before = Some(Cursor(json!({ "at": { "ts": "4000.5" } })));
    let first = look(1, PAGES, before.clone()).await;
    assert_eq!((keys(&first), first.more), (vec!["C1:5000.2", "C1:5000.3"], true));
    // The newest was seen, but the older part wasn't: a look that breaks off here must not begin behind it.
    assert_eq!(first.cursor.as_ref().unwrap().0["at"], json!({ "ts": "4000.5" }));
    let second = look(1, PAGES, first.cursor).await;
    assert_eq!((keys(&second), second.more), (vec!["C1:4000.9", "C1:5000.1"], true));
    let third = look(1, PAGES, second.cursor).await;
    assert_eq!((keys(&third), third.more), (vec!["C1:4000.8"], false));
    assert_eq!(third.cursor.unwrap().0, json!({ "at": { "ts": "5000.3" } }));
    // All at once comes to the same.
    let whole = look(9, PAGES, before).await;
    assert_eq!((keys(&whole).len(), whole.more), (5, false));
}

#[tokio::test]
async fn the_first_look_gives_samples_and_what_it_saw_is_never_news() {
    const PAGES: &[(&str, &[&str], &str)] = &[("", &["5000.5", "5000.4", "5000.3", "5000.2"], "older")];
    let first = look(1, PAGES, None).await;
    assert_eq!((keys(&first), first.more), (vec!["C1:5000.3", "C1:5000.4", "C1:5000.5"], false));
    const LATER: &[(&str, &[&str], &str)] = &[("", &["5000.6", "5000.5", "5000.4", "5000.3", "5000.2", "4999.0"], "")];
    let second = look(1, LATER, first.cursor).await;
    assert_eq!(keys(&second), ["C1:5000.6"], "neither what was seen nor what is older");
}
