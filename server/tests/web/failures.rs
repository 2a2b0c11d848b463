//! Workflows that start when a run of another one fails.

use crate::{
    house::{Browser, House},
    trigger::{ask, body},
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::ingest::failure::tell;

async fn publish(house: &House, owner: &Browser, name: &str, trigger: &str, step: Value) -> String {
    let document = json!({ "towpath": 1, "name": name, "trigger": { "id": "trigger", "use": trigger }, "steps": [step] });
    let made = ask(house, owner, Method::POST, "/api/v1/workflows", Some(json!({ "document": document }))).await;
    let id = body(&made)["id"].as_str().unwrap().to_owned();
    act(house, owner, &id, "publish").await;
    id
}

async fn act(house: &House, owner: &Browser, id: &str, what: &str) {
    let answer = ask(house, owner, Method::POST, &format!("/api/v1/workflows/{id}/{what}"), Some(json!({}))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

/// Starts a workflow by hand and waits for its end.
async fn run(house: &House, owner: &Browser, id: &str) -> String {
    let started = ask(house, owner, Method::POST, &format!("/api/v1/workflows/{id}/run"), Some(json!({}))).await;
    let run = body(&started)["run"].as_str().unwrap().to_owned();
    ended(house, owner, &run).await;
    run
}

async fn ended(house: &House, owner: &Browser, run: &str) -> Value {
    for _ in 0..1_000 {
        let answer = ask(house, owner, Method::GET, &format!("/api/v1/runs/{run}"), None).await;
        if !body(&answer)["ended_at"].is_null() {
            return body(&answer);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("run {run} did not end");
}

async fn runs_of(house: &House, owner: &Browser, id: &str) -> Vec<Value> {
    let answer = ask(house, owner, Method::GET, &format!("/api/v1/runs?workflow={id}"), None).await;
    body(&answer)["items"].as_array().unwrap().clone()
}

/// The house's clock stands still, the engine's goes: sets the one by the other.
fn set_the_clock(house: &House) {
    house.pass(towpath_server::clock::Clock::system().now() - house.app.clock.now());
}

fn fails() -> Value {
    json!({ "id": "no", "use": "stop", "input": { "outcome": "failed", "reason": "No such order." } })
}

#[sqlx::test(migrations = "../migrations")]
async fn each_failed_run_starts_the_workflow_that_hears_of_failures_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let failing = publish(&house, &owner, "Orders", "manual", fails()).await;
    run(&house, &owner, &failing).await;
    set_the_clock(&house);
    let seen = json!({ "id": "seen", "use": "set", "input": { "fields": { "of": "{{ trigger.body.workflow.name }}: {{ trigger.body.error.message }}" } } });
    let hears = publish(&house, &owner, "Tell somebody", "run_failed", seen).await;
    tell(&house.app).await.unwrap();
    assert_eq!(runs_of(&house, &owner, &hears).await.len(), 0, "what failed before it was published starts nothing");

    let run = run(&house, &owner, &failing).await;
    for _ in 0..3 {
        tell(&house.app).await.unwrap();
    }
    let told = runs_of(&house, &owner, &hears).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["started_by"], "a failed run");
    let told = ended(&house, &owner, told[0]["id"].as_str().unwrap()).await;
    assert_eq!(told["state"], "succeeded", "{told}");
    let page = ask(&house, &owner, Method::GET, &format!("/runs/{}", told["id"].as_str().unwrap()), None).await;
    assert!(page.body.contains("Orders: No such order.") && page.body.contains(&run), "{}", page.body);

    act(&house, &owner, &hears, "pause").await;
    self::run(&house, &owner, &failing).await;
    set_the_clock(&house);
    act(&house, &owner, &hears, "resume").await;
    tell(&house.app).await.unwrap();
    assert_eq!(runs_of(&house, &owner, &hears).await.len(), 1, "what failed while it was paused starts nothing");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_workflow_that_hears_of_failures_and_fails_itself_starts_nobody(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let failing = publish(&house, &owner, "Orders", "manual", fails()).await;
    let one = publish(&house, &owner, "One", "run_failed", fails()).await;
    let two = publish(&house, &owner, "Two", "run_failed", fails()).await;
    run(&house, &owner, &failing).await;
    for _ in 0..3 {
        tell(&house.app).await.unwrap();
        for id in [&one, &two] {
            for run in runs_of(&house, &owner, id).await {
                ended(&house, &owner, run["id"].as_str().unwrap()).await;
            }
        }
    }
    assert_eq!((runs_of(&house, &owner, &one).await.len(), runs_of(&house, &owner, &two).await.len()), (1, 1));
}
