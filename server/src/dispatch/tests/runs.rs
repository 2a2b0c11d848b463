//! What a run does: pure and synchronous ones, effects, waits, decisions, cancel, drain.

use super::*;
use crate::dispatch::{Accepted, Answered, RunChange};
use towpath_engine::{
    record::{AnswerBody, Decision, EndState},
    workflow::StepPath,
};

fn id(accepted: Accepted) -> RunId {
    match accepted {
        Accepted::New(run) | Accepted::Duplicate(run) => run,
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_pure_run_is_on_disk_when_its_sender_hears_and_then_ends(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let workflow = world.publish(json!([set("a", json!({ "double": "{{ trigger.body.n + trigger.body.n }}" }))])).await;
    let run = id(engine.accept(world.event(workflow, json!({ "n": 21 }))).await.unwrap());
    assert_eq!(world.count("run").await, 1);
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(run).await, "a"), Some(json!({ "double": 42 })));
    assert_eq!((world.count("job").await, world.count("record").await), (0, 0), "its records travel with the end");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_synchronous_caller_hears_what_respond_says_and_so_does_its_repeat(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let answer = json!({ "id": "answer", "use": "respond", "input": { "status": 201, "kind": "json", "json": { "got": "{{ trigger.body.n }}" } } });
    let pure = world.publish(json!([answer])).await;
    let acting = world.publish(json!([post("one", true), answer, post("two", true)])).await;
    for workflow in [pure, acting] {
        let endpoint = EndpointId::random();
        let event = |n: i64| {
            let mut event = world.delivery(workflow, endpoint, "evt_1");
            event.event.body = json!({ "n": n, "order": 1 }).to_string().into_bytes();
            event
        };
        let Answered::Answer(run, first) = engine.accept_and_answer(event(1), BOUND).await.unwrap() else { panic!("no answer") };
        assert_eq!((first.status, first.body.clone()), (201, AnswerBody::Json(json!({ "got": 1 }))));
        let Answered::Answer(same, again) = engine.accept_and_answer(event(2), BOUND).await.unwrap() else { panic!("no answer") };
        assert_eq!((same, again), (run, first), "the first run's answer");
        assert_eq!(world.end(run).await.state, EndState::Succeeded);
    }
    assert_eq!(world.count("run").await, 2);
    assert_eq!(world.count("job").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_synchronous_caller_of_a_slow_run_hears_that_it_is_on_disk(pool: PgPool) {
    let world = World::new(pool).await;
    world.service.answers(|_| Reply::Hang);
    let engine = world.start().await;
    let workflow = world.publish(json!([get("slow")])).await;
    let answered = engine.accept_and_answer(world.event(workflow, json!({})), Duration::from_millis(50)).await.unwrap();
    assert!(matches!(answered, Answered::Later(_)), "{answered:?}");
    assert_eq!(world.count("run").await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_same_delivery_starts_one_run_in_a_row_at_once_and_over_midnight(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let workflow = world.publish(json!([set("a", json!({}))])).await;
    let endpoint = EndpointId::random();
    let first = engine.accept(world.delivery(workflow, endpoint, "evt")).await.unwrap();
    let second = engine.accept(world.delivery(workflow, endpoint, "evt")).await.unwrap();
    assert_eq!(second, Accepted::Duplicate(id(first)));
    let many = (0..50).map(|_| engine.accept(world.delivery(workflow, endpoint, "burst")));
    let many: Vec<Accepted> = futures_util::future::try_join_all(many).await.unwrap();
    assert_eq!(many.iter().filter(|accepted| matches!(accepted, Accepted::New(_))).count(), 1);
    let ids: std::collections::HashSet<RunId> = many.into_iter().map(id).collect();
    assert_eq!(ids.len(), 1, "all hear the same run");
    world.pass(TimeDelta::days(1));
    assert_eq!(engine.accept(world.delivery(workflow, endpoint, "evt")).await.unwrap(), Accepted::Duplicate(id(first)));
    let other = engine.accept(world.delivery(workflow, EndpointId::random(), "evt")).await.unwrap();
    assert!(matches!(other, Accepted::New(_)), "another endpoint's key is another key");
    assert_eq!(world.count("run").await, 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn failed_attempts_are_repeated_with_the_same_key_and_input(pool: PgPool) {
    let world = World::new(pool).await;
    let mut tries = 0;
    world.service.answers(move |_| {
        tries += 1;
        if tries < 3 { Reply::Status(500) } else { Reply::Ok }
    });
    let engine = world.start().await;
    let mut step = post("pay", true);
    step["retry"] = json!({ "attempts": 5, "first": "10ms", "max": "20ms" });
    let workflow = world.publish(json!([step])).await;
    let run = id(engine.accept(world.event(workflow, json!({ "order": 7 }))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    let seen = world.service.seen();
    assert_eq!(by_path(&seen)["/pay"], (3, 1), "{seen:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_uncertain_unsafe_effect_waits_for_a_person_who_decides_once(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let workflow = world.publish(json!([post("pay", false), set("after", json!({ "paid": "{{ steps.pay.receipt }}" }))])).await;
    let step = StepPath("pay".into());
    for decision in [Decision::WentThrough { output: json!({ "receipt": 5 }) }, Decision::SendAgain, Decision::Fail] {
        world.service.answers(|_| Reply::Fail(ErrorKind::Uncertain));
        let before = world.service.seen().len();
        let run = id(engine.accept(world.event(workflow, json!({ "order": 7 }))).await.unwrap());
        assert_eq!(world.sleeps(run).await, "pay");
        world.service.answers(|_| Reply::Json(json!({ "receipt": 6 })));
        let decide = || engine.decide(world.workspace, run, &step, "Ann", decision.clone());
        let (one, two) = tokio::join!(decide(), decide());
        let done = [one.unwrap(), two.unwrap()].iter().filter(|change| **change == RunChange::Done).count();
        assert_eq!(done, 1, "it is decided once");
        let end = world.end(run).await;
        let calls = world.service.seen().len() - before;
        let history = world.history(run).await;
        match decision {
            Decision::WentThrough { .. } => {
                assert_eq!((end.state, calls), (EndState::Succeeded, 1));
                assert_eq!(output(&history, "after"), Some(json!({ "paid": 5 })));
            }
            Decision::SendAgain => {
                assert_eq!((end.state, calls), (EndState::Succeeded, 2));
                let seen = &world.service.seen()[before..];
                assert_eq!(seen[0].key, seen[1].key);
            }
            Decision::Fail => assert_eq!((end.state, calls), (EndState::Failed, 1)),
        }
    }
    let nobody = engine.decide(WorkspaceId::new(), RunId::new(), &step, "Eve", Decision::Fail).await.unwrap();
    assert_eq!(nobody, RunChange::NotFound);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_panic_in_an_action_fails_its_step_and_not_the_server(pool: PgPool) {
    let world = World::new(pool).await;
    world.service.answers(|_| Reply::Panic);
    let engine = world.start().await;
    let workflow = world.publish(json!([get("broken")])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    let end = world.end(run).await;
    assert_eq!(end.error.expect("an error").error.kind, ErrorKind::Internal);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_attempt_that_hangs_is_given_up_after_its_time(pool: PgPool) {
    let world = World::new(pool).await;
    world.service.answers(|_| Reply::Hang);
    let engine = world.start().await;
    let mut step = get("slow");
    step["timeout"] = json!("50ms");
    step["retry"] = json!({ "attempts": 1 });
    let workflow = world.publish(json!([step])).await;
    let run = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    assert_eq!(world.end(run).await.error.expect("an error").error.kind, ErrorKind::Timeout);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_delay_survives_a_restart_and_wakes_once(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let delay = json!({ "id": "pause", "use": "delay", "input": { "mode": "for", "for": "10d" } });
    let workflow = world.publish(json!([set("a", json!({ "n": 1 })), delay, post("after", true)])).await;
    let run = id(engine.accept(world.event(workflow, json!({ "order": 1 }))).await.unwrap());
    world.sleeps(run).await;
    assert_eq!(world.count("job").await, 0);
    engine.crash().await;
    let engine = world.start().await;
    assert!(world.service.seen().is_empty());
    world.pass(TimeDelta::days(11));
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(world.service.seen().len(), 1);
    assert_eq!((world.count("wait").await, world.count("job").await), (0, 0));
    engine.drain(BOUND).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_run_is_cancelled_while_it_acts_while_it_sleeps_and_while_it_queues(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.settings.effects = 1;
    world.service.answers(|_| Reply::Hang);
    let engine = world.start().await;
    let acting = world.publish(json!([post("one", false), post("two", false)])).await;
    let sleeping = world.publish(json!([{ "id": "pause", "use": "delay", "input": { "mode": "for", "for": "1d" } }])).await;
    let asleep = id(engine.accept(world.event(sleeping, json!({}))).await.unwrap());
    world.sleeps(asleep).await;
    let active = id(engine.accept(world.event(acting, json!({ "order": 1 }))).await.unwrap());
    world.service.saw(1).await;
    let queued = id(engine.accept(world.event(acting, json!({ "order": 2 }))).await.unwrap());
    assert!(engine.is_running(active) && !engine.is_running(queued));
    for run in [asleep, queued, active] {
        let asked = std::time::Instant::now();
        assert_eq!(engine.cancel(world.workspace, run, "Ann").await.unwrap(), RunChange::Done);
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_eq!(world.end(run).await.state, EndState::Cancelled);
        assert_eq!(engine.cancel(world.workspace, run, "Bob").await.unwrap(), RunChange::AlreadyEnded("cancelled".into()));
    }
    assert_eq!(world.service.seen().len(), 1, "nothing more was sent");
    let uncertain = world.history(active).await.iter().any(|entry| matches!(entry.record, Record::Uncertain { .. }));
    assert!(uncertain, "an unsafe effect under way may have gone through");
    assert_eq!(engine.cancel(WorkspaceId::new(), active, "Eve").await.unwrap(), RunChange::NotFound);
    assert_eq!((world.count("wait").await, world.count("job").await), (0, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn cancel_and_end_race_and_the_first_commit_wins(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let workflow = world.publish(json!([post("one", true)])).await;
    for _ in 0..40 {
        let run = id(engine.accept(world.event(workflow, json!({ "order": 1 }))).await.unwrap());
        let change = engine.cancel(world.workspace, run, "Ann").await.unwrap();
        let end = world.end(run).await;
        match change {
            RunChange::Done => assert_eq!(end.state, EndState::Cancelled),
            RunChange::AlreadyEnded(state) => {
                assert_eq!((state.as_str(), end.state), ("succeeded", EndState::Succeeded));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.count("run_end").await, 40);
}

#[sqlx::test(migrations = "../migrations")]
async fn drain_lets_steps_finish_and_the_next_process_goes_on(pool: PgPool) {
    let world = World::new(pool).await;
    let (release, gate) = tokio::sync::watch::channel(false);
    let engine = world.start().await;
    let workflow = world.publish(json!([post("one", false), post("two", false)])).await;
    let mut first = true;
    world.service.answers(move |_| {
        // The first call takes its time.
        if std::mem::take(&mut first) {
            let gate = gate.clone();
            let waited = std::time::Instant::now();
            while !*gate.borrow() && waited.elapsed() < BOUND {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        Reply::Ok
    });
    let run = tokio::task::spawn({
        let (engine, event) = (engine.clone(), world.event(workflow, json!({ "order": 1 })));
        async move { id(engine.accept(event).await.unwrap()) }
    });
    let run = run.await.unwrap();
    let draining = tokio::spawn({
        let engine = engine.clone();
        async move { engine.drain(BOUND).await }
    });
    while engine.ready().is_ok() {
        tokio::task::yield_now().await;
    }
    let refused = engine.accept(world.event(workflow, json!({}))).await;
    assert!(matches!(refused, Err(crate::dispatch::Refused::Draining)), "{refused:?}");
    release.send(true).unwrap();
    draining.await.unwrap();
    let alive: i64 = world.count("node where alive").await;
    assert_eq!(alive, 0, "the shards are free");
    let _next = world.start().await;
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    let calls = by_path(&world.service.seen());
    assert_eq!((calls["/one"], calls["/two"]), ((1, 1), (1, 1)), "nothing was lost and nothing sent twice");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_workflow_with_a_long_queue_does_not_starve_its_neighbour(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.settings.effects = 4;
    let engine = world.start().await;
    let busy = world.publish(json!([post("busy", true)])).await;
    let calm = world.publish(json!([post("calm", true)])).await;
    world.service.answers(|seen| if seen.path == "/busy" { Reply::Hang } else { Reply::Ok });
    let flood = (0..2_500).map(|_| engine.accept(world.event(busy, json!({ "order": 1 }))));
    futures_util::future::try_join_all(flood).await.unwrap();
    let run = id(engine.accept(world.event(calm, json!({ "order": 1 }))).await.unwrap());
    assert_eq!(world.end(run).await.state, EndState::Succeeded, "while every call of the other hangs");
    engine.crash().await;
    // What did not fit into memory is taken from the table, window by window.
    world.service.answers(|_| Reply::Ok);
    let engine = world.start().await;
    let waiting = async {
        while world.count("job").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("all runs end");
    assert_eq!(world.count("run_end").await, 2_501);
    engine.drain(BOUND).await;
}

/// Writes a text under this name, as the page of variables does.
async fn set_variable(world: &World, name: &str, value: &str) {
    use crate::variables::{Change, Kind, Variable};
    let by = towpath_engine::ids::PersonId::new();
    sqlx::query!(
        "insert into person (id, email, name, password_hash) values ($1, $2, 'Ada', 'none')",
        by.0,
        format!("{}@example.com", by.0)
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let variable = Variable { name: name.into(), kind: Kind::Text, value: value.into(), note: String::new() };
    let change = Change::Put { name: name.into(), variable, upsert: true };
    world.variables.change(world.workspace, change, by, world.clock().now()).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn a_run_sees_the_variables_of_its_beginning_also_after_a_change_and_a_crash(pool: PgPool) {
    let mut world = World::new(pool).await;
    set_variable(&world, "mail", "old@example.com").await;
    let engine = world.start().await;
    let delay = json!({ "id": "nap", "use": "delay", "input": { "for": "1h" } });
    let said = |id: &str| set(id, json!({ "to": "{{ vars.mail }}" }));
    let workflow = world.publish(json!([said("before"), delay, said("after")])).await;
    let pure = world.publish(json!([said("at_once")])).await;
    let first = id(engine.accept(world.event(workflow, json!({}))).await.unwrap());
    world.sleeps(first).await;
    // More changes than are kept in memory.
    for n in 0..7 {
        set_variable(&world, "mail", &format!("new{n}@example.com")).await;
    }
    let second = id(engine.accept(world.event(pure, json!({}))).await.unwrap());
    assert_eq!(world.end(second).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(second).await, "at_once"), Some(json!({ "to": "new6@example.com" })));
    engine.crash().await;

    world.variables = Variables::start(world.pool.clone()).await.unwrap();
    let engine = world.start().await;
    world.pass(TimeDelta::hours(2));
    assert_eq!(world.end(first).await.state, EndState::Succeeded);
    let history = world.history(first).await;
    for step in ["before", "after"] {
        assert_eq!(output(&history, step), Some(json!({ "to": "old@example.com" })), "{step}");
    }
    let third = id(engine.accept(world.event(pure, json!({}))).await.unwrap());
    assert_eq!(world.end(third).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(third).await, "at_once"), Some(json!({ "to": "new6@example.com" })));
}
