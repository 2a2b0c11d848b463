//! What operators see: metrics, logs, `doctor`, `healthcheck`.

use crate::first_run::{ended, send};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_tests::{Receiver, Reply, Settings, TestApp, free_port, until};

/// The value of a line of a scrape.
fn value(page: &str, name: &str) -> f64 {
    page.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or_else(|| panic!("{name} is missing in\n{page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happens_on_a_listener_of_their_own() {
    let port = free_port();
    let app = TestApp::start_with(Settings::default().set("TOWPATH_METRICS_LISTEN", format!("127.0.0.1:{port}"))).await;
    let owner = app.owner().await;
    let receiver = Receiver::answering(|_, before| match before {
        0 => Reply::With(axum::response::IntoResponse::into_response((
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "0")],
        ))),
        _ => Reply::Json(200, json!({ "ok": true })),
    })
    .await;
    let hook = owner
        .publish(&json!({
            "name": "Counted",
            "trigger": { "use": "webhook", "input": { "methods": ["POST"], "respond": "at_once" } },
            "steps": [ { "id": "call", "use": "http.request", "input": { "method": "POST", "url": format!("{}/x", receiver.url) } } ]
        }))
        .await;
    let inside = owner
        .publish(&json!({
            "name": "Blocked",
            "trigger": { "use": "webhook", "input": { "methods": ["POST"], "respond": "at_once" } },
            "steps": [ { "id": "call", "use": "http.request", "input": { "method": "GET", "url": "http://169.254.169.254/latest" } } ]
        }))
        .await;
    let run = send(&hook, &json!({})).await;
    assert_eq!(ended(&owner, &run).await["state"], "succeeded");
    let run = send(&inside, &json!({})).await;
    assert_eq!(ended(&owner, &run).await["state"], "failed");
    assert_eq!(reqwest::get(format!("{}/api/v1/workflows/{}", app.url, hook.id)).await.expect("it answers").status(), 401);

    let url = format!("http://127.0.0.1:{port}/metrics");
    let page = until("everything is counted", Duration::from_secs(10), || async {
        let page = reqwest::get(&url).await.ok()?.text().await.ok()?;
        (value(&page, "towpath_runs_ended_total{state=\"failed\"}") == 1.0).then_some(page)
    })
    .await;
    for (name, expected) in [
        ("towpath_events_accepted_total{kind=\"webhook\"}", 2.0),
        ("towpath_runs_started_total", 2.0),
        ("towpath_runs_ended_total{state=\"succeeded\"}", 1.0),
        ("towpath_accept_seconds_count", 2.0),
        ("towpath_start_lag_seconds_count", 2.0),
        ("towpath_step_retries_total", 1.0),
        ("towpath_outbound_calls_total{status=\"4xx\"}", 1.0),
        ("towpath_outbound_calls_total{status=\"2xx\"}", 1.0),
        ("towpath_blocked_calls_total", 1.0),
        ("towpath_denied_total{reason=\"not_signed_in\"}", 1.0),
        ("towpath_ready", 1.0),
        ("towpath_queue_depth", 0.0),
        ("towpath_runnable_runs", 0.0),
        ("towpath_waiting_runs", 0.0),
    ] {
        assert_eq!(value(&page, name), expected, "{name} in\n{page}");
    }
    assert!(value(&page, "towpath_commit_operations_count") >= 3.0 && value(&page, "towpath_pool_connections") >= 1.0);
    assert!(page.contains("towpath_step_seconds_count{connector=\"http\",outcome=\"succeeded\"}"), "{page}");
    for secret in [hook.id.as_str(), "Counted", "127.0.0.1", "ada@example.com"] {
        assert!(!page.contains(secret), "{secret} is no label");
    }
    let public = reqwest::get(format!("{}/metrics", app.url)).await.expect("it answers");
    assert!(!public.text().await.expect("a body").contains("towpath_ready"), "not for everybody who reaches the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_with_the_request_s_number_and_workspace() {
    let app = TestApp::start_with(Settings::default().set("TOWPATH_LOG", "info,towpath_server::edge=debug,json")).await;
    let owner = app.owner().await;
    let answer = owner.get("/workflows").await;
    let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
    let line = until("the answer is in the log", Duration::from_secs(10), || async {
        app.log().lines().find(|line| line.contains(&id) && line.contains("answered")).map(str::to_owned)
    })
    .await;
    let line: Value = serde_json::from_str(&line).expect("a line is JSON");
    assert_eq!(
        (&line["status"], &line["span"]["method"], &line["span"]["path"]),
        (&json!(200), &json!("GET"), &json!("/workflows"))
    );
    assert!(line["span"]["workspace"].as_str().is_some_and(|workspace| workspace.len() == 36), "{line}");
    assert_eq!(line["span"]["id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_and_healthcheck_say_how_it_is() {
    let app = TestApp::start().await;
    app.owner().await;
    let (done, said) = app.cli(&["healthcheck"], "");
    assert!(done, "{said}");
    let (_, said) = app.cli(&["doctor"], "");
    for part in [
        "It runs and answers",
        "is there.",
        "PostgreSQL",
        "Schema",
        "It is this version's",
        "No public address is set",
        "agree on the time",
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    // The tests' own PostgreSQL runs without fsync, and that is said to be broken.
    let (done, said) = app.cli(&["doctor"], "");
    assert!(!done && said.contains("fsync is off"), "{said}");
    app.stop();
    let (done, said) = app.cli(&["healthcheck"], "");
    assert!(!done && said.contains("Nothing answers on"), "{said}");
}
