//! What the machine below does wrong: a disk that is full, a database that hangs. Events are refused while they can't be stored,
//! nothing that was accepted is lost, and everything goes on by itself.

use serde_json::json;
use sqlx::PgPool;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use towpath_tests::{Draft, Person, Receiver, Settings, TestApp, postgres::Cluster, small_disk::Ballast, until};

fn workflow(receiver: &Receiver) -> serde_json::Value {
    json!({ "name": "Keep", "trigger": { "use": "webhook", "input": { "methods": ["POST"] } }, "steps": [
        { "id": "size", "use": "set", "input": { "fields": { "size": "{{ trigger.body.text | length }}" } } },
        { "id": "tell", "use": "http.request", "retry": { "attempts": 50, "first": "100ms", "max": "1s" },
          "input": { "method": "POST", "url": format!("{}/{{{{ trigger.body.n }}}}", receiver.url), "keyed": true, "body_kind": "none" } }
    ] })
}

/// What a caller hears.
enum Heard {
    Accepted(String),
    /// 503 with `Retry-After`, and the sentence in the problem.
    NotNow(String),
}

async fn send(draft: &Draft, n: usize, bytes: usize) -> Heard {
    // Text that doesn't compress: the disk has to take all of it.
    let text: String = (0..bytes).map(|_| char::from(b'a' + rand::random::<u8>() % 26)).collect();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(25)).no_proxy().build().unwrap();
    let answer =
        http.post(draft.hook()).json(&json!({ "n": n, "text": text })).send().await.expect("an answer within 25 seconds");
    let status = answer.status().as_u16();
    let waits = answer.headers().contains_key("retry-after");
    let body = answer.text().await.unwrap();
    match status {
        202 => Heard::Accepted(serde_json::from_str::<serde_json::Value>(&body).unwrap()["run"].as_str().unwrap().to_owned()),
        503 => {
            assert!(waits, "a 503 says when to come again: {body}");
            Heard::NotNow(body)
        }
        _ => panic!("{status}: {body}"),
    }
}

/// Sends until one event is refused; returns the runs that were accepted before, and what the refused caller heard.
async fn send_until_refused(draft: &Draft, bytes: usize) -> (Vec<String>, String) {
    let mut accepted = Vec::new();
    for n in 0..2_000 {
        match send(draft, n, bytes).await {
            Heard::Accepted(run) => accepted.push(run),
            Heard::NotNow(why) => return (accepted, why),
        }
    }
    panic!("2,000 events of {bytes} bytes were accepted, and nothing was full");
}

async fn send_until_accepted(draft: &Draft) -> String {
    until("an event is accepted again", Duration::from_secs(60), || async {
        match send(draft, 9_999, 10).await {
            Heard::Accepted(run) => Some(run),
            Heard::NotNow(_) => None,
        }
    })
    .await
}

/// Every run that a caller was promised has ended, once and well.
async fn all_succeed(database: &PgPool, accepted: &[String]) {
    let wanted: HashSet<uuid::Uuid> = accepted.iter().map(|id| id.parse().unwrap()).collect();
    until("every accepted run has succeeded", Duration::from_secs(60), || async {
        let ended: Vec<uuid::Uuid> =
            sqlx::query_scalar("select id from run_end where state = 1").fetch_all(database).await.ok()?;
        let ended: HashSet<_> = ended.into_iter().collect();
        wanted.is_subset(&ended).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_disk_is_full_takes_no_events_loses_none_and_goes_on_when_there_is_room() {
    let cluster = Cluster::start(true).await.expect("a PostgreSQL of its own");
    let database_url = cluster.database().await.unwrap();
    let (process, disk) = cluster.onto_a_small_disk(400).await.expect("PostgreSQL on a small disk");
    let settings = Settings { database_url: Some(database_url), ..Settings::default() };
    let app = TestApp::start_with(settings.expect_error("ERROR")).await;
    let receiver = Receiver::start().await;
    let draft = app.owner().await.publish(&workflow(&receiver)).await;

    let ballast = Ballast::leaving(12 << 20, process, &disk);
    let (mut accepted, why) = send_until_refused(&draft, 200_000).await;
    assert!(accepted.len() >= 5, "there was room for some events: {}", accepted.len());
    assert!(why.contains("unavailable"), "{why}");
    drop(ballast);

    accepted.push(send_until_accepted(&draft).await);
    all_succeed(&app.database().await, &accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_own_disk_is_nearly_full_refuses_events_and_says_why() {
    let settings = Settings { own_small_disk: Some(1_400), ..Settings::default() };
    let app = TestApp::start_with(settings.expect_error("events are refused")).await;
    let receiver = Receiver::start().await;
    let draft = app.owner().await.publish(&workflow(&receiver)).await;
    assert!(matches!(send(&draft, 0, 10).await, Heard::Accepted(_)));

    let (process, disk) = app.small_disk();
    let ballast = Ballast::leaving(900 << 20, process, &disk);
    let why = until("the guard notices", Duration::from_secs(30), || async {
        match send(&draft, 1, 10).await {
            Heard::Accepted(_) => None,
            Heard::NotNow(why) => Some(why),
        }
    })
    .await;
    assert!(why.contains("MB of disk space are left"), "{why}");
    until("it isn't ready either", Duration::from_secs(10), || async { (ready(&app).await == 503).then_some(()) }).await;
    drop(ballast);
    send_until_accepted(&draft).await;
    until("it is ready again", Duration::from_secs(10), || async { (ready(&app).await == 200).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_on_its_socket_keeps_no_caller_waiting_and_loses_nothing() {
    let cluster = Cluster::start(true).await.expect("a PostgreSQL of its own");
    let settings = Settings { database_url: Some(cluster.database().await.unwrap()), ..Settings::default() };
    let app = TestApp::start_with(settings.expect_error("ERROR")).await;
    let receiver = Receiver::start().await;
    let owner: Person = app.owner().await;
    let draft = owner.publish(&workflow(&receiver)).await;
    let mut accepted = Vec::new();
    for n in 0..5 {
        if let Heard::Accepted(run) = send(&draft, n, 10).await {
            accepted.push(run);
        }
    }

    cluster.halt(true);
    let began = Instant::now();
    let (more, _) = send_until_refused(&draft, 10).await;
    let waited = began.elapsed();
    accepted.extend(more);
    assert!(waited < Duration::from_secs(5), "the caller waited {waited:?}");
    until("it isn't ready", Duration::from_secs(20), || async { (ready(&app).await == 503).then_some(()) }).await;
    cluster.halt(false);

    accepted.push(send_until_accepted(&draft).await);
    all_succeed(&app.database().await, &accepted).await;
}

async fn ready(app: &TestApp) -> u16 {
    reqwest::get(format!("{}/readyz", app.url)).await.map_or(0, |answer| answer.status().as_u16())
}
