//! Runs whose connection the service refuses: they wait, and go on when it is renewed.

use super::{Reply, World, by_path, post, set};
use crate::dispatch::{Accepted, Engine, RunChange};
use serde_json::json;
use sqlx::PgPool;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use towpath_engine::{
    Json,
    error::ErrorKind,
    ids::{ConnectionId, RunId, WorkflowId},
    record::{Decision, EndState, Record, WokenBy},
    workflow::StepPath,
};

/// A step through the connection.
fn through(id: ConnectionId, mut step: Json) -> Json {
    step["connection"] = id.to_string().into();
    step
}

/// The service takes the connection as long as this is true.
fn service(world: &World) -> Arc<AtomicBool> {
    let takes = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&takes);
    world.service.answers(move |_| if known.load(Ordering::SeqCst) { Reply::Ok } else { Reply::Status(401) });
    takes
}

async fn start(world: &World, engine: &Engine, workflow: WorkflowId) -> RunId {
    match engine.accept(world.event(workflow, json!({}))).await.unwrap() {
        Accepted::New(run) => run,
        Accepted::Duplicate(run) => panic!("{run} is not new"),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refused_run_waits_and_goes_on_with_the_same_key_when_its_connection_is_renewed(pool: PgPool) {
    let world = World::new(pool).await;
    let (connection, takes) = (world.account.add().await, service(&world));
    let workflow = world.publish(json!([through(connection, post("a", false)), set("b", json!({ "x": 1 }))])).await;
    let engine = world.start().await;
    let run = start(&world, &engine, workflow).await;
    assert_eq!(world.sleeps(run).await, "a");
    // Those that come while it is refused ask nobody.
    let others = [start(&world, &engine, workflow).await, start(&world, &engine, workflow).await];
    for other in others {
        world.sleeps(other).await;
    }
    assert_eq!(world.service.seen().len(), 1, "the service is not asked again and again");
    takes.store(true, Ordering::SeqCst);
    world.account.renew(connection).await;
    for run in [run, others[0], others[1]] {
        assert_eq!(world.end(run).await.state, EndState::Succeeded);
    }
    assert_eq!(by_path(&world.service.seen())["/a"], (4, 3), "the same key again");
    let history = world.history(run).await;
    let by = |entry: &towpath_engine::record::Entry| match &entry.record {
        Record::Woken { by, .. } => Some(by.clone()),
        _ => None,
    };
    assert_eq!(history.iter().filter_map(by).collect::<Vec<_>>(), [WokenBy::Connection]);
    assert_eq!(world.count("wait").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_connection_that_was_renewed_while_the_server_was_down_or_before_the_run_slept_wakes_it(pool: PgPool) {
    let world = World::new(pool).await;
    let (connection, takes) = (world.account.add().await, service(&world));
    let workflow = world.publish(json!([through(connection, post("a", false))])).await;
    let engine = world.start().await;
    let run = start(&world, &engine, workflow).await;
    world.sleeps(run).await;
    engine.crash().await;
    takes.store(true, Ordering::SeqCst);
    world.account.is(connection, "untested").await;
    let engine = world.start().await;
    assert_eq!(world.end(run).await.state, EndState::Succeeded);

    // Nobody tells the engine anything any more: the run itself has somebody look, once it sleeps.
    world.account.is_quick.store(true, Ordering::SeqCst);
    let mut asked = 0;
    world.service.answers(move |_| {
        asked += 1;
        if asked == 1 { Reply::Status(401) } else { Reply::Ok }
    });
    let run = start(&world, &engine, workflow).await;
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
}

#[sqlx::test(migrations = "../migrations")]
async fn other_lanes_go_on_while_one_waits_and_it_is_woken_beside_them(pool: PgPool) {
    let world = World::new(pool).await;
    let connection = world.account.add().await;
    let lanes = json!([
        { "title": "a", "steps": [through(connection, post("a", true)), post("after", true)] },
        { "title": "b", "steps": [post("slow", true)] },
    ]);
    let workflow = world.publish(json!([{ "id": "both", "use": "parallel", "lanes": lanes }])).await;
    let takes = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&takes);
    world.service.answers(move |seen| match seen.path.as_str() {
        "/a" if !known.load(Ordering::SeqCst) => Reply::Status(401),
        "/slow" => Reply::Hang,
        _ => Reply::Ok,
    });
    let engine = world.start().await;
    let run = start(&world, &engine, workflow).await;
    assert_eq!(world.sleeps(run).await, "both[0]/a", "people see it while the other lane goes on");
    takes.store(true, Ordering::SeqCst);
    world.account.renew(connection).await;
    let seen = world.service.saw(4).await;
    assert_eq!((by_path(&seen)["/a"], by_path(&seen)["/after"]), ((2, 1), (1, 1)));
    assert_eq!(engine.cancel(world.workspace, run, "Ada").await.unwrap(), RunChange::Done);
    assert_eq!(world.end(run).await.state, EndState::Cancelled);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_deleted_connection_fails_its_runs_and_a_person_gives_one_up_or_cancels_it(pool: PgPool) {
    let world = World::new(pool).await;
    let (connection, _) = (world.account.add().await, service(&world));
    let workflow = world.publish(json!([through(connection, post("a", false))])).await;
    let engine = world.start().await;
    let runs =
        [start(&world, &engine, workflow).await, start(&world, &engine, workflow).await, start(&world, &engine, workflow).await];
    for run in runs {
        world.sleeps(run).await;
    }
    let given_up = engine.decide(world.workspace, runs[0], &StepPath("a".into()), "Ada", Decision::Fail).await.unwrap();
    assert_eq!(given_up, RunChange::Done);
    assert_eq!(world.end(runs[0]).await.error.map(|failed| failed.error.kind), Some(ErrorKind::Unauthorized));
    assert_eq!(engine.cancel(world.workspace, runs[1], "Ada").await.unwrap(), RunChange::Done);
    assert_eq!(world.end(runs[1]).await.state, EndState::Cancelled);
    world.account.delete(connection).await;
    let end = world.end(runs[2]).await;
    assert_eq!((end.state, end.error.unwrap().error.message), (EndState::Failed, "The connection was deleted.".to_owned()));
    assert_eq!(world.count("wait").await, 0);
}
