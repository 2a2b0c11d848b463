//! A backup under load, restored on an empty machine; a database that went back in time; the schemas of earlier versions.

use crate::first_run::{ended, send};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use towpath_tests::{
    Folder, Person, Receiver, Settings, TestApp,
    person::{EMAIL, PASSWORD},
    until,
};

const SOON: Duration = Duration::from_secs(30);

/// Waits a moment, and tells the receiver the number that came, once.
fn relay(receiver: &Receiver) -> Value {
    json!({
        "name": "Relay",
        "trigger": { "use": "webhook", "input": { "methods": ["POST"], "respond": "at_once" } },
        "steps": [
            { "id": "hold", "use": "delay", "input": { "for": "4s" } },
            { "id": "tell", "use": "http.request", "input": { "method": "POST", "url": format!("{}/tell", receiver.url),
              "body_kind": "json", "json": { "number": "{{ trigger.body.number }}" } } }
        ]
    })
}

fn numbers(receiver: &Receiver) -> Vec<i64> {
    let mut numbers: Vec<i64> = receiver.arrived().iter().map(|it| it.json()["number"].as_i64().expect("a number")).collect();
    numbers.sort_unstable();
    numbers
}

async fn signed_in(app: &TestApp) -> Person {
    Person::sign_in(app, EMAIL, PASSWORD).await.expect("the same account, the same password")
}

/// Stopped before anything is done with its database, as a machine on which nothing runs yet.
async fn stopped(settings: Settings) -> TestApp {
    let app = TestApp::start_with(settings).await;
    assert_eq!(app.stop(), Some(0));
    app
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_restored_on_an_empty_machine_and_nothing_is_sent_twice() {
    let folder = Folder::new("backup");
    let (file, keys) = (folder.path().join("all.towpath-backup"), folder.path().join("towpath.key"));
    let receiver = Receiver::start().await;
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let hook = owner.publish(&relay(&receiver)).await;
    for number in 0..60 {
        send(&hook, &json!({ "number": number })).await;
    }
    // While events go on arriving.
    let ((done, said), ()) =
        tokio::join!(async { tokio::task::block_in_place(|| app.cli(&["backup", text(&file)], "")) }, async {
            for number in 60..120 {
                send(&hook, &json!({ "number": number })).await;
            }
        });
    assert!(done && said.contains("The keys are not in it"), "{said}");
    let (done, said) = app.cli(&["backup", text(&file)], "");
    assert!(!done && said.contains("is there already"), "{said}");
    let (done, said) = app.cli(&["keys", "export", text(&keys)], "");
    assert!(done, "{said}");
    // Everything that the backup holds is done meanwhile.
    receiver.wait_for(120, Duration::from_secs(60)).await;
    app.kill();

    let other = stopped(Settings::default()).await;
    let (done, said) = other.cli(&["restore", text(&folder.write("garbage", "no backup"))], "");
    assert!(!done && said.contains("is not a whole backup"), "{said}");
    let (done, said) = other.cli(&["restore", text(&file)], "");
    assert!(done && said.contains("Relay in") && said.contains("waiting for a time"), "{said}");
    assert!(said.contains("TOWPATH_EGRESS_ALLOW=127.0.0.1/32"), "the settings are told: {said}");
    std::fs::copy(&keys, other.folder().join("towpath.key")).expect("the key is put in its place");
    other.boot().await;
    let (done, said) = other.cli(&["restore", text(&file)], "");
    assert!(!done && said.contains("in use"), "{said}");

    // The same account, workflow and address; what arrives is kept, and nothing is sent.
    let owner = signed_in(&other).await;
    let waits = owner.json("/api/v1/instance/restored").await;
    assert_eq!(waits["held"], true);
    let live = waits["runs"][0]["timed"].as_i64().expect("a count") + waits["runs"][0]["runnable"].as_i64().expect("a count");
    assert!((1..=120).contains(&live), "{waits}");
    let page = owner.get("/settings/restored").await.text().await.expect("a page");
    assert!(page.contains("Relay") && page.contains("Cancel them and start afresh"), "{page}");
    let says_so = "is held: what arrives is kept";
    assert!(!page.contains(says_so), "the page that asks says it in its own words: {page}");
    let page = owner.get("/runs").await.text().await.expect("a page");
    assert!(page.contains(says_so) && page.contains("/settings/restored"), "every other page says why nothing goes on: {page}");
    let new = hook.hook().replace(&app.url, &other.url);
    let answer = reqwest::Client::new().post(new).json(&json!({ "number": 1000 })).send().await.expect("the hook answers");
    assert_eq!(answer.status(), 202);
    let run = answer.json::<Value>().await.expect("JSON")["run"].as_str().expect("a run").to_owned();
    assert_eq!(receiver.arrived().len(), 120, "nothing is sent while everything is held");

    owner.done("/api/v1/instance/restored", &json!({ "decision": "cancel" })).await;
    until("the decision is carried out", SOON, || async {
        (owner.json("/api/v1/instance/restored").await["held"] == false).then_some(())
    })
    .await;
    let page = owner.get("/runs").await.text().await.expect("a page");
    assert!(!page.contains(says_so), "{page}");
    let pool = other.database().await;
    let cancelled: i64 =
        sqlx::query_scalar("select count(*) from run_end where state = 3").fetch_one(&pool).await.expect("it answers");
    assert_eq!(cancelled, live, "exactly those that had not ended");
    // What arrived since is new, and goes on.
    assert_eq!(ended(&owner, &run).await["state"], "succeeded");
    let expected: Vec<i64> = (0..120).chain([1000]).collect();
    assert_eq!(numbers(&receiver), expected, "each number once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_put_back_under_a_running_installation_is_held_until_somebody_decides() {
    let folder = Folder::new("rollback");
    let receiver = Receiver::start().await;
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let hook = owner.publish(&relay(&receiver)).await;
    let run = send(&hook, &json!({ "number": 1 })).await;
    let file = folder.path().join("before");
    let (done, said) = app.cli(&["backup", text(&file)], "");
    assert!(done, "{said}");
    ended(&owner, &run).await;
    assert_eq!(app.stop(), Some(0));
    // By other means than ours: the database goes back, the data directory stays.
    let pool = app.database().await;
    sqlx::query("update instance set generation = generation - 1").execute(&pool).await.expect("it answers");
    app.boot().await;
    let owner = signed_in(&app).await;
    let waits = owner.json("/api/v1/instance/restored").await;
    assert_eq!((&waits["held"], waits["because"].as_str().map(|because| because.contains("older"))), (&json!(true), Some(true)));
    let held = send(&hook, &json!({ "number": 2 })).await;
    let (done, said) = app.cli(&["resume"], "");
    assert!(done, "{said}");
    assert_eq!(ended(&owner, &held).await["state"], "succeeded");
    assert_eq!(numbers(&receiver), [1, 2]);
    let (done, said) = app.cli(&["resume"], "");
    assert!(!done && said.contains("Nothing is held"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_schema_that_was_ever_landed_is_brought_up_to_date_and_its_runs_go_on() {
    let dumps = Path::new(env!("CARGO_MANIFEST_DIR")).join("upgrade");
    let mut files: Vec<_> =
        std::fs::read_dir(&dumps).expect("tests/upgrade").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "towpath-backup"));
    assert!(!files.is_empty());
    for file in files {
        let settings = Settings { empty_database: true, never_started: true, ..Settings::default() };
        let app = TestApp::start_with(settings).await;
        let (done, said) = app.cli(&["restore", text(&file)], "");
        assert!(done, "{}: {said}", file.display());
        let (done, said) = app.cli(&["resume"], "");
        assert!(done, "{}: {said}", file.display());
        app.boot().await;
        let owner = signed_in(&app).await;
        let pool = app.database().await;
        // It waited for a time that is long past.
        let waiting: uuid::Uuid = sqlx::query_scalar(
            "select id from run where id not in (select id from run_end) or
            id in (select id from run_end where finished_at > now() - interval '1 minute') order by id desc limit 1",
        )
        .fetch_one(&pool)
        .await
        .expect("a run that was under way");
        let run = ended(&owner, &waiting.to_string()).await;
        assert_eq!(run["state"], "succeeded", "{}: {run}", file.display());
        let output = owner.get(&format!("/runs/{waiting}/steps/done/1/output")).await.text().await.expect("a body");
        assert!(output.contains("100"), "worked out from what was stored then: {output}");
        // And what was built then takes new events.
        let workflow: uuid::Uuid = sqlx::query_scalar("select id from workflow").fetch_one(&pool).await.expect("a workflow");
        let trigger = owner.json(&format!("/api/v1/workflows/{workflow}/trigger")).await;
        let hook = trigger["url"].as_str().expect("its address");
        let answer = reqwest::Client::new().post(hook).json(&json!({ "total": 4 })).send().await.expect("the hook answers");
        assert_eq!(answer.status(), 202);
        let (done, said) = app.cli(&["migrate", "--check"], "");
        assert!(done && said.contains("The schema is this version's"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_with_the_way_back() {
    let app = stopped(Settings::default()).await;
    let pool = app.database().await;
    sqlx::query("insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'from tomorrow', true, '\\x00', 1)")
        .execute(&pool)
        .await
        .expect("it answers");
    for command in [&["migrate", "--check"][..], &["serve"]] {
        let (done, said) = app.cli(command, "");
        assert!(!done && said.contains("migrated by a newer Towpath") && said.contains("snapshots"), "{command:?}: {said}");
    }
}
