//! Housekeeping: partitions, the disk guard, two processes on one database.

use super::*;
use crate::{
    dispatch::Refused,
    store::partitions::{self, TABLES},
};

#[sqlx::test(migrations = "../migrations")]
async fn partitions_are_made_at_start_and_take_the_rows_that_the_default_caught(pool: PgPool) {
    let world = World::new(pool).await;
    let workflow = world.publish(json!([set("a", json!({}))])).await;
    // As after a long stop: nothing was made ahead.
    let early = RunId::new();
    sqlx::query!(
        "insert into run (id, workspace_id, workflow_id, version, shard, trigger_kind) values ($1, $2, $3, 1, 0, 1)",
        early.0,
        world.workspace.0,
        workflow.0
    )
    .execute(&world.pool)
    .await
    .unwrap();
    assert_eq!(world.count("run_default").await, 1);
    let engine = world.start().await;
    for table in TABLES {
        let made = partitions::existing(&world.pool, table).await.unwrap();
        assert_eq!(made.len(), 5, "today, three days ahead and the default one: {made:?}");
    }
    engine.accept(world.event(workflow, json!({}))).await.unwrap();
    assert_eq!(world.count("run_default").await, 0);
    assert_eq!(world.count("run").await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn old_partitions_go_and_the_rows_of_waiting_runs_stay(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let pause = json!({ "id": "pause", "use": "delay", "input": { "mode": "for", "for": "60d" } });
    let waiting = world.publish(json!([pause, set("a", json!({ "n": "{{ trigger.body.n }}" }))])).await;
    let done = world.publish(json!([set("a", json!({}))])).await;
    let crate::dispatch::Accepted::New(asleep) = engine.accept(world.event(waiting, json!({ "n": 7 }))).await.unwrap() else {
        panic!("new")
    };
    let crate::dispatch::Accepted::New(over) = engine.accept(world.event(done, json!({}))).await.unwrap() else { panic!("new") };
    world.sleeps(asleep).await;
    world.end(over).await;
    world.pass(TimeDelta::days(40));
    super::super::retention::drop_partitions(&engine.core).await;
    let left = sqlx::query_scalar!("select id from run").fetch_all(&world.pool).await.unwrap();
    assert_eq!(left, [asleep.0], "the ended run is gone, the waiting one is kept");
    assert_eq!(world.count("run_end").await, 0);
    assert_eq!(world.count("record").await, world.count("record_default").await);
    world.pass(TimeDelta::days(30));
    world.end(asleep).await;
    assert_eq!(output(&world.history(asleep).await, "a"), Some(json!({ "n": 7 })), "its event was kept, too");
    world.pass(TimeDelta::days(40));
    super::super::retention::drop_partitions(&engine.core).await;
    assert_eq!((world.count("run").await, world.count("run_end").await, world.count("record").await), (0, 0, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_nearly_full_disk_refuses_events_and_says_so(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.settings.data = Some("/".into());
    world.settings.disk_reserve = u64::MAX;
    let engine = world.start().await;
    let workflow = world.publish(json!([set("a", json!({}))])).await;
    match engine.accept(world.event(workflow, json!({}))).await {
        Err(Refused::Unavailable(why)) => assert!(why.contains("disk space"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(engine.ready().is_err());
    assert_eq!(world.count("run").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_process_that_another_one_declared_dead_refuses_events_and_says_that_it_is_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let workflow = world.publish(json!([set("a", json!({}))])).await;
    engine.accept(world.event(workflow, json!({}))).await.unwrap();
    sqlx::query!("update node set alive = false").execute(&world.pool).await.unwrap();
    assert!(engine.accept(world.event(workflow, json!({}))).await.is_err());
    tokio::time::timeout(BOUND, engine.lost()).await.expect("it notices");
    assert_eq!(world.count("run").await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_outage_of_the_connection_is_waited_out(pool: PgPool) {
    let world = World::new(pool).await;
    let engine = world.start().await;
    let workflow = world.publish(json!([set("a", json!({}))])).await;
    engine.accept(world.event(workflow, json!({}))).await.unwrap();
    let cut = sqlx::query_scalar!(
        r#"select count(pg_terminate_backend(pid)) as "count!" from pg_stat_activity
           where datname = current_database() and application_name = 'towpath writer'"#
    );
    assert_eq!(cut.fetch_one(&world.pool).await.unwrap(), 1);
    engine.accept(world.event(workflow, json!({}))).await.expect("it connects again within the patience of the caller");
    assert_eq!(world.count("run").await, 2);
    assert_eq!(engine.ready(), Ok(()));
}
