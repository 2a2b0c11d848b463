//! Crashes: at every call, at random moments, and again and again. Every accepted run ends once, an effect keeps its key, and an
//! unsafe one is never sent twice without a person's word.

use super::*;
use crate::dispatch::Accepted;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use towpath_engine::{
    record::{Decision, EndState},
    workflow::StepPath,
};

fn id(accepted: Accepted) -> RunId {
    match accepted {
        Accepted::New(run) | Accepted::Duplicate(run) => run,
    }
}

/// Reads, then acts on what it read, twice keyed and once unsafe.
fn steps() -> Json {
    let mut pay = post("pay", false);
    pay["input"]["json"] = json!({ "sum": "{{ steps.look.body.sum }}" });
    let mut note = post("note", true);
    note["input"]["json"] = json!({ "sum": "{{ steps.look.body.sum }}", "at": "{{ now }}" });
    json!([set("first", json!({ "n": 1 })), post("greet", true), get("look"), note, pay, set("last", json!({ "n": 2 }))])
}

/// The process dies during the n-th call, for every n. `look` says something else each time it is asked.
#[sqlx::test(migrations = "../migrations")]
async fn a_run_goes_on_after_a_crash_during_any_of_its_calls(pool: PgPool) {
    let world = World::new(pool).await;
    let workflow = world.publish(steps()).await;
    for dies_at in 1..=4 {
        let engine = world.start().await;
        let before = world.service.seen().len();
        let mut calls = 0;
        world.service.answers(move |seen| {
            calls += 1;
            match seen.path.as_str() {
                _ if calls == dies_at => Reply::Hang,
                "/look" => Reply::Json(json!({ "sum": calls })),
                _ => Reply::Ok,
            }
        });
        let run = id(engine.accept(world.event(workflow, json!({ "order": 1 }))).await.unwrap());
        world.service.saw(before + dies_at).await;
        engine.crash().await;
        let engine = world.start().await;
        if dies_at == 4 {
            // The unsafe one: nobody knows.
            assert_eq!(world.sleeps(run).await, "pay");
            let step = StepPath("pay".into());
            engine.decide(world.workspace, run, &step, "Ann", Decision::WentThrough { output: json!({}) }).await.unwrap();
        }
        assert_eq!(world.end(run).await.state, EndState::Succeeded, "died at call {dies_at}");
        let seen = world.service.seen()[before..].to_vec();
        let paths = by_path(&seen);
        assert_eq!(paths["/pay"].0, 1, "unsafe, died at call {dies_at}: {seen:?}");
        for path in ["/greet", "/note"] {
            assert_eq!(paths[path].1, 1, "one key for {path}, died at call {dies_at}");
            let bodies: std::collections::HashSet<&str> =
                seen.iter().filter(|seen| seen.path == path).map(|seen| seen.body.as_str()).collect();
            assert_eq!(bodies.len(), 1, "a repeat sends the same: {seen:?}");
        }
        let sums: std::collections::HashSet<Json> = seen
            .iter()
            .filter(|seen| seen.path == "/note" || seen.path == "/pay")
            .map(|seen| serde_json::from_str::<Json>(&seen.body).unwrap()["sum"].clone())
            .collect();
        assert_eq!(sums.len(), 1, "what was read is acted on once: {seen:?}");
        engine.drain(BOUND).await;
    }
}

/// The process dies at random moments, between random calls, while events come in.
#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_lost_or_sent_twice_over_random_crashes(pool: PgPool) {
    let seed: u64 = std::env::var("TOWPATH_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120);
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::new(pool).await;
    let workflow = world.publish(steps()).await;
    let pure = world.publish(json!([set("only", json!({ "n": "{{ trigger.body.order }}" }))])).await;
    let mut replies = StdRng::seed_from_u64(seed + 1);
    world.service.answers(move |seen| match replies.random_range(0..40) {
        0 => Reply::Hang,
        1 if seen.path != "/pay" => Reply::Status(503),
        _ if seen.path == "/look" => Reply::Json(json!({ "sum": replies.random_range(0..1_000_000) })),
        _ => Reply::Ok,
    });
    let mut accepted = Vec::new();
    for _ in 0..8 {
        let engine = world.start().await;
        for _ in 0..random.random_range(5..25) {
            let workflow = if random.random_bool(0.3) { pure } else { workflow };
            if let Ok(run) = engine.accept(world.event(workflow, json!({ "order": accepted.len() }))).await {
                accepted.push((workflow, id(run)));
            }
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..60))).await;
        engine.crash().await;
        // Two dead processes in a row make the next one careful; this test is about the crashes themselves.
        sqlx::query!("update node set deaths = 0").execute(&world.pool).await.unwrap();
    }
    world.service.answers(|seen| if seen.path == "/look" { Reply::Json(json!({ "sum": 1 })) } else { Reply::Ok });
    let engine = world.start().await;
    let settle = async {
        while world.count("job").await > 0 || world.count("wait where reason <> 3").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settle).await.unwrap_or_else(|_| panic!("seed {seed}: runs are stuck"));
    let undecided = sqlx::query_scalar!("select run_id from wait").fetch_all(&world.pool).await.unwrap();
    let sent: HashMap<String, usize> =
        world.service.seen().iter().filter(|seen| seen.path == "/pay").fold(HashMap::new(), |mut all, seen| {
            *all.entry(seen.key.clone()).or_default() += 1;
            all
        });
    assert!(sent.values().all(|times| *times == 1), "seed {seed}: an unsafe effect was sent twice");
    for run in undecided {
        let step = StepPath("pay".into());
        engine.decide(world.workspace, RunId(run), &step, "Ann", Decision::WentThrough { output: json!({}) }).await.unwrap();
    }
    for (workflow, run) in &accepted {
        assert_eq!(world.end(*run).await.state, EndState::Succeeded, "seed {seed}");
        let history = world.history(*run).await;
        let mut identities: Vec<String> = history
            .iter()
            .map(|entry| {
                let row = crate::journal::operation::RecordRow::new(0, entry);
                format!("{} {} {}", row.step, row.attempt, row.kind)
            })
            .collect();
        let all = identities.len();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), all, "seed {seed}: a fact is there once: {history:?}");
        if *workflow != pure {
            assert!(output(&history, "last").is_some());
        }
    }
    assert_eq!(world.count("run_end").await, world.count("run").await, "seed {seed}");
    assert_eq!(world.count("job").await, 0);
    engine.drain(BOUND).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_run_that_kills_every_process_is_set_aside_and_its_neighbours_are_not(pool: PgPool) {
    let world = World::new(pool).await;
    let poison = world.publish(json!([get("poison")])).await;
    let innocent = world.publish(json!([get("fine")])).await;
    world.service.answers(|_| Reply::Hang);
    let engine = world.start().await;
    let bad = id(engine.accept(world.event(poison, json!({}))).await.unwrap());
    let good = id(engine.accept(world.event(innocent, json!({}))).await.unwrap());
    world.service.saw(2).await;
    engine.crash().await;
    world.service.answers(|seen| if seen.path == "/poison" { Reply::Hang } else { Reply::Ok });
    // It "kills" each process that takes it up.
    for _ in 0..5 {
        let before = world.service.seen().iter().filter(|seen| seen.path == "/poison").count();
        let engine = world.start().await;
        let waiting = async {
            while world.service.seen().iter().filter(|seen| seen.path == "/poison").count() == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(BOUND, waiting).await.expect("it is taken up");
        engine.crash().await;
    }
    let engine = world.start().await;
    assert_eq!(world.end(bad).await.state, EndState::DeadLettered);
    assert_eq!(world.end(good).await.state, EndState::Succeeded);
    engine.drain(BOUND).await;
}
