//! What arrives malformed, too large, too deep or too slowly is refused with a clear answer; what is merely odd is kept as it came.

use crate::first_run::{ended, send};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use towpath_tests::{Draft, Person, Receiver, TestApp, receiver::Reply};

async fn forwarding(owner: &Person, receiver: &Receiver) -> Draft {
    owner
        .publish(&json!({
            "name": "Forward", "trigger": { "use": "webhook", "input": { "methods": ["POST"] } },
            "steps": [ { "id": "on", "use": "http.request", "input": { "method": "PUT", "url": format!("{}/on", receiver.url), "body_kind": "json",
                         "json": { "body": "{{ trigger.body }}", "raw": "{{ trigger.raw }}" } } } ]
        }))
        .await
}

async fn post(draft: &Draft, content_type: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let answer = reqwest::Client::new()
        .post(draft.hook())
        .header("content-type", content_type)
        .body(body)
        .send()
        .await
        .expect("an answer");
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bodies_get_a_clear_answer_and_the_server_lives() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let receiver = Receiver::start().await;
    let draft = forwarding(&owner, &receiver).await;

    let (status, text) = post(&draft, "application/json", vec![b' '; (5 << 20) + 1]).await;
    assert_eq!(status, 413, "{text}");
    let (status, text) = post(&draft, "application/json", "[".repeat(100_000)).await;
    assert_eq!(status, 400, "{text}");
    let (status, text) = post(&draft, "application/json", "{\"a\": 1,}").await;
    assert!(status == 400 && text.contains("line 1"), "{status} {text}");
    let (status, text) = post(&draft, "application/json", b"{\"a\": \"\xff\"}".to_vec()).await;
    assert_eq!(status, 400, "{text}");

    let http = reqwest::Client::new();
    let unknown = http.post(format!("{}/hooks/6f1e8f52-6a0e-4f0a-9d37-0d2c7d6d2f11", app.url)).body("{}").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let odd = http.post(format!("{}/hooks/%00", app.url)).body("{}").send().await.unwrap();
    assert_eq!(odd.status(), 404);
    let get = http.get(draft.hook()).send().await.unwrap();
    assert_eq!(get.status(), 405, "a link preview starts nothing");
    let elsewhere = http.get(format!("{}/sign-in", app.url)).header("host", "attacker.example").send().await.unwrap();
    assert_eq!(elsewhere.status(), 421);
    // The page that says so is drawn like any other.
    let page = http.get(format!("{}/sign-in", app.url)).header("host", "attacker.example").header("accept", "text/html").send();
    let page = page.await.unwrap().text().await.unwrap();
    let style = page.split("href=\"").filter_map(|piece| piece.split('"').next()).find(|link| link.contains(".css")).unwrap();
    let drawn = http.get(format!("{}{style}", app.url)).header("host", "attacker.example").send().await.unwrap();
    assert_eq!(drawn.status(), 200, "{style}");

    let refused = owner.json(&format!("/api/v1/workflows/{}/trigger", draft.id)).await;
    assert!(!refused["refusals"].as_array().unwrap().is_empty(), "refusals are listed on the trigger: {refused}");
    let run = send(&draft, &json!({ "still": "alive" })).await;
    assert_eq!(ended(&owner, &run).await["state"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_input_is_kept_as_it_came() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let receiver = Receiver::start().await;
    let draft = forwarding(&owner, &receiver).await;
    let raw = r#"{"big": 9007199254740993, "huge": 123456789012345678901234567890, "null": "a\u0000b", "lone": "\ud800", "deep": [[[1]]]}"#;
    let (status, text) = post(&draft, "application/json", raw).await;
    assert_eq!(status, 202, "{text}");
    let arrived = receiver.wait_for(1, Duration::from_secs(20)).await;
    let got = arrived[0].json();
    assert_eq!(got["raw"], raw, "the raw text goes on unchanged");
    assert_eq!(got["body"]["big"].as_i64(), Some(9_007_199_254_740_993));
    assert_eq!(got["body"]["huge"], "123456789012345678901234567890");
    assert_eq!(got["body"]["null"], "a\0b");
    assert_eq!(got["body"]["lone"], "\u{fffd}");
    let run = serde_json::from_str::<Value>(&text).unwrap()["run"].as_str().unwrap().to_owned();
    let page = owner.get(&format!("/runs/{run}")).await;
    assert_eq!(page.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, reason = "a client of the test, not of the product")]
async fn a_slow_sender_is_cut() {
    let app = TestApp::start().await;
    let mut socket = TcpStream::connect(("127.0.0.1", app.port)).await.unwrap();
    socket.write_all(b"POST /hooks/x HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "headers that never end are cut within 20 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_that_fails_says_where_and_a_private_address_says_which_setting() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let receiver = Receiver::answering(|_, _| Reply::Json(200, json!({}))).await;
    let draft = owner
        .publish(&json!({
            "name": "Wrong field", "trigger": { "use": "webhook" },
            "steps": [ { "id": "bad", "use": "set", "input": { "fields": { "x": "Hello {{ trigger.body.nmae }}" } } } ]
        }))
        .await;
    let run = send(&draft, &json!({ "name": "Ada" })).await;
    let run = ended(&owner, &run).await;
    let said = run["reason"].as_str().unwrap();
    assert!(run["state"] == "failed" && said.contains("nmae") && said.contains("name"), "{said}");

    let private = owner
        .publish(&json!({
            "name": "Inside", "trigger": { "use": "webhook" },
            "steps": [ { "id": "in", "use": "http.request", "input": { "method": "GET", "url": receiver.url.replace("127.0.0.1", "127.0.0.2") } } ]
        }))
        .await;
    let run = send(&private, &json!({})).await;
    let run = ended(&owner, &run).await;
    assert!(
        run["reason"].as_str().unwrap().contains("private") || run["reason"].as_str().unwrap().contains("TOWPATH_EGRESS_ALLOW"),
        "{run}"
    );
    assert!(receiver.arrived().is_empty());
}
