//! The writer's statements: repeatable, counted, fenced, halved, and planned so that no statistics can slow them.

use super::*;
use crate::journal::{
    AcceptedRun, Committed, Failure, Heir, Journal, Operation, RunRef, WriterOptions, commit_for_test,
    operation::{AcceptRow, DeliveryRow, EndRow, EventKey, RecordRow, Then},
};
use crate::store::nodes;
use sqlx::{Connection, PgConnection};
use towpath_engine::{record::EndState, workflow::StepPath};

struct NoHeir;

impl Heir for NoHeir {
    fn accepted(&self, _: Vec<AcceptedRun>) {}
    fn doubtful(&self, _: Vec<RunId>) {}
    fn rejected(&self, _: RunRef) {}
    fn moved(&self, _: RunRef) {}
    fn fenced(&self) {}
}

/// A node that owns every shard, and a journal in its name.
async fn writer(world: &World) -> (i64, Journal) {
    let mut connection = PgConnection::connect_with(&world.database()).await.unwrap();
    let node = nodes::register(&mut connection, "test", "here", 15.0).await.unwrap();
    nodes::take_shards(&mut connection, node, 0).await.unwrap();
    let journal = Journal::default();
    let (writing, options) = (journal.clone(), WriterOptions::new(&world.database(), node));
    tokio::spawn(async move { writing.write(options, Arc::new(NoHeir)).await });
    (node, journal)
}

fn run(world: &World) -> RunRef {
    RunRef { run: RunId::new(), workspace: world.workspace, workflow: WorkflowId::new(), shard: 3 }
}

fn accept(run: RunRef) -> Operation {
    let row = AcceptRow {
        version: 1,
        trigger_kind: 1,
        replay_of: None,
        payload: b"x".to_vec(),
        event: None,
        at: DateTime::UNIX_EPOCH,
        live: true,
        delivery: None,
        event_key: None,
    };
    Operation { run, accept: Some(row), records: Vec::new(), then: Then::GoOn, reply: None }
}

fn record(run: RunRef, step: &str) -> Operation {
    let record = Record::Succeeded {
        step: StepPath("a".into()),
        attempt: 1,
        output: json!(1),
        trace: towpath_engine::record::Trace::default(),
    };
    let mut row = RecordRow::new(0, &Entry { at: DateTime::UNIX_EPOCH, record });
    row.step = step.into();
    Operation { run, accept: None, records: vec![row], then: Then::GoOn, reply: None }
}

fn end(run: RunRef) -> Operation {
    let end = End { state: EndState::Succeeded, reason: None, error: None };
    let row = EndRow::new(&end, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, 1, &[]);
    Operation { run, accept: None, records: Vec::new(), then: Then::End(Box::new(row)), reply: None }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_result_is_committed_once_and_a_run_ends_once(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, journal) = writer(&world).await;
    let run = run(&world);
    assert_eq!(journal.commit(accept(run)).await, Ok(Committed::Done));
    assert_eq!(journal.commit(record(run, "a")).await, Ok(Committed::Done));
    assert_eq!(journal.commit(record(run, "a")).await, Ok(Committed::Repeated));
    assert_eq!(journal.commit(end(run)).await, Ok(Committed::Done));
    assert_eq!(journal.commit(end(run)).await, Ok(Committed::Repeated));
    assert_eq!((world.count("record").await, world.count("run_end").await, world.count("job").await), (1, 1, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_same_event_starts_one_run_whichever_way_it_comes_and_turns_away_nothing_else(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, journal) = writer(&world).await;
    let workflow = run(&world);
    let bring = |key: Option<&str>, delivery: Option<&str>| {
        let mut operation = accept(RunRef { run: RunId::new(), ..workflow });
        let id = operation.run.run;
        let row = operation.accept.as_mut().unwrap();
        row.event_key = key.map(|key| EventKey::new("feed.new_item", key));
        row.delivery = delivery.map(|key| DeliveryRow {
            bucket: chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
            endpoint: EndpointId(uuid::Uuid::nil()),
            key: key.into(),
        });
        (id, journal.commit(operation))
    };
    let (first, commit) = bring(Some("a"), None);
    assert_eq!(commit.await, Ok(Committed::Done));
    // By a webhook after the poll, and by both at once: the delivery's id isn't used up by a run that was never written.
    assert_eq!(bring(Some("a"), Some("d1")).1.await, Ok(Committed::Duplicate(first)));
    let (second, commit) = bring(Some("b"), Some("d1"));
    assert_eq!(commit.await, Ok(Committed::Done));
    // The same delivery with another event: the event isn't used up either.
    assert_eq!(bring(Some("c"), Some("d1")).1.await, Ok(Committed::Duplicate(second)));
    assert_eq!(bring(Some("c"), None).1.await, Ok(Committed::Done));
    let many = (0..50).map(|n| bring(Some(if n % 2 == 0 { "x" } else { "y" }), None).1);
    let done = futures_util::future::join_all(many).await.into_iter().filter(|it| *it == Ok(Committed::Done)).count();
    assert_eq!((done, world.count("run").await, world.count("event_key").await), (2, 5, 5));
}

#[sqlx::test(migrations = "../migrations")]
async fn one_bad_operation_fails_alone_in_its_group(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, journal) = writer(&world).await;
    let runs: Vec<RunRef> = (0..100).map(|_| run(&world)).collect();
    let accepts = runs.iter().map(|run| journal.commit(accept(*run)));
    futures_util::future::try_join_all(accepts).await.unwrap();
    // PostgreSQL refuses NUL in a text column.
    let writes = runs.iter().enumerate().map(|(n, run)| journal.commit(record(*run, if n == 37 { "bad\0" } else { "good" })));
    let answers = futures_util::future::join_all(writes).await;
    for (n, answer) in answers.iter().enumerate() {
        match n {
            37 => assert!(matches!(answer, Err(Failure::Rejected(_))), "{answer:?}"),
            _ => assert_eq!(*answer, Ok(Committed::Done)),
        }
    }
    assert_eq!(world.count("record").await, 99);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_process_that_was_declared_dead_commits_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let (zombie, journal) = writer(&world).await;
    let (run, other) = (run(&world), run(&world));
    assert_eq!(journal.commit(accept(run)).await, Ok(Committed::Done));
    let mut connection = PgConnection::connect_with(&world.database()).await.unwrap();
    nodes::declare_dead(&mut connection, zombie).await.unwrap();
    let (_, heir) = writer(&world).await;
    assert_eq!(journal.commit(end(run)).await, Err(Failure::Fenced));
    assert_eq!(journal.commit(accept(other)).await, Err(Failure::Fenced));
    assert_eq!((world.count("run").await, world.count("run_end").await, world.count("job").await), (1, 0, 1));
    assert_eq!(heir.commit(end(run)).await, Ok(Committed::Done));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_shard_that_another_process_took_is_not_written(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, journal) = writer(&world).await;
    let run = run(&world);
    journal.commit(accept(run)).await.unwrap();
    sqlx::query!("update shard set owner = null where id = 3").execute(&world.pool).await.unwrap();
    assert_eq!(journal.commit(end(run)).await, Err(Failure::Fenced));
    assert_eq!(world.count("run_end").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn plans_made_while_the_tables_were_empty_read_no_table_whole(pool: PgPool) {
    let world = World::new(pool).await;
    let (node, journal) = writer(&world).await;
    sqlx::query!("analyze job").execute(&world.pool).await.unwrap();
    sqlx::query!("analyze delivery_default").execute(&world.pool).await.unwrap();
    sqlx::query!("analyze event_key").execute(&world.pool).await.unwrap();
    let mut session = PgConnection::connect_with(&WriterOptions::new(&world.database(), node).database).await.unwrap();
    // The plans are made now, and kept.
    let probe = run(&world);
    commit_for_test(node, vec![accept(probe)], &mut session).await;
    commit_for_test(node, vec![end(probe)], &mut session).await;
    let runs: Vec<RunRef> = (0..3_000).map(|_| run(&world)).collect();
    futures_util::future::try_join_all(runs.iter().map(|run| journal.commit(accept(*run)))).await.unwrap();
    let read = || sqlx::query_scalar!(r#"select pg_stat_get_xact_tuples_returned('job'::regclass) as "rows!""#);
    let mut transaction = session.begin().await.unwrap();
    commit_for_test(node, vec![end(runs[1_500])], &mut transaction).await;
    let rows = read().fetch_one(&mut *transaction).await.unwrap();
    assert!(rows < 100, "ending one run of 3,000 read {rows} rows of job");
    transaction.rollback().await.unwrap();

    let event = |n: usize| {
        let mut operation = accept(run(&world));
        operation.run.workflow = probe.workflow;
        operation.accept.as_mut().unwrap().event_key = Some(EventKey::new("feed.new_item", &n.to_string()));
        operation
    };
    commit_for_test(node, vec![event(0)], &mut session).await;
    futures_util::future::try_join_all((1..3_000).map(|n| journal.commit(event(n)))).await.unwrap();
    let read = || sqlx::query_scalar!(r#"select pg_stat_get_xact_tuples_returned('event_key'::regclass) as "rows!""#);
    let mut transaction = session.begin().await.unwrap();
    commit_for_test(node, vec![event(1_500)], &mut transaction).await;
    let rows = read().fetch_one(&mut *transaction).await.unwrap();
    assert!(rows < 100, "looking for one event of 3,000 read {rows} rows of event_key");
}
