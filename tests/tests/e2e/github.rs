//! What GitHub really sends: every example of `@octokit/webhooks-examples`, signed as GitHub signs, in both content types.

use crate::first_run::ended;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{collections::HashMap, path::Path, time::Duration};
use towpath_tests::{Receiver, TestApp, until};

const SECRET: &str = "It's a Secret to Everybody";

/// Event name and payload of every example.
fn examples() -> Vec<(String, Value)> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/node_modules/@octokit/webhooks-examples/api.github.com/index.json");
    let text =
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; run: npm ci --prefix tests/browser", path.display()));
    let events: Vec<Value> = serde_json::from_str(&text).expect("the package holds JSON");
    let named = |event: &Value| event["name"].as_str().expect("an event has a name").to_owned();
    events
        .iter()
        .flat_map(|event| {
            event["examples"].as_array().expect("examples").iter().map(move |example| (named(event), example.clone()))
        })
        .collect()
}

fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The sentence that the workflow is to build from an event.
fn sentence(event: &str, payload: &Value) -> String {
    let who = payload["sender"]["login"].as_str().unwrap_or("somebody");
    match event {
        "push" => format!("{who} pushed to {}", payload["ref"].as_str().expect("a push has a ref")),
        "issues" => format!(
            "{who} {} #{} {}",
            payload["action"].as_str().expect("an action"),
            payload["issue"]["number"],
            payload["issue"]["title"].as_str().expect("a title")
        ),
        "pull_request" => format!("{who} {} pull request #{}", payload["action"].as_str().expect("an action"), payload["number"]),
        other => format!("{who}: {other}"),
    }
}

fn workflow(receiver: &Receiver) -> Value {
    let case = |event: &str, text: &str| {
        json!({
            "title": event,
            "if": { "all": [ { "value": "{{ trigger.headers['x-github-event'] }}", "is": "equals", "to": event } ] },
            "steps": [ { "id": format!("say_{event}"), "use": "set", "input": { "fields": { "text": text } } } ]
        })
    };
    let who = "{{ trigger.body.sender.login | default('somebody') }}";
    json!({
        "name": "GitHub",
        "trigger": { "use": "webhook", "input": { "methods": ["POST"], "auth": "hmac", "preset": "github", "delivery_header": "X-GitHub-Delivery" } },
        "steps": [
            { "id": "which", "use": "branch",
              "cases": [
                case("push", &format!("{who} pushed to {{{{ trigger.body.ref }}}}")),
                case("issues", &format!("{who} {{{{ trigger.body.action }}}} #{{{{ trigger.body.issue.number }}}} {{{{ trigger.body.issue.title }}}}")),
                case("pull_request", &format!("{who} {{{{ trigger.body.action }}}} pull request #{{{{ trigger.body.number }}}}")),
              ],
              "otherwise": { "steps": [ { "id": "say", "use": "set", "input": { "fields": { "text": format!("{who}: {{{{ trigger.headers['x-github-event'] }}}}") } } } ] } },
            { "id": "tell", "use": "http.request", "input": { "method": "POST", "url": format!("{}/said", receiver.url), "keyed": true, "body_kind": "json",
              "json": {
                "delivery": "{{ trigger.headers['x-github-delivery'] }}",
                "text": "{{ steps.say_push.text | default(steps.say_issues.text | default(steps.say_pull_request.text | default(steps.say.text))) }}"
              } } }
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_github_is_verified_branched_and_told_once() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let owner = app.owner().await;
    let draft = owner.draft(&workflow(&receiver)).await;
    let secret = owner.put(&format!("/api/v1/workflows/{}/trigger/secret", draft.id), &json!({ "secret": SECRET })).await;
    assert!(secret.status().is_success(), "{}", secret.text().await.unwrap_or_default());
    owner.done(&format!("/api/v1/workflows/{}/publish", draft.id), &json!({})).await;

    let http = reqwest::Client::new();
    let mut expected = HashMap::new();
    for (index, (event, payload)) in examples().into_iter().enumerate() {
        let json = payload.to_string();
        let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &json).finish();
        for (kind, content_type, body) in
            [("json", "application/json", json.clone()), ("form", "application/x-www-form-urlencoded", form)]
        {
            let delivery = format!("{event}-{index}-{kind}");
            let send = |body: String, signature: String| {
                http.post(draft.hook())
                    .header("content-type", content_type)
                    .header("x-github-event", &event)
                    .header("x-github-delivery", &delivery)
                    .header("x-hub-signature-256", signature)
                    .body(body)
                    .send()
            };
            let answer = send(body.clone(), sign(body.as_bytes())).await.unwrap();
            assert_eq!(answer.status(), 202, "{delivery}");
            if index % 40 == 0 {
                let again: Value = send(body.clone(), sign(body.as_bytes())).await.unwrap().json().await.unwrap();
                assert_eq!(again["duplicate"], true, "the same delivery again starts nothing: {again}");
                let mut tampered = body.clone().into_bytes();
                let middle = tampered.len() / 2;
                tampered[middle] ^= 1;
                let tampered = String::from_utf8(tampered).unwrap();
                let refused = send(tampered, sign(body.as_bytes())).await.unwrap();
                assert_eq!(refused.status(), 404, "a tampered body is refused like an unknown address");
            }
            expected.insert(delivery, sentence(&event, &payload));
        }
    }
    assert!(expected.len() > 600, "the package holds hundreds of examples");

    let database = app.database().await;
    until("every run has ended", Duration::from_secs(60), || async {
        let ended: i64 = sqlx::query_scalar("select count(*) from run_end").fetch_one(&database).await.unwrap();
        (ended == expected.len() as i64).then_some(())
    })
    .await;
    if let Some(failed) = sqlx::query_scalar::<_, uuid::Uuid>("select id from run_end where state <> 1 limit 1")
        .fetch_optional(&database)
        .await
        .unwrap()
    {
        panic!("a run failed: {}", ended(&owner, &failed.to_string()).await);
    }
    let said: Vec<(String, String)> = receiver
        .arrived()
        .iter()
        .map(|it| it.json())
        .map(|it| (it["delivery"].as_str().unwrap().to_owned(), it["text"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(said.len(), expected.len(), "once per delivery");
    for (delivery, text) in said {
        assert_eq!(expected.get(&delivery), Some(&text), "{delivery}");
    }
}
