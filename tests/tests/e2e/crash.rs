//! kill -9 of the server and of PostgreSQL at random moments: nothing accepted is lost, nothing ends twice, no unsafe effect is
//! repeated without a person's word.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use towpath_tests::{Draft, Person, Receiver, Settings, TestApp, postgres::Cluster, receiver::Reply, until};

const RUNS: usize = 200;
const STEPS: usize = 5;
const SERVER_KILLS: usize = 20;
const DATABASE_KILLS: usize = 5;

/// Five calls, one after the other, each to a path of its own.
fn workflow(receiver: &Receiver, keyed: bool) -> Value {
    let steps: Vec<Value> = (0..STEPS)
        .map(|n| {
            json!({ "id": format!("call_{n}"), "use": "http.request", "retry": { "attempts": 50, "first": "100ms", "max": "1s" },
                    "input": { "method": "POST", "url": format!("{}/{{{{ trigger.body.n }}}}/{n}", receiver.url), "keyed": keyed, "body_kind": "none" } })
        })
        .collect();
    json!({ "name": "Five effects", "trigger": { "use": "webhook", "input": { "methods": ["POST"] } }, "steps": steps })
}

/// Sends every event until a 2xx says that it is on disk: what a careful sender does.
async fn send_all(draft: Draft) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().unwrap();
    let end = Instant::now() + Duration::from_secs(180);
    for n in 0..RUNS {
        loop {
            let sent =
                http.post(draft.hook()).header("idempotency-key", format!("event-{n}")).json(&json!({ "n": n })).send().await;
            // 202 for a new run, 200 for one whose first answer was lost in a crash.
            if sent.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            assert!(Instant::now() < end, "event {n} is accepted within three minutes");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Kills the server twenty times and PostgreSQL five times while events arrive and run.
async fn kill_all_over(app: &TestApp, cluster: &Cluster, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    for round in 0..SERVER_KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
        app.kill();
        if round % (SERVER_KILLS / DATABASE_KILLS) == 1 {
            cluster.kill();
            cluster.boot(true).await.expect("PostgreSQL recovers");
        }
        app.boot().await;
    }
}

struct Wreck {
    app: TestApp,
    owner: Person,
    database: PgPool,
    receiver: Receiver,
    _cluster: Cluster,
}

/// Two hundred runs of five effects through twenty kills.
async fn through_the_kills(keyed: bool, seed: u64) -> Wreck {
    let cluster = Cluster::start(true).await.expect("a PostgreSQL of its own");
    let settings = Settings { database_url: Some(cluster.database().await.unwrap()), ..Settings::default() };
    let app = TestApp::start_with(settings.expect_error("ERROR")).await;
    // Slow enough that kills hit calls under way.
    let receiver = Receiver::answering(|_, _| Reply::After(Duration::from_millis(3), 200)).await;
    let owner = app.owner().await;
    let draft = owner.publish(&workflow(&receiver, keyed)).await;
    let sender = tokio::spawn(send_all(draft));
    kill_all_over(&app, &cluster, seed).await;
    sender.await.expect("every event is accepted in the end");
    let database = PgPool::connect(&app.database_url).await.unwrap();
    Wreck { app, owner, database, receiver, _cluster: cluster }
}

async fn count(database: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keyed_effects_survive_every_crash_and_every_run_ends_once() {
    let it = through_the_kills(true, 0x70_77).await;
    until("every accepted run has ended", Duration::from_secs(120), || async {
        (count(&it.database, "select count(*) from run_end").await == RUNS as i64).then_some(())
    })
    .await;
    assert_eq!(count(&it.database, "select count(*) from run").await, RUNS as i64, "a repeated delivery starts no second run");
    assert_eq!(count(&it.database, "select count(*) from run_end where state = 1").await, RUNS as i64, "all of them succeeded");
    assert_eq!(count(&it.database, "select count(*) from job").await + count(&it.database, "select count(*) from wait").await, 0);

    let mut keys_of_path: HashMap<String, HashSet<String>> = HashMap::new();
    for arrived in it.receiver.arrived() {
        keys_of_path
            .entry(arrived.path.clone())
            .or_default()
            .insert(arrived.key().expect("a keyed effect carries its key").to_owned());
    }
    assert_eq!(keys_of_path.len(), RUNS * STEPS, "the receiver saw each effect");
    assert!(keys_of_path.values().all(|keys| keys.len() == 1), "an effect has one key over attempts and crashes");
    let keys: HashSet<&String> = keys_of_path.values().flatten().collect();
    assert_eq!(keys.len(), RUNS * STEPS, "no two effects share a key");
    drop(it.app);
}

#[tokio::test(flavor = "multi_thread")]
async fn unsafe_effects_are_never_sent_twice_without_a_decision() {
    let it = through_the_kills(false, 0x70_78).await;
    let settled = || async {
        let ended = count(&it.database, "select count(*) from run_end").await;
        let asking = count(&it.database, "select count(distinct run_id) from wait where wake_at is null").await;
        (ended + asking == RUNS as i64).then_some(())
    };
    until("every run has ended or asks a person", Duration::from_secs(120), settled).await;
    let mut times: HashMap<String, usize> = HashMap::new();
    for arrived in it.receiver.arrived() {
        *times.entry(arrived.path).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "sent twice and nobody said so: {twice:?}");

    // A person says of each that it went through; then every run ends.
    until("every run has ended", Duration::from_secs(120), || async {
        let asking: Vec<(uuid::Uuid, String)> =
            sqlx::query_as("select run_id, step_path from wait where wake_at is null").fetch_all(&it.database).await.unwrap();
        for (run, step) in asking {
            it.owner
                .post(&format!("/api/v1/runs/{run}/decide"), &json!({ "step": step, "decision": "went_through", "output": null }))
                .await;
        }
        (count(&it.database, "select count(*) from run_end").await == RUNS as i64).then_some(())
    })
    .await;
    let paths: HashSet<String> = it.receiver.arrived().into_iter().map(|arrived| arrived.path).collect();
    let decided = count(&it.database, "select count(*) from record where kind = 8").await as usize;
    assert!(paths.len() + decided >= RUNS * STEPS, "each effect was seen, or a person said that it went through");
    drop(it.app);
}

const ITEMS: usize = 120;

/// A loop of keyed calls, several at a time, through kills of the server: every item is called under one key, and the results are
/// complete and in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_loop_of_keyed_effects_goes_on_where_it_was_after_every_kill() {
    let cluster = Cluster::start(true).await.expect("a PostgreSQL of its own");
    let settings = Settings { database_url: Some(cluster.database().await.unwrap()), ..Settings::default() };
    let app = TestApp::start_with(settings.expect_error("ERROR")).await;
    let receiver = Receiver::answering(|_, _| Reply::After(Duration::from_millis(40), 200)).await;
    let owner = app.owner().await;
    let call = json!({ "id": "call", "use": "http.request", "retry": { "attempts": 50, "first": "100ms", "max": "1s" },
        "input": { "method": "POST", "url": format!("{}/{{{{ item }}}}", receiver.url), "keyed": true, "body_kind": "none" } });
    let each = json!({ "id": "each", "use": "for_each", "body": { "steps": [call] },
        "input": { "list": "{{ trigger.body.items }}", "at_once": 4, "result": "{{ item }}" } });
    let check = json!({ "id": "check", "use": "set", "input": { "fields": {
        "complete": "{{ steps.each.items == trigger.body.items }}", "count": "{{ steps.each.succeeded }}" } } });
    let workflow =
        json!({ "name": "A loop", "trigger": { "use": "webhook", "input": { "methods": ["POST"] } }, "steps": [each, check] });
    let draft = owner.publish(&workflow).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let items: Vec<usize> = (0..ITEMS).collect();
    let answer = http.post(draft.hook()).json(&json!({ "items": items })).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let mut random = SmallRng::seed_from_u64(0x70_79);
    // A run that is alone at more deaths than these in a row is set aside as their cause.
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..300))).await;
        app.kill();
        app.boot().await;
    }
    let database = PgPool::connect(&app.database_url).await.unwrap();
    until("the run has ended", Duration::from_secs(120), || async {
        (count(&database, "select count(*) from run_end").await == 1).then_some(())
    })
    .await;
    assert_eq!(count(&database, "select count(*) from run_end where state = 1").await, 1, "it succeeded");
    let journal: Vec<u8> = sqlx::query_scalar("select journal from run_end").fetch_one(&database).await.unwrap();
    let records: Vec<Value> = serde_json::Deserializer::from_slice(&journal).into_iter().map(Result::unwrap).collect();
    let check = records.iter().find(|record| record["step"] == "check").expect("what follows the loop was done");
    assert_eq!(check["output"], json!({ "complete": true, "count": ITEMS }));
    let mut keys_of_path: HashMap<String, HashSet<String>> = HashMap::new();
    for arrived in receiver.arrived() {
        let key = arrived.key().expect("a keyed effect carries its key").to_owned();
        keys_of_path.entry(arrived.path).or_default().insert(key);
    }
    assert_eq!(keys_of_path.len(), ITEMS, "the receiver saw each item");
    assert!(keys_of_path.values().all(|keys| keys.len() == 1), "an item has one key over attempts and crashes");
    let keys: HashSet<&String> = keys_of_path.values().flatten().collect();
    assert_eq!(keys.len(), ITEMS, "no two items share a key");
}
