//! Runs with several lines: loops, lanes side by side, error lanes; waits and decisions of one line while others go on; crashes in the
//! middle of them.

use super::*;
use crate::dispatch::{Accepted, RunChange};
use std::sync::atomic::{AtomicUsize, Ordering};
use towpath_engine::{
    record::{Decision, EndState, LineEnd},
    workflow::StepPath,
};

fn id(accepted: Accepted) -> RunId {
    match accepted {
        Accepted::New(run) | Accepted::Duplicate(run) => run,
    }
}

fn each(input: Json, inside: Json) -> Json {
    let mut step =
        json!({ "id": "each", "use": "for_each", "input": { "list": "{{ trigger.body.list }}" }, "body": { "steps": inside } });
    for (name, value) in input.as_object().unwrap() {
        step["input"][name] = value.clone();
    }
    step
}

fn list(length: usize) -> Json {
    json!({ "order": 1, "list": (0..length).collect::<Vec<_>>() })
}

/// A keyed call for the item, with the item in it.
fn send() -> Json {
    let mut send = post("send", true);
    send["input"]["json"] = json!({ "n": "{{ item }}", "round": "{{ index }}" });
    send
}

/// The results of the lines, by their numbers.
fn results(history: &[Entry]) -> Vec<(String, Option<Json>)> {
    let ended = |entry: &Entry| match &entry.record {
        Record::LineEnded { line, result, end: LineEnd::Done } => Some((line.0.clone(), result.clone())),
        _ => None,
    };
    history.iter().filter_map(ended).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_for_each_calls_for_every_item_never_more_at_once_than_it_says(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let after = set("after", json!({ "got": "{{ steps.each.items }}", "sum": "{{ steps.each.items | sum }}" }));
    let workflow =
        world.publish(json!([each(json!({ "at_once": 3, "result": "{{ item * 10 }}" }), json!([send()])), after])).await;
    let run = id(engine.accept(world.event(workflow, list(20))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    let history = world.history(run).await;
    let expected: Vec<usize> = (0..20).map(|n| n * 10).collect();
    assert_eq!(output(&history, "after"), Some(json!({ "got": expected, "sum": 1900 })), "in the order of the list");
    let seen = world.service.seen();
    let keys: std::collections::HashSet<&str> = seen.iter().map(|seen| seen.key.as_str()).collect();
    assert_eq!((seen.len(), keys.len()), (20, 20), "each round has a key of its own");
    assert!(seen.iter().any(|seen| seen.body == r#"{"n":7,"round":7}"#), "{seen:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_calls_of_lanes_are_under_way_at_the_same_time(pool: PgPool) {
    let world = World::new(pool).await;
    // Nobody is answered before all three are there.
    let there = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&there);
    world.service.answers(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Reply::Hang
    });
    let engine = world.start().await;
    let lanes = json!([{ "steps": [get("a")] }, { "steps": [get("b")] }, { "steps": [get("c")] }]);
    let workflow = world.publish(json!([{ "id": "both", "use": "parallel", "lanes": lanes }])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    world.service.saw(3).await;
    assert_eq!(there.load(Ordering::SeqCst), 3);
    let done = engine.cancel(world.workspace, run, "Ann").await.unwrap();
    assert_eq!(done, RunChange::Done, "cancelling cuts all of them off");
    assert_eq!(world.end(run).await.state, EndState::Cancelled);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_first_lane_wins_and_what_an_unsafe_loser_sent_is_told_as_uncertain(pool: PgPool) {
    let world = World::new(pool).await;
    world.service.answers(|seen| if seen.path == "/slow" { Reply::Hang } else { Reply::Ok });
    let engine = world.start().await;
    let lanes = json!([{ "steps": [post("slow", false)] }, { "steps": [get("quick")] }]);
    let step = json!({ "id": "race", "use": "parallel", "input": { "join": "first" }, "lanes": lanes });
    let after = set("after", json!({ "status": "{{ steps.quick.status }}" }));
    let workflow = world.publish(json!([step, after])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    let history = world.history(run).await;
    assert_eq!(output(&history, "after"), Some(json!({ "status": 200 })));
    let told = |entry: &Entry| matches!(&entry.record, Record::Uncertain { step, .. } if step.0 == "race[0]/slow");
    let skipped = |entry: &Entry| matches!(&entry.record, Record::Skipped { step, .. } if step.0 == "race[0]/slow");
    let left = world.service.seen().iter().any(|seen| seen.path == "/slow");
    assert!(history.iter().any(if left { told } else { skipped }), "{history:?}");
    assert_eq!(world.count("wait").await, 0, "nothing asks for a run that is over");
}

#[sqlx::test(migrations = "../migrations")]
async fn when_a_step_fails_its_error_lane_is_done_with_the_error_as_data(pool: PgPool) {
    let world = World::new(pool).await;
    world.service.answers(|seen| if seen.path == "/pay" { Reply::Status(404) } else { Reply::Ok });
    let engine = world.start().await;
    let mut pay = post("pay", true);
    pay["on_error"] = json!("rescue");
    pay["rescue"] = json!({ "steps": [set("tell", json!({ "kind": "{{ steps.pay.error.kind }}" })), post("report", true)] });
    let workflow = world.publish(json!([pay, set("after", json!({ "told": "{{ steps.tell.kind }}" }))])).await;
    let run = id(engine.accept(world.event(workflow, json!({ "order": 3 }))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(run).await, "after"), Some(json!({ "told": "not_found" })));
    assert_eq!(by_path(&world.service.seen())["/report"].0, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_line_that_sleeps_for_hours_lets_the_others_go_on_and_then_sleeps_in_the_database(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let delay = json!({ "id": "wait", "use": "delay", "input": { "for": "2h" } });
    let lanes = json!([{ "steps": [delay, get("late")] }, { "steps": [get("early"), get("then")] }]);
    let workflow = world.publish(json!([{ "id": "both", "use": "parallel", "lanes": lanes }, get("last")])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    assert_eq!(world.sleeps(run).await, "both[0]/wait");
    let paths = |seen: Vec<Seen>| seen.into_iter().map(|seen| seen.path).collect::<Vec<_>>();
    assert_eq!(paths(world.service.seen()), ["/early", "/then"], "the other lane is done when the run goes to sleep");
    assert_eq!(world.count("job").await, 0);
    world.pass(TimeDelta::hours(3));
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(paths(world.service.seen()), ["/early", "/then", "/late", "/last"]);
    assert_eq!(world.count("wait").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_person_can_decide_about_one_line_while_another_is_under_way(pool: PgPool) {
    let world = World::new(pool).await;
    world.service.answers(|seen| match seen.path.as_str() {
        "/pay" => Reply::Fail(ErrorKind::Uncertain),
        "/slow" => Reply::Hang,
        _ => Reply::Ok,
    });
    let engine = world.start().await;
    let lanes = json!([{ "steps": [post("pay", false), get("paid")] }, { "steps": [get("slow")] }]);
    let workflow = world.publish(json!([{ "id": "both", "use": "parallel", "lanes": lanes }])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    assert_eq!(world.sleeps(run).await, "both[0]/pay", "asked while the other lane hangs");
    let step = StepPath("both[0]/pay".into());
    let decided = engine.decide(world.workspace, run, &step, "Ann", Decision::WentThrough { output: json!({}) }).await;
    assert_eq!(decided.unwrap(), RunChange::Done);
    world.service.saw(3).await;
    assert!(world.service.seen().iter().any(|seen| seen.path == "/paid"), "it went on at once");
    engine.cancel(world.workspace, run, "Ann").await.unwrap();
    world.end(run).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn every_line_that_waits_is_a_row_and_the_run_goes_on_as_each_wakes(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let delay = json!({ "id": "wait", "use": "delay", "input": { "for": "{{ (item + 1) * 60 }}m" } });
    let workflow = world.publish(json!([each(json!({ "at_once": 4 }), json!([delay, send()]))])).await;
    let run = id(engine.accept(world.event(workflow, list(4))).await.unwrap());
    let rows = async |count: i64| {
        let started = std::time::Instant::now();
        while world.count("wait").await != count || world.count("job").await != 0 {
            assert!(started.elapsed() < BOUND, "{} waits", world.count("wait").await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    rows(4).await;
    for left in (0..4).rev() {
        world.pass(TimeDelta::minutes(61));
        world.service.saw(4 - left).await;
        if left > 0 {
            rows(i64::try_from(left).unwrap()).await;
        }
    }
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(results(&world.history(run).await).len(), 4);
}

/// The process dies at random moments in the middle of a loop of keyed calls; each item's call keeps its key and its content.
#[sqlx::test(migrations = "../migrations")]
async fn a_loop_goes_on_after_crashes_and_repeats_calls_only_with_their_keys(pool: PgPool) {
    let world = World::new(pool).await;
    let mut calls = 0;
    world.service.answers(move |_| {
        calls += 1;
        if calls % 9 == 0 { Reply::Hang } else { Reply::Ok }
    });
    let note = set("note", json!({ "n": "{{ item }}" }));
    let steps = json!([each(json!({ "at_once": 4, "result": "{{ item }}" }), json!([note, send()])), get("last")]);
    let workflow = world.publish(steps).await;
    let engine = world.start().await;
    let run = id(engine.accept(world.event(workflow, list(40))).await.unwrap());
    let mut running = Some(engine);
    for round in 1..=6 {
        world.service.saw(round * 7).await;
        running.take().unwrap().crash().await;
        sqlx::query!("update node set deaths = 0").execute(&world.pool).await.unwrap();
        running = Some(world.start().await);
    }
    world.service.answers(|_| Reply::Ok);
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    let history = world.history(run).await;
    assert_eq!(results(&history).len(), 40, "each round ended once");
    let mut bodies: HashMap<String, Vec<Seen>> = HashMap::new();
    for seen in world.service.seen().into_iter().filter(|seen| seen.path == "/send") {
        bodies.entry(seen.body.clone()).or_default().push(seen);
    }
    assert_eq!(bodies.len(), 40);
    for (body, sent) in bodies {
        assert!(sent.iter().all(|seen| seen.key == sent[0].key), "{body} was sent under several keys");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_loop_without_effects_is_put_on_disk_in_chunks_and_goes_on_where_it_was(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let twice = set("twice", json!({ "n": "{{ item * 2 }}" }));
    let keep = each(json!({ "result": "{{ steps.twice.n }}" }), json!([twice]));
    let after = set("after", json!({ "sum": "{{ steps.each.items | sum }}", "count": "{{ steps.each.count }}" }));
    let workflow = world.publish(json!([keep, after])).await;
    let run = id(engine.accept(world.event(workflow, list(2_000))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(run).await, "after"), Some(json!({ "sum": 3_998_000, "count": 2_000 })));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_repeat_follows_pages_until_there_is_none(pool: PgPool) {
    let world = World::new(pool).await;
    let mut page = 0;
    world.service.answers(move |_| {
        page += 1;
        Reply::Json(json!({ "next": if page < 4 { Json::from(page) } else { Json::Null } }))
    });
    let engine = world.start().await;
    let mut fetch = get("page");
    fetch["input"]["url"] = json!("https://service.example/page/{{ steps.page.body.next | default(0) }}");
    let again = json!({ "value": "{{ steps.page.body.next }}", "is": "is_not_empty" });
    let repeat = json!({ "id": "pages", "use": "repeat", "if": again, "body": { "steps": [fetch] } });
    let after = set("after", json!({ "rounds": "{{ steps.pages.rounds }}", "last": "{{ steps.page.status }}" }));
    let workflow = world.publish(json!([repeat, after])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(run).await, "after"), Some(json!({ "rounds": 4, "last": 200 })));
    let paths: Vec<String> = world.service.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/page/0", "/page/1", "/page/2", "/page/3"]);
}
