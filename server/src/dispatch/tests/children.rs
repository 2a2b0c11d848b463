//! Workflows that call others: one run for each call, through crashes; what it gives, and how it fails.

use super::{World, output, post, set};
use crate::dispatch::{Accepted, Engine, RunChange};
use serde_json::json;
use sqlx::PgPool;
use towpath_engine::{
    Json,
    ids::{RunId, WorkflowId},
    record::EndState,
};

fn called() -> Json {
    let inputs = json!([{ "name": "amount", "label": "Amount", "kind": "number", "required": true }]);
    json!({ "use": "called", "input": { "inputs": inputs } })
}

fn call(workflow: WorkflowId, inputs: Json) -> Json {
    json!({ "id": "call", "use": "call_workflow", "input": { "workflow": workflow.to_string(), "inputs": inputs } })
}

fn answer(value: &str) -> Json {
    json!({ "id": "give", "use": "respond", "input": { "status": 200, "kind": "json", "json": value } })
}

async fn start(world: &World, engine: &Engine, workflow: WorkflowId) -> RunId {
    match engine.accept(world.event(workflow, json!({ "amount": 20 }))).await.unwrap() {
        Accepted::New(run) => run,
        Accepted::Duplicate(run) => panic!("{run} is not new"),
    }
}

async fn runs_of(world: &World, workflow: WorkflowId) -> Vec<RunId> {
    let ids = sqlx::query_scalar!("select id from run where workflow_id = $1 order by id", workflow.0);
    ids.fetch_all(&world.pool).await.unwrap().into_iter().map(RunId::from).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_called_workflow_gives_its_answer_whether_it_is_pure_or_waits_for_others(pool: PgPool) {
    let world = World::new(pool).await;
    let pure = world.publish_with(called(), json!([answer("{{ trigger.body.amount * 2 }}")])).await;
    let calls_out = world.publish_with(called(), json!([post("charge", true), answer("{{ trigger.body }}")])).await;
    let engine = world.start().await;
    for (callee, expected) in [(pure, json!(40)), (calls_out, json!({ "amount": 20, "tags": ["a", "b"] }))] {
        let inputs = json!({ "amount": "{{ trigger.body.amount }}", "tags": "{{ ['a', 'b'] }}" });
        let caller = world.publish(json!([call(callee, inputs), set("got", json!({ "it": "{{ steps.call.answer }}" }))])).await;
        let run = start(&world, &engine, caller).await;
        let end = world.end(run).await;
        assert_eq!(end.state, EndState::Succeeded, "{end:?}");
        let history = world.history(run).await;
        assert_eq!(output(&history, "got").unwrap()["it"], expected);
        let children = runs_of(&world, callee).await;
        assert_eq!(output(&history, "call").unwrap()["run"], json!(children[0]));
        assert_eq!(children.len(), 1);
    }
    assert_eq!(world.count("wait").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_caller_waits_through_a_crash_and_its_call_is_one_run(pool: PgPool) {
    let world = World::new(pool).await;
    let slow = json!({ "id": "sleep", "use": "delay", "input": { "for": "1h" } });
    let callee = world.publish_with(called(), json!([slow, answer("done")])).await;
    let caller = world.publish(json!([call(callee, json!({ "amount": 1 }))])).await;
    let engine = world.start().await;
    let run = start(&world, &engine, caller).await;
    assert_eq!(world.sleeps(run).await, "call");
    engine.crash().await;
    world.pass(chrono::TimeDelta::hours(2));
    let engine = world.start().await;
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert_eq!(output(&world.history(run).await, "call").unwrap()["answer"], "done");
    assert_eq!(runs_of(&world, callee).await.len(), 1);
    drop(engine);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_call_fails_with_the_called_run_and_says_why_it_could_not_be_made(pool: PgPool) {
    let world = World::new(pool).await;
    let stop = json!({ "id": "stop", "use": "stop", "input": { "outcome": "failed", "reason": "No such order." } });
    let fails = world.publish_with(called(), json!([stop])).await;
    let not_called = world.publish(json!([])).await;
    let engine = world.start().await;
    let table = [
        (call(fails, json!({ "amount": 1 })), "The called workflow failed: No such order."),
        (call(fails, json!({})), "amount: Please fill this in."),
        (call(fails, json!({ "amount": "many" })), "is not a number"),
        (call(not_called, json!({})), "does not start when another workflow calls it"),
        (call(WorkflowId::new(), json!({})), "was deleted"),
    ];
    for (step, expected) in table {
        let caller = world.publish(json!([step])).await;
        let run = start(&world, &engine, caller).await;
        let end = world.end(run).await;
        let message = end.error.map(|failed| failed.error.message).unwrap_or_default();
        assert!(end.state == EndState::Failed && message.contains(expected), "{message}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn cancelling_a_caller_cancels_what_it_waits_for_and_calls_go_only_so_deep(pool: PgPool) {
    let world = World::new(pool).await;
    let slow = json!({ "id": "sleep", "use": "delay", "input": { "for": "1h" } });
    let callee = world.publish_with(called(), json!([slow])).await;
    let caller = world.publish(json!([call(callee, json!({ "amount": 1 }))])).await;
    let engine = world.start().await;
    let run = start(&world, &engine, caller).await;
    world.sleeps(run).await;
    assert_eq!(engine.cancel(world.workspace, run, "Ada").await.unwrap(), RunChange::Done);
    assert_eq!(world.end(runs_of(&world, callee).await[0]).await.state, EndState::Cancelled);

    // One that calls itself, by its name.
    let again =
        json!({ "id": "call", "use": "call_workflow", "input": { "workflow": "Round and round", "inputs": { "amount": 1 } } });
    let round = world.publish_with(called(), json!([again.clone()])).await;
    sqlx::query!("update workflow set name = 'Round and round' where id = $1", round.0).execute(&world.pool).await.unwrap();
    let first = world.publish(json!([again])).await;
    let run = start(&world, &engine, first).await;
    let end = world.end(run).await;
    assert!(end.error.unwrap().error.message.contains("25 deep"));
    assert_eq!(runs_of(&world, round).await.len(), 25);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_call_that_nobody_waits_for_is_done_at_once_and_calls_go_side_by_side(pool: PgPool) {
    let world = World::new(pool).await;
    let callee = world.publish_with(called(), json!([answer("{{ trigger.body.amount }}")])).await;
    let mut unawaited = call(callee, json!({ "amount": 7 }));
    unawaited["input"]["wait"] = false.into();
    let each = json!({ "id": "each", "use": "for_each", "input": { "list": "{{ trigger.body.list }}", "at_once": 5 },
        "body": { "steps": [call(callee, json!({ "amount": "{{ item }}" }))] } });
    let caller = world.publish(json!([unawaited, { "id": "all", "use": "set", "input": { "fields": { "x": 1 } } }])).await;
    let engine = world.start().await;
    let run = start(&world, &engine, caller).await;
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    assert!(output(&world.history(run).await, "call").unwrap().get("answer").is_none());

    let caller = world.publish(json!([each, set("got", json!({ "items": "{{ steps.each.items }}" }))])).await;
    let list: Vec<u32> = (0..20).collect();
    let Accepted::New(run) = engine.accept(world.event(caller, json!({ "list": list }))).await.unwrap() else {
        panic!("it is new")
    };
    assert_eq!(world.end(run).await.state, EndState::Succeeded);
    let got = output(&world.history(run).await, "got").unwrap();
    let answers: Vec<_> = got["items"].as_array().unwrap().iter().map(|item| item["answer"].clone()).collect();
    assert_eq!(json!(answers), json!(list), "each has its own, in order");
}
