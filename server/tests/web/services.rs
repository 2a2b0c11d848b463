//! What services send: GitHub to an address of the workflow's own, Slack to one address for all.

use crate::{
    house::{Browser, House},
    trigger::{ask, body, call},
};
use axum::http::{Method, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};

struct Placed {
    id: String,
    owner: Browser,
}

impl Placed {
    async fn new(house: &House, owner: &Browser, trigger: Value) -> Self {
        let made = ask(house, owner, Method::POST, "/api/v1/workflows", Some(json!({ "name": "Service" }))).await;
        let placed = Self { id: body(&made)["id"].as_str().unwrap().to_owned(), owner: owner.clone() };
        placed.edit(house, json!({ "op": "set_trigger", "trigger": trigger })).await;
        let step = json!({ "id": "seen", "use": "set", "input": { "fields": { "all": "{{ trigger.body }}" } } });
        placed.edit(house, json!({ "op": "add_step", "at": { "index": 0 }, "step": step })).await;
        placed
    }

    async fn send(&self, house: &House, method: Method, below: &str, sent: Value) -> (StatusCode, Value) {
        let sent = (method != Method::GET).then_some(sent);
        let answer = ask(house, &self.owner, method, &format!("/api/v1/workflows/{}{below}", self.id), sent).await;
        (answer.status, body(&answer))
    }

    async fn edit(&self, house: &House, operation: Value) {
        let now = self.send(house, Method::GET, "", Value::Null).await.1;
        let (status, said) =
            self.send(house, Method::POST, "/edits", json!({ "base": now["revision"], "operations": [operation] })).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    async fn publish(&self, house: &House) -> (StatusCode, Value) {
        self.send(house, Method::POST, "/publish", json!({})).await
    }

    async fn view(&self, house: &House) -> Value {
        self.send(house, Method::GET, "/trigger", Value::Null).await.1
    }

    async fn runs(&self, house: &House) -> i64 {
        sqlx::query_scalar("select count(*) from run where workflow_id = $1::uuid")
            .bind(uuid::Uuid::parse_str(&self.id).unwrap())
            .fetch_one(house.pool())
            .await
            .unwrap()
    }

    /// The reasons why deliveries started nothing, newest first, once there are so many.
    async fn refusals(&self, house: &House, count: usize) -> Vec<String> {
        for _ in 0..200 {
            let view = self.view(house).await;
            let reasons: Vec<String> =
                view["refusals"].as_array().unwrap().iter().map(|it| it["reason"].as_str().unwrap().to_owned()).collect();
            if reasons.len() >= count {
                return reasons;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{count} refusals were not noted in time");
    }
}

fn hex_hmac(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

async fn github(house: &House, path: &str, secret: &str, event: &str, delivery: &str, sent: &str) -> (StatusCode, Value) {
    let signature = format!("sha256={}", hex_hmac(secret, sent));
    let headers = [
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", delivery),
        ("x-hub-signature-256", signature.as_str()),
    ];
    let answer = call(house, Method::POST, path, &headers, sent.to_owned()).await;
    (answer.status, body(&answer))
}

#[sqlx::test(migrations = "../migrations")]
async fn github_proves_itself_is_greeted_and_starts_one_run_per_delivery(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let push = Placed::new(&house, &owner, json!({ "use": "github.push", "input": { "branch": "main" } })).await;
    let (status, said) = push.publish(&house).await;
    assert_eq!(
        (status, said["fields"][0]["field"].as_str()),
        (StatusCode::CONFLICT, Some("trigger.auth")),
        "no secret, no publishing: {said}"
    );
    assert_eq!(
        push.send(&house, Method::PUT, "/trigger/secret", json!({ "secret": "octocat's own secret" })).await.0,
        StatusCode::OK
    );
    assert_eq!(push.publish(&house).await.0, StatusCode::OK);
    let view = push.view(&house).await;
    assert!(view["setup"].as_str().unwrap().contains("Add webhook") && view["needs_secret"] == true, "{view}");
    let path = view["url"].as_str().unwrap().split_once("/hooks/").map(|(_, id)| format!("/hooks/{id}")).unwrap();

    let secret = "octocat's own secret";
    let main =
        json!({ "ref": "refs/heads/main", "deleted": false, "commits": [], "repository": { "full_name": "octocat/hello" } })
            .to_string();
    assert_eq!(github(&house, &path, secret, "ping", "d0", r#"{"zen":"Keep it logically awesome."}"#).await.0, StatusCode::OK);
    assert_eq!(push.runs(&house).await, 0, "a ping is greeted and starts nothing");
    let (status, first) = github(&house, &path, secret, "push", "d1", &main).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    let (status, again) = github(&house, &path, secret, "push", "d1", &main).await;
    assert_eq!((status, &again["run"], &again["duplicate"]), (StatusCode::OK, &first["run"], &json!(true)));
    let other = main.replace("heads/main", "heads/other");
    let (status, said) = github(&house, &path, secret, "push", "d2", &other).await;
    assert_eq!((status, said["status"].as_str()), (StatusCode::OK, Some("ignored")));
    assert_eq!(github(&house, &path, "wrong", "push", "d3", &main).await.0, StatusCode::NOT_FOUND);
    assert_eq!(push.runs(&house).await, 1);
    let reasons = push.refusals(&house, 3).await;
    assert_eq!(reasons, ["signature", "ignored", "duplicate"]);
    // Its form of the same: the JSON in a field.
    let form = format!("payload={}", url::form_urlencoded::byte_serialize(main.as_bytes()).collect::<String>());
    let signature = format!("sha256={}", hex_hmac(secret, &form));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-github-event", "push"),
        ("x-github-delivery", "d4"),
        ("x-hub-signature-256", signature.as_str()),
    ];
    assert_eq!(call(&house, Method::POST, &path, &headers, form).await.status, StatusCode::ACCEPTED);
    // Paused: kept, and answered with 2xx.
    push.send(&house, Method::POST, "/pause", json!({})).await;
    let (status, said) = github(&house, &path, secret, "push", "d5", &main).await;
    assert_eq!((status, said["status"].as_str()), (StatusCode::ACCEPTED, Some("parked")));
    assert_eq!(push.view(&house).await["parked"]["count"], 1);
}

const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// A Slack connection of this workspace, to this account.
async fn connect(house: &House, owner: &Browser, name: &str, account: &str, signing_secret: &str) -> String {
    let fields = json!({ "access_token": "xoxb-1-2-test", "signing_secret": signing_secret });
    let new = json!({ "connector": "slack", "auth": "bot_token", "name": name, "fields": fields, "sharing": "everybody" });
    let made = ask(house, owner, Method::POST, "/api/v1/connections", Some(new)).await;
    assert!(made.status.is_success(), "{} {}", made.status, made.body);
    let id = body(&made)["id"].as_str().unwrap().to_owned();
    sqlx::query("update connection set account_id = $2 where id = $1::uuid")
        .bind(uuid::Uuid::parse_str(&id).unwrap())
        .bind(account)
        .execute(house.pool())
        .await
        .unwrap();
    id
}

async fn slack(house: &House, secret: &str, sent: &Value) -> (StatusCode, Value) {
    let (sent, time) = (sent.to_string(), house.app.clock.now().timestamp().to_string());
    let signature = format!("v0={}", hex_hmac(secret, &format!("v0:{time}:{sent}")));
    let headers = [
        ("content-type", "application/json"),
        ("x-slack-request-timestamp", time.as_str()),
        ("x-slack-signature", signature.as_str()),
    ];
    let answer = call(house, Method::POST, "/hooks/app/slack", &headers, sent).await;
    (answer.status, body(&answer))
}

fn message(team: &str, channel: &str, ts: &str) -> Value {
    json!({ "type": "event_callback", "team_id": team, "event_id": format!("Ev{ts}"),
            "event": { "type": "message", "channel": channel, "user": "U1", "text": "new order 42", "ts": ts } })
}

#[sqlx::test(migrations = "../migrations")]
async fn slack_sends_everything_to_one_address_and_each_workflow_hears_of_its_own_account_only(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    assert_eq!(slack(&house, SIGNING, &message("T1", "C1", "1.1")).await.0, StatusCode::NOT_FOUND, "nobody listens");
    let (ours, theirs) =
        (connect(&house, &owner, "Ours", "T1", SIGNING).await, connect(&house, &owner, "Theirs", "T2", "another secret").await);
    let listen = async |connection: &str, channel: &str| {
        let trigger = json!({ "use": "slack.new_message", "connection": connection, "input": { "channel": channel } });
        let placed = Placed::new(&house, &owner, trigger).await;
        let (status, said) = placed.publish(&house).await;
        assert_eq!(status, StatusCode::OK, "{said}");
        placed
    };
    let (first, second, foreign) = (listen(&ours, "C1").await, listen(&ours, "C1").await, listen(&theirs, "C1").await);
    assert!(first.view(&house).await["app_url"].as_str().unwrap().ends_with("/hooks/app/slack"));
    let challenge = json!({ "type": "url_verification", "challenge": "3eZbrw1aB" });
    let (status, said) = slack(&house, SIGNING, &challenge).await;
    assert_eq!((status, &said["challenge"]), (StatusCode::OK, &json!("3eZbrw1aB")));
    assert_eq!(slack(&house, "wrong", &challenge).await.0, StatusCode::NOT_FOUND, "who can't prove itself isn't greeted");

    let (status, said) = slack(&house, SIGNING, &message("T1", "C1", "1.1")).await;
    assert_eq!((status, said["events"].as_array().map(Vec::len)), (StatusCode::ACCEPTED, Some(2)), "{said}");
    assert_eq!(slack(&house, SIGNING, &message("T1", "C1", "1.1")).await.0, StatusCode::OK, "Slack sends it again");
    // Signed by one account's app and naming the other: neither of them is fooled.
    assert_eq!(slack(&house, SIGNING, &message("T2", "C1", "1.2")).await.1["status"], "ignored");
    assert_eq!(slack(&house, SIGNING, &message("T1", "C2", "1.3")).await.1["status"], "ignored", "another channel");
    let runs = (first.runs(&house).await, second.runs(&house).await, foreign.runs(&house).await);
    assert_eq!(runs, (1, 1, 0));

    // The poll that catches up after downtime knows the message by the same key.
    let keys: Vec<Vec<u8>> = sqlx::query_scalar("select key from event_key where workflow_id = $1::uuid")
        .bind(uuid::Uuid::parse_str(&first.id).unwrap())
        .fetch_all(house.pool())
        .await
        .unwrap();
    assert_eq!(keys, [towpath_server::journal::EventKey::new("slack.new_message", "C1:1.1").0.to_vec()]);

    // Stopped, deleted: nobody hears any more.
    first.send(&house, Method::POST, "/pause", json!({})).await;
    assert_eq!(
        ask(&house, &owner, Method::DELETE, &format!("/api/v1/workflows/{}", second.id), None).await.status,
        StatusCode::NO_CONTENT
    );
    let (status, said) = slack(&house, SIGNING, &message("T1", "C1", "1.4")).await;
    assert_eq!((status, said["status"].as_str()), (StatusCode::ACCEPTED, Some("parked")));
    assert_eq!((first.view(&house).await["parked"]["count"].as_i64(), second.runs(&house).await), (Some(1), 1));
}
