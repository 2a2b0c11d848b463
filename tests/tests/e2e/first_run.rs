//! From an empty database to a workflow that runs on real events.

use serde_json::{Value, json};
use std::time::Duration;
use towpath_tests::{Draft, Person, Receiver, TestApp, until};

const SOON: Duration = Duration::from_secs(20);

/// Waits until the run has ended and returns it.
pub async fn ended(person: &Person, run: &str) -> Value {
    until("the run has ended", SOON, || async {
        let run = person.json(&format!("/api/v1/runs/{run}")).await;
        (!matches!(run["state"].as_str(), Some("running" | "waiting"))).then_some(run)
    })
    .await
}

/// Sends JSON to a webhook and returns the id of the run that the 2xx promises.
pub async fn send(draft: &Draft, body: &Value) -> String {
    let answer = reqwest::Client::new().post(draft.hook()).json(body).send().await.expect("the server answers");
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.expect("JSON");
    answer["run"].as_str().unwrap_or_else(|| panic!("an accepted event names its run: {answer}")).to_owned()
}

pub fn step<'a>(run: &'a Value, path: &str) -> &'a Value {
    run["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|step| step["path"] == path)
        .unwrap_or_else(|| panic!("no step {path}: {run}"))
}

fn order_workflow(receiver: &Receiver) -> Value {
    json!({
        "name": "New order",
        "trigger": { "use": "webhook", "input": { "methods": ["POST"], "respond": "at_once" } },
        "steps": [
            { "id": "total", "use": "set", "input": { "fields": { "total": "{{ trigger.body.total | number }}", "who": "{{ trigger.body.customer.name }}" } } },
            { "id": "big", "use": "branch",
              "cases": [ { "title": "over 100", "if": { "all": [ { "value": "{{ steps.total.total }}", "is": "greater_than", "to": 100 } ] },
                "steps": [ { "id": "post", "use": "http.request", "input": { "method": "POST", "url": format!("{}/orders", receiver.url),
                             "body_kind": "json", "json": { "text": "{{ steps.total.who }} ordered for {{ steps.total.total }}", "total": "{{ steps.total.total }}" } } } ] } ],
              "otherwise": { "steps": [] } },
            { "id": "done", "use": "set", "input": { "fields": { "status": "{{ steps.post.status | default(0) }}" } } }
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_webhook_runs_its_branch_and_calls_out() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let owner = app.owner().await;
    let order = owner.publish(&order_workflow(&receiver)).await;

    let run = send(&order, &json!({ "total": "299.5", "customer": { "name": "Ada" } })).await;
    let run = ended(&owner, &run).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let arrived = receiver.wait_for(1, SOON).await;
    assert_eq!(arrived[0].json(), json!({ "text": "Ada ordered for 299.5", "total": 299.5 }));

    let small = send(&order, &json!({ "total": 99, "customer": { "name": "Bob" } })).await;
    let small = ended(&owner, &small).await;
    assert_eq!(small["state"], "succeeded");
    assert!(step(&small, "post")["label"].as_str().unwrap().starts_with("skipped"), "{small}");
    assert_eq!(receiver.arrived().len(), 1, "the other case calls nobody");

    // A program reads as much of it as a person does.
    let at = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    assert_eq!(
        owner.json(&format!("{at}/event")).await["trigger"]["body"],
        json!({ "total": "299.5", "customer": { "name": "Ada" } })
    );
    let attempts = owner.json(&format!("{at}/attempts")).await;
    let steps: Vec<&str> = attempts["items"].as_array().unwrap().iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert!(steps.contains(&"post") && steps.contains(&"done") && attempts["next"].is_null(), "{attempts}");
    let post = &owner.json(&format!("{at}/attempts?step=post&limit=1")).await["items"][0];
    assert_eq!(
        (&post["state"], &post["attempt"], &post["output"]["status"]),
        (&json!("succeeded"), &json!(1), &json!(200)),
        "{post}"
    );
    assert!(post["request"]["url"].as_str().unwrap().ends_with("/orders") && post["error"].is_null(), "{post}");
    let first = owner.json(&format!("{at}/attempts?limit=1")).await;
    let second = owner.json(&format!("{at}/attempts?limit=1&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!(second["items"][0]["step"], steps[1]);

    let page = owner.get(&format!("/runs/{}", run["id"].as_str().unwrap())).await.text().await.unwrap();
    assert!(page.contains("Ada ordered for 299.5") && page.contains("succeeded"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_webhook_answers_with_what_respond_says() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let draft = owner
        .publish(&json!({
            "name": "Echo",
            "trigger": { "use": "webhook", "input": { "methods": ["POST"], "respond": "when_done" } },
            "steps": [
                { "id": "answer", "use": "respond", "input": { "status": 201, "kind": "json", "json": { "hello": "{{ trigger.body.name }}" }, "headers": { "x-hint": "yes" } } }
            ]
        }))
        .await;
    let http = reqwest::Client::new();
    let send = || http.post(draft.hook()).header("idempotency-key", "one").json(&json!({ "name": "Ada" })).send();
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-hint"], "yes");
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "hello": "Ada" }));
    let again = send().await.unwrap();
    assert_eq!(
        (again.status().as_u16(), again.json::<Value>().await.unwrap()),
        (201, json!({ "hello": "Ada" })),
        "a duplicate gets the first run's answer"
    );
    let stored: i64 = sqlx::query_scalar("select count(*) from run").fetch_one(&app.database().await).await.unwrap();
    assert_eq!(stored, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_for_an_unpublished_or_paused_workflow_is_parked_and_can_be_replayed() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let draft = owner
        .draft(&json!({ "name": "Later", "trigger": { "use": "webhook" }, "steps": [ { "id": "keep", "use": "set", "input": { "fields": { "n": "{{ trigger.body.n }}" } } } ] }))
        .await;
    let http = reqwest::Client::new();
    let park = |n: i64| http.post(draft.hook()).json(&json!({ "n": n })).send();
    let answer = park(1).await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.json::<Value>().await.unwrap()["status"], "parked");

    owner.done(&format!("/api/v1/workflows/{}/publish", draft.id), &json!({})).await;
    let run = send(&draft, &json!({ "n": 2 })).await;
    assert_eq!(ended(&owner, &run).await["state"], "succeeded");
    owner.done(&format!("/api/v1/workflows/{}/pause", draft.id), &json!({})).await;
    assert_eq!(park(3).await.unwrap().json::<Value>().await.unwrap()["status"], "parked");

    owner.done(&format!("/api/v1/workflows/{}/resume", draft.id), &json!({})).await;
    let trigger = owner.json(&format!("/api/v1/workflows/{}/trigger", draft.id)).await;
    assert_eq!(trigger["parked"]["count"], 2, "publishing and resuming run nothing by themselves: {trigger}");
    owner.done(&format!("/api/v1/workflows/{}/trigger/parked/replay", draft.id), &json!({})).await;
    let database = app.database().await;
    until("three runs have ended", SOON, || async {
        let ended: i64 = sqlx::query_scalar("select count(*) from run_end where state = 1").fetch_one(&database).await.unwrap();
        (ended == 3).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_says_why_and_can_be_replayed() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let receiver = Receiver::answering(|_, before| {
        towpath_tests::receiver::Reply::Json(if before == 0 { 404 } else { 200 }, json!({ "sorry": before == 0 }))
    })
    .await;
    let draft = owner
        .publish(&json!({
            "name": "Fails once", "trigger": { "use": "webhook" },
            "steps": [ { "id": "call", "use": "http.request", "input": { "method": "POST", "url": format!("{}/x", receiver.url), "body_kind": "none" } } ]
        }))
        .await;
    let run = send(&draft, &json!({})).await;
    let failed = ended(&owner, &run).await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["reason"].as_str().unwrap().contains("404"), "{failed}");
    let list = owner.get("/runs?state=failed").await.text().await.unwrap();
    assert!(list.contains("Fails once") && list.contains("404"), "the list says why: {list}");

    let answer = owner.done(&format!("/api/v1/runs/{run}/replay"), &json!({})).await;
    let replayed = ended(&owner, answer["run"].as_str().unwrap()).await;
    assert_eq!((replayed["state"].as_str(), replayed["replay_of"].as_str()), (Some("succeeded"), Some(run.as_str())));
    let keys = receiver.arrived();
    assert_ne!(keys[0].key(), keys[1].key(), "a replay is a new effect with a new key");
}
