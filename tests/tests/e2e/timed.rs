//! kill -9 around what starts by itself: each slot of a schedule starts one run, each item of a feed starts one run, none is lost.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use towpath_tests::{Draft, Person, Receiver, Settings, TestApp, receiver::Reply, until};

const SCHEDULES: usize = 60;
const KILLS: usize = 10;

fn workflow(trigger: &Value) -> Value {
    let seen = json!({ "id": "seen", "use": "set", "input": { "fields": { "it": "{{ trigger.body }}" } } });
    json!({ "name": "By itself", "trigger": trigger, "steps": [seen] })
}

/// What each run of a workflow was started with, at a path of its event.
async fn started(pool: &sqlx::PgPool, id: &str, path: &str) -> Vec<String> {
    let events: Vec<Vec<u8>> = sqlx::query_scalar("select payload from run where workflow_id = $1::uuid order by id")
        .bind(uuid::Uuid::parse_str(id).expect("an id"))
        .fetch_all(pool)
        .await
        .expect("the database answers");
    // The stored form: a mark, the length of the head, the head as JSON.
    let head = |event: Vec<u8>| {
        let length = u32::from_be_bytes(event[2..6].try_into().expect("four bytes")) as usize;
        serde_json::from_slice::<Value>(&event[6..6 + length]).expect("the head is JSON")
    };
    events
        .into_iter()
        .map(|event| head(event)["parsed"].pointer(path).and_then(Value::as_str).expect("it is there").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_slot_of_a_schedule_starts_one_run_through_kills_at_any_moment() {
    // So many kills within seconds can look like a run's doing: it is set aside then, and has been started all the same.
    let app = TestApp::start_with(Settings::default().expect_error("set aside")).await;
    let owner = app.owner().await;
    let every_minute = json!({ "use": "schedule", "input": { "repeat": "minutes", "minutes": 1, "zone": "UTC", "missed": "all", "missed_limit": 1000 } });
    let mut ids = Vec::new();
    for _ in 0..SCHEDULES {
        ids.push(owner.publish(&workflow(&every_minute)).await.id);
    }
    app.kill();
    let pool = app.database().await;
    // As if the server had been off for ten minutes.
    let first: i64 = sqlx::query_scalar("select extract(epoch from date_trunc('minute', now()) - interval '10 minutes')::bigint")
        .fetch_one(&pool)
        .await
        .expect("the database answers");
    let mut random = SmallRng::seed_from_u64(6);
    for _ in 0..KILLS {
        // What was fired and had not moved on when the process died: all of it is due once more.
        let back = sqlx::query("update schedule set next_at = to_timestamp($1)").bind(first).execute(&pool).await;
        back.expect("the schedules are there");
        // Firing begins before the server answers.
        let life = Duration::from_millis(random.random_range(150..900));
        let _ = tokio::time::timeout(life, app.boot()).await;
        app.kill();
    }
    app.boot().await;
    until("every schedule has caught up", Duration::from_secs(60), || async {
        let late: i64 = sqlx::query_scalar("select count(*) from schedule where next_at <= now()").fetch_one(&pool).await.ok()?;
        (late == 0).then_some(())
    })
    .await;
    let now: i64 =
        sqlx::query_scalar("select extract(epoch from now())::bigint").fetch_one(&pool).await.expect("the database answers");
    for id in &ids {
        let slots = started(&pool, id, "/scheduled_for").await;
        let unique: BTreeSet<_> = slots.iter().collect();
        assert_eq!(unique.len(), slots.len(), "a slot was fired twice: {slots:?}");
        // Each minute from the first to the last one; a minute may have passed since the last look.
        let expected = (now - first) / 60 + 1;
        let count = i64::try_from(slots.len()).expect("not so many");
        assert!(count == expected || count == expected - 1, "{count} of {expected} slots: {slots:?}");
        assert!(slots.is_sorted(), "oldest first: {slots:?}");
    }
}

/// A feed that grows, and a workflow that it starts.
async fn feed(owner: &Person) -> (Arc<AtomicU32>, Draft) {
    let items = Arc::new(AtomicU32::new(3));
    let told = Arc::clone(&items);
    let receiver = Receiver::answering(move |_, _| {
        let items: Vec<Value> = (1..=told.load(Ordering::SeqCst))
            .rev()
            .take(500)
            .map(|n| json!({ "id": format!("item-{n}"), "title": format!("{n}"), "url": format!("https://example.com/{n}") }))
            .collect();
        Reply::Json(200, json!({ "version": "https://jsonfeed.org/version/1.1", "title": "Test", "items": items }))
    })
    .await;
    let news = owner
        .publish(&workflow(&json!({ "use": "feed.new_item", "input": { "url": format!("{}/feed.json", receiver.url) } })))
        .await;
    (items, news)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_of_a_feed_starts_one_run_through_kills_in_the_middle_of_looking() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let (items, news) = feed(&owner).await;
    let check = format!("/api/v1/workflows/{}/trigger/check", news.id);
    let pool = app.database().await;
    // The first look comes by itself, as soon as it is published.
    until("the first look is done", Duration::from_secs(20), || async {
        let looks: i64 = sqlx::query_scalar("select looks from poll").fetch_one(&pool).await.ok()?;
        (looks > 0).then_some(())
    })
    .await;
    let mut random = SmallRng::seed_from_u64(7);
    for _ in 0..12 {
        items.fetch_add(random.random_range(3..12), Ordering::SeqCst);
        let look = owner.http.post(format!("{}{check}", app.url)).header("x-csrf-token", owner.csrf()).json(&json!({})).send();
        let kill = async {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..150))).await;
            app.kill();
        };
        // The answer is whatever is left of it.
        let (answer, ()) = tokio::join!(look, kill);
        drop(answer);
        app.boot().await;
    }
    let found = owner.done(&check, &json!({})).await;
    assert_eq!(found["error"], Value::Null, "{found}");
    assert_eq!(owner.done(&check, &json!({})).await["new"], 0);
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for title in started(&pool, &news.id, "/title").await {
        *counts.entry(title.parse().expect("a number")).or_default() += 1;
    }
    let expected: BTreeMap<u32, usize> = (4..=items.load(Ordering::SeqCst)).map(|n| (n, 1)).collect();
    assert_eq!(counts, expected, "each item that came after the first look, once");
}
