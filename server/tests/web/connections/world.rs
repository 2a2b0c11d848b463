//! Words for these tests: JSON calls, connections, workflows that are built, published, run and waited for.

use crate::house::{Answer, Browser, House};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::time::{Duration, Instant};

/// The longest that a test waits for what it expects.
const BOUND: Duration = Duration::from_secs(30);

/// A house whose workflows may call this machine.
pub async fn house(pool: PgPoolOptions, options: PgConnectOptions) -> House {
    House::with(pool, options, &[("TOWPATH_EGRESS_ALLOW", "127.0.0.0/8")]).await
}

/// Calls the API.
pub async fn call(house: &House, browser: &Browser, method: Method, path: &str, body: Value) -> Answer {
    let request = browser
        .request(method, path)
        .header(header::ORIGIN, "http://localhost")
        .header("x-csrf-token", &browser.csrf)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json");
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// Calls the API, which agrees.
#[track_caller]
pub fn agreed(answer: Answer) -> Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
    serde_json::from_str(&answer.body).unwrap_or(Value::Null)
}

/// Makes a connection and answers with its id.
pub async fn connect(house: &House, browser: &Browser, connection: Value) -> String {
    let made = agreed(call(house, browser, Method::POST, "/api/v1/connections", connection).await);
    made["id"].as_str().unwrap().to_owned()
}

/// A bearer connection for one host.
pub async fn bearer(house: &House, browser: &Browser, name: &str, token: &str, host: &str, sharing: &str) -> String {
    let new = json!({
        "connector": "http", "auth": "bearer", "name": name, "fields": { "token": token }, "hosts": [host], "sharing": sharing
    });
    connect(house, browser, new).await
}

/// A step that calls an address through a connection.
pub fn step(id: &str, url: &str, connection: Option<&str>) -> Value {
    let mut step = json!({ "id": id, "use": "http.request", "input": { "url": url }, "retry": { "attempts": 1 } });
    if let Some(connection) = connection {
        step["connection"] = connection.into();
    }
    step
}

/// A new workflow that is started by hand; answers with its path in the API.
pub async fn workflow(house: &House, browser: &Browser, name: &str) -> String {
    let made = agreed(call(house, browser, Method::POST, "/api/v1/workflows", json!({ "name": name })).await);
    let path = format!("/api/v1/workflows/{}", made["id"].as_str().unwrap());
    agreed(edit(house, browser, &path, json!([{ "op": "set_trigger", "trigger": { "use": "manual" } }])).await);
    path
}

/// Sends edits on the revision that the workflow has.
pub async fn edit(house: &House, browser: &Browser, path: &str, operations: Value) -> Answer {
    let now = agreed(call(house, browser, Method::GET, path, json!({})).await);
    let edit = json!({ "base": now["revision"], "operations": operations });
    call(house, browser, Method::POST, &format!("{path}/edits"), edit).await
}

/// Adds steps at the end.
pub async fn add(house: &House, browser: &Browser, path: &str, steps: &[Value]) -> Answer {
    let operations: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| json!({ "op": "add_step", "at": { "index": index }, "step": step }))
        .collect();
    edit(house, browser, path, json!(operations)).await
}

pub async fn publish(house: &House, browser: &Browser, path: &str) -> Answer {
    call(house, browser, Method::POST, &format!("{path}/publish"), json!({})).await
}

/// Starts a published workflow and waits for its end.
pub async fn run(house: &House, browser: &Browser, path: &str) -> Value {
    let started = agreed(call(house, browser, Method::POST, &format!("{path}/run"), json!({})).await);
    ended(house, browser, started["run"].as_str().unwrap()).await
}

/// A run that has ended.
pub async fn ended(house: &House, browser: &Browser, run: &str) -> Value {
    let begun = Instant::now();
    loop {
        let now = agreed(call(house, browser, Method::GET, &format!("/api/v1/runs/{run}"), json!({})).await);
        if now["ended_at"].is_string() {
            return now;
        }
        assert!(begun.elapsed() < BOUND, "the run did not end: {now:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts a published workflow and waits until a step of it waits for its connection.
pub async fn waiting(house: &House, browser: &Browser, path: &str) -> Value {
    let started = agreed(call(house, browser, Method::POST, &format!("{path}/run"), json!({})).await);
    let run = started["run"].as_str().unwrap();
    let begun = Instant::now();
    loop {
        let now = agreed(call(house, browser, Method::GET, &format!("/api/v1/runs/{run}"), json!({})).await);
        let refused = now["steps"].as_array().unwrap().iter().any(|step| step["waits_for"].is_string());
        if refused && now["state"] == "waiting" {
            return now;
        }
        assert!(now["ended_at"].is_null() && begun.elapsed() < BOUND, "the run does not wait: {now:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a step says went wrong.
pub fn error(run: &Value) -> String {
    run["steps"].as_array().unwrap().iter().filter_map(|step| step["error"].as_str()).collect::<Vec<_>>().join("\n")
}

/// A workflow with one step, published.
pub async fn published(house: &House, browser: &Browser, name: &str, steps: &[Value]) -> String {
    let path = workflow(house, browser, name).await;
    agreed(add(house, browser, &path, steps).await);
    let answer = publish(house, browser, &path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    path
}
