//! Webhooks from the outside: what a caller hears, what is on disk then, and what the owner sees.

use crate::{
    house::House,
    trigger::{JSON, Placed, ask, body, call, place, view},
};
use axum::http::{Method, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};

fn set() -> Value {
    json!([{ "id": "total", "use": "set", "input": { "fields": { "doubled": "{{ trigger.body.total }}" } } }])
}

#[sqlx::test(migrations = "../migrations")]
async fn an_event_is_on_disk_when_its_sender_hears_202_and_a_repeat_gets_the_same_run(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({}), set(), "published").await;
    let send = async |id: &str| {
        call(&house, Method::POST, &hook.path, &[JSON, ("webhook-id", id)], r#"{"total": 9007199254740993}"#).await
    };
    let first = send("a").await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    assert_eq!(hook.runs(&house).await, 1);
    let again = send("a").await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(body(&again), json!({ "run": body(&first)["run"], "duplicate": true }));
    assert_eq!(send("b").await.status, StatusCode::ACCEPTED);
    assert_eq!(hook.runs(&house).await, 2);
    assert_eq!(hook.refusals(&house, &owner, 1).await, ["duplicate"]);
    let value = hook.last_value(&house, &owner).await;
    assert_eq!(value["raw"], r#"{"total": 9007199254740993}"#);
    assert_eq!(value["body"]["total"].to_string(), "9007199254740993");
    assert_eq!((&value["method"], &value["headers"]["webhook-id"]), (&json!("POST"), &json!("b")));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_arrives_before_publishing_is_a_sample_and_runs_only_when_it_is_replayed(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({}), set(), "draft").await;
    for total in 1..=2 {
        let answer = call(&house, Method::POST, &hook.path, &[JSON], format!("{{\"total\":{total}}}")).await;
        assert_eq!((answer.status, body(&answer)), (StatusCode::ACCEPTED, json!({ "status": "parked" })));
    }
    let card = view(&house, &owner, &hook).await;
    assert_eq!((&card["parked"]["count"], &card["samples"][0]["value"]["body"]["total"]), (&json!(2), &json!(2)));
    assert_eq!(ask(&house, &owner, Method::POST, &hook.api("/trigger/parked/replay"), None).await.status, StatusCode::CONFLICT);

    hook.publish(&house).await;
    assert_eq!(call(&house, Method::POST, &hook.path, &[JSON], "{}").await.status, StatusCode::ACCEPTED);
    assert_eq!(hook.runs(&house).await, 1, "publishing runs nothing by itself");
    let replayed = ask(&house, &owner, Method::POST, &hook.api("/trigger/parked/replay"), None).await;
    assert_eq!(body(&replayed), json!({ "started": 2, "unreadable": 0, "cut": false }));
    assert_eq!(hook.runs(&house).await, 3);
    let replayed = ask(&house, &owner, Method::POST, &hook.api("/trigger/parked/replay"), None).await;
    assert_eq!(body(&replayed)["started"], 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_paused_workflow_keeps_what_arrives_and_the_change_counts_at_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({}), set(), "published").await;
    for (state, status) in [("published", false), ("paused", true), ("published", false)] {
        hook.set_state(&house, state).await;
        let answer = call(&house, Method::POST, &hook.path, &[JSON], "{}").await;
        assert_eq!(body(&answer)["status"] == "parked", status, "{state}: {}", answer.body);
    }
    assert_eq!((hook.runs(&house).await, &view(&house, &owner, &hook).await["parked"]["count"]), (2, &json!(1)));
}

async fn set_secret(house: &House, hook: &Placed, owner: &crate::house::Browser, secret: &str) {
    let answer = ask(house, owner, Method::PUT, &hook.api("/trigger/secret"), Some(json!({ "secret": secret }))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(!answer.body.contains(secret));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_token_and_an_unknown_address_hear_the_same(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({ "auth": "header", "header_name": "X-Token" }), set(), "published").await;
    let unknown = format!("/hooks/{}", uuid::Uuid::new_v4());
    let post = async |path: &str, token: &str| call(&house, Method::POST, path, &[JSON, ("x-token", token)], "{}").await;
    let said = |mut value: Value| {
        value.as_object_mut().unwrap().remove("request").expect("the number under which the log has it");
        value
    };
    let nobody = post(&unknown, "x").await;
    // Without a secret nobody is let in; then only who has it.
    let unset = post(&hook.path, "").await;
    set_secret(&house, &hook, &owner, "open sesame 4f2a").await;
    let wrong = post(&hook.path, "open sesame 4f2b").await;
    for answer in [&unset, &wrong] {
        assert_eq!((answer.status, said(body(answer))), (nobody.status, said(body(&nobody))));
    }
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert_eq!(hook.runs(&house).await, 0);
    assert_eq!(post(&hook.path, "open sesame 4f2a").await.status, StatusCode::ACCEPTED);
    let mut reasons = hook.refusals(&house, &owner, 2).await;
    reasons.sort();
    assert_eq!(reasons, ["credentials", "not_set_up"]);
    let card = view(&house, &owner, &hook).await;
    assert_eq!(card["secret"], json!({ "hint": "4f2a" }));
    assert!(!card.to_string().contains("sesame"));
    assert!(hook.last_value(&house, &owner).await["headers"].get("x-token").is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_signed_delivery_passes_and_a_tampered_one_starts_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({ "auth": "hmac", "preset": "github" }), set(), "published").await;
    set_secret(&house, &hook, &owner, "It's a Secret to Everybody").await;
    let payload = r#"{"action":"opened"}"#;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"It's a Secret to Everybody").unwrap();
    mac.update(payload.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let send = async |payload: &str, signature: &str| {
        let headers = [JSON, ("x-hub-signature-256", signature), ("x-github-delivery", "d-1")];
        call(&house, Method::POST, &hook.path, &headers, payload.to_owned()).await.status
    };
    assert_eq!(send(&payload.replace("opened", "closed"), &signature).await, StatusCode::NOT_FOUND);
    assert_eq!(send(payload, "sha256=00").await, StatusCode::NOT_FOUND);
    assert_eq!(hook.runs(&house).await, 0);
    assert_eq!(send(payload, &signature).await, StatusCode::ACCEPTED);
    assert_eq!(send(payload, &signature).await, StatusCode::OK, "GitHub sent the same delivery again");
    assert_eq!(hook.runs(&house).await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_address_keeps_the_secret_and_the_old_one_leads_nowhere(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({ "auth": "header", "header_name": "X-Token" }), set(), "published").await;
    set_secret(&house, &hook, &owner, "a token for callers").await;
    let send =
        async |path: &str| call(&house, Method::POST, path, &[JSON, ("x-token", "a token for callers")], "{}").await.status;
    assert_eq!(send(&hook.path).await, StatusCode::ACCEPTED);
    let rotated = body(&ask(&house, &owner, Method::POST, &hook.api("/trigger/rotate"), None).await);
    let url = rotated["url"].as_str().unwrap();
    assert_eq!(send(&hook.path).await, StatusCode::NOT_FOUND);
    assert_eq!(send(url.strip_prefix("http://localhost").unwrap()).await, StatusCode::ACCEPTED);
    assert_eq!(view(&house, &owner, &hook).await["url"], url);
}

#[sqlx::test(migrations = "../migrations")]
async fn bad_input_gets_a_clear_answer_and_the_owner_sees_why(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::with(pool, options, &[("TOWPATH_MAX_BODY", "256KiB")]).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({}), set(), "published").await;
    let post = async |sent: Vec<u8>| call(&house, Method::POST, &hook.path, &[JSON], sent).await;
    let refused = [
        (vec![b'['; 300 * 1024], StatusCode::PAYLOAD_TOO_LARGE, "larger"),
        ("[".repeat(100_000).into_bytes(), StatusCode::BAD_REQUEST, "nested"),
        (b"{\"a\":\n nope}".to_vec(), StatusCode::BAD_REQUEST, "line 2, column"),
        (b"\"\xff\"".to_vec(), StatusCode::BAD_REQUEST, "UTF-8"),
    ];
    for (sent, status, part) in refused {
        let answer = post(sent).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(part), "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(hook.runs(&house).await, 0);
    let mut reasons = hook.refusals(&house, &owner, 4).await;
    reasons.sort();
    assert_eq!(reasons, ["malformed", "malformed", "malformed", "too_large"]);

    let odd = br#"{"nul":"a\u0000b","half":"\ud800","big":123456789012345678901234567890123,"huge":1e400000}"#;
    assert_eq!(post(odd.to_vec()).await.status, StatusCode::ACCEPTED);
    let value = hook.last_value(&house, &owner).await;
    assert_eq!((&value["body"]["nul"], &value["body"]["half"]), (&json!("a\0b"), &json!("\u{fffd}")));
    assert_eq!(value["body"]["big"], "123456789012345678901234567890123");
    assert!(!view(&house, &owner, &hook).await["samples"][0]["notes"].as_array().unwrap().is_empty(), "what was changed is said");
}

#[sqlx::test(migrations = "../migrations")]
async fn only_the_triggers_methods_start_a_run(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let input = json!({ "methods": ["POST", "PUT"], "cors_origins": ["https://shop.example"] });
    let hook = place(&house, "webhook", input, set(), "published").await;
    let send = async |method: Method| call(&house, method, &hook.path, &[("origin", "https://shop.example")], "").await;
    let get = send(Method::GET).await;
    assert_eq!((get.status, &get.headers["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"POST, PUT, OPTIONS".parse().unwrap()));
    assert_eq!(send(Method::HEAD).await.status, StatusCode::NO_CONTENT);
    let preflight = send(Method::OPTIONS).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(hook.runs(&house).await, 0);
    let put = send(Method::PUT).await;
    assert_eq!((put.status, hook.runs(&house).await), (StatusCode::ACCEPTED, 1));
    assert_eq!(put.headers["access-control-allow-origin"], "https://shop.example");
}

#[sqlx::test(migrations = "../migrations")]
async fn callers_from_elsewhere_hear_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let hook = place(&house, "webhook", json!({ "allowed_addresses": ["10.0.0.0/8"] }), set(), "published").await;
    let answer = call(&house, Method::POST, &hook.path, &[JSON, ("x-forwarded-for", "10.0.0.1")], "{}").await;
    assert_eq!((answer.status, hook.runs(&house).await), (StatusCode::NOT_FOUND, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_synchronous_caller_hears_the_workflow_and_never_why_it_failed(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let respond = |input: Value| json!([{ "id": "answer", "use": "respond", "input": input }]);
    let waiting = json!({ "respond": "when_done" });
    let steps = respond(
        json!({ "status": 201, "kind": "json", "json": { "got": "Hi {{ trigger.body.name }}" }, "headers": { "X-A": "1" } }),
    );
    let hook = place(&house, "webhook", waiting.clone(), steps, "published").await;
    let post = async |hook: &Placed, id: &str, sent: &'static str| {
        call(&house, Method::POST, &hook.path, &[JSON, ("webhook-id", id)], sent).await
    };
    let answer = post(&hook, "1", r#"{"name":"Ada"}"#).await;
    assert_eq!((answer.status, body(&answer)), (StatusCode::CREATED, json!({ "got": "Hi Ada" })));
    assert_eq!(answer.headers["x-a"], "1");
    let again = post(&hook, "1", r#"{"name":"Eve"}"#).await;
    assert_eq!((again.status, body(&again)), (StatusCode::CREATED, json!({ "got": "Hi Ada" })), "a repeat gets the first answer");

    let failed = post(&hook, "2", r#"{"secret":"4111"}"#).await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!failed.body.contains("4111") && !failed.body.contains("trigger.body"), "{}", failed.body);

    let html =
        place(&house, "webhook", waiting.clone(), respond(json!({ "kind": "html", "html": "<script>1</script>" })), "published")
            .await;
    let page = post(&html, "1", "{}").await;
    assert_eq!((page.status, page.headers["content-security-policy"].to_str().unwrap()), (StatusCode::OK, "sandbox"));
    let quiet = place(&house, "webhook", waiting, set(), "published").await;
    assert_eq!(post(&quiet, "1", r#"{"total":1}"#).await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "../migrations")]
async fn forms_and_files_of_other_sites_arrive_and_their_visitors_are_sent_on(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let hook = place(&house, "webhook", json!({ "redirect": "https://shop.example/thanks" }), json!([]), "published").await;
    let form =
        call(&house, Method::POST, &hook.path, &[("content-type", "application/x-www-form-urlencoded")], "a=1&b=%C3%A9").await;
    assert_eq!((form.status, form.location()), (StatusCode::SEE_OTHER, "https://shop.example/thanks"));
    assert_eq!(hook.last_value(&house, &owner).await["body"], json!({ "a": "1", "b": "é" }));
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n--b\r\nContent-Disposition: form-data; name=\"doc\"; \
                     filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n";
    let sent = call(&house, Method::POST, &hook.path, &[("content-type", "multipart/form-data; boundary=b")], multipart).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let value = hook.last_value(&house, &owner).await;
    assert_eq!(
        (&value["body"]["note"], &value["body"]["doc"]["name"], &value["body"]["doc"]["size"]),
        (&json!("hi"), &json!("a.txt"), &json!(5))
    );
    assert!(value["body"]["doc"]["$file"].is_string());
}
