//! A service that stops taking a connection: its runs wait through kill -9, its owner hears once, and every run goes on when its secret
//! is entered again.

use crate::first_run::{ended, send};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use towpath_tests::{
    Authority, Draft, Folder, Person, Receiver, Reply, Settings, TestApp, authority::Pair, mailbox::Mailbox, until,
};

const BOUND: Duration = Duration::from_secs(60);
/// Events that arrive while the connection is refused.
const EVENTS: usize = 20;
const OLD: &str = "old-token-1234";
const NEW: &str = "new-token-5678";

/// A service of which one address answers 401 whoever asks.
async fn till(pair: &Pair, takes: Arc<Mutex<&'static str>>) -> Receiver {
    Receiver::over_tls(pair, move |arrived, _| {
        let token = arrived.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        let known = token == format!("Bearer {}", takes.lock().unwrap());
        match (arrived.path.as_str(), known) {
            ("/vault", _) | (_, false) => Reply::Json(401, json!({ "message": "Who are you?" })),
            _ => Reply::Json(200, json!({ "id": "p-1" })),
        }
    })
    .await
}

/// A connector for it that has a test.
fn connector(folder: &Folder, service: &Receiver) -> PathBuf {
    let manifest = format!(
        r##"towpath: 1
connector: {{ id: till, name: Till, version: 1.0.0, sentence: Take payments, categories: [finance], hosts: ["{}"] }}
auth:
  - id: token
    title: Token
    type: bearer
    help: In the till, open “Settings” and copy the token.
    fields:
      token: {{ title: Token, format: secret, required: true }}
connection:
  test: {{ get: /me }}
http: {{ base: "{}" }}
actions:
  pay:
    title: Take a payment
    sentence: Take a payment
    help: Takes a payment of this amount, and hands its number on to the next steps.
    effect: unsafe
    input: {{ amount: {{ title: Amount, required: true }} }}
    post: /pay
    headers: {{ Idempotency-Key: "{{{{ run.key }}}}" }}
    json: {{ amount: "{{{{ input.amount }}}}" }}
    example: {{ amount: "5" }}
    sample: {{ id: p-1 }}
  open_vault:
    title: Open the vault
    sentence: Open the vault
    help: Opens the vault, if the account that the token belongs to may do that.
    effect: read
    get: /vault
    example: {{}}
    sample: {{ id: p-1 }}
"##,
        service.url.trim_start_matches("https://"),
        service.url
    );
    let path = folder.path().join("connectors/till");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("connector.yaml"), manifest).unwrap();
    fs::write(path.join("README.md"), "# Till\n\nTakes payments.\n\n## Connect\n\n1. In the till, open **Settings** and copy the token.\n2. Enter it in a new connection in Towpath. It can do whatever the account can do. When a new one is made in the till, the old one is refused, and Towpath asks for the new one.\n")
        .unwrap();
    let icon = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M4 4h16v16H4z"/></svg>"#;
    fs::write(path.join("icon.svg"), icon).unwrap();
    folder.path().join("connectors")
}

async fn workflow(owner: &Person, connection: &str, operation: &str) -> Draft {
    let input = if operation == "till.pay" { json!({ "amount": "{{ trigger.body.amount }}" }) } else { json!({}) };
    let step = json!({ "id": "it", "use": operation, "connection": connection, "input": input });
    owner.publish(&json!({ "name": operation, "trigger": { "use": "webhook" }, "steps": [step] })).await
}

/// The step's state, once it is this.
async fn waits(owner: &Person, run: &str, connection: &str) {
    until("the run waits for its connection", BOUND, || async {
        let run = owner.json(&format!("/api/v1/runs/{run}")).await;
        (run["steps"][0]["waits_for"] == connection).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_refused_connection_wait_through_kill_9_and_its_owner_hears_once() {
    let (takes, mailbox, folder) = (Arc::new(Mutex::new(OLD)), Mailbox::start().await, Folder::new("refused"));
    let authority = Authority::new(folder.path());
    let service = till(&authority.certify("till", &["127.0.0.1"]), Arc::clone(&takes)).await;
    let settings = Settings::default()
        .set("TOWPATH_CONNECTORS", connector(&folder, &service).to_str().unwrap())
        .set("SSL_CERT_FILE", authority.file().to_str().unwrap())
        .set("TOWPATH_SMTP_URL", format!("smtp://127.0.0.1:{}?from=towpath@example.com&tls=none", mailbox.port));
    let app = TestApp::start_with(settings).await;
    let owner = app.owner().await;
    let new =
        json!({ "connector": "till", "auth": "token", "name": "Our till", "fields": { "token": OLD }, "sharing": "everybody" });
    let made = owner.done("/api/v1/connections", &new).await;
    let (connection, at) = (made["id"].as_str().unwrap(), format!("/api/v1/connections/{}", made["id"].as_str().unwrap()));

    // 401 from a service that takes the connection itself is about that call.
    let vault = workflow(&owner, connection, "till.open_vault").await;
    let refused = ended(&owner, &send(&vault, &json!({})).await).await;
    assert_eq!(refused["state"], "failed", "{refused:#}");
    assert!(refused["steps"][0]["hint"].as_str().unwrap().starts_with("The connection itself works"), "{refused:#}");
    assert_eq!(owner.json(&at).await["health"], "works");

    *takes.lock().unwrap() = NEW;
    let pay = workflow(&owner, connection, "till.pay").await;
    let mut runs = Vec::new();
    for amount in 0..EVENTS {
        runs.push(send(&pay, &json!({ "amount": amount })).await);
        if amount == 0 {
            waits(&owner, &runs[0], connection).await;
        }
    }
    for run in &runs {
        waits(&owner, run, connection).await;
    }
    let payments = |service: &Receiver| service.arrived().iter().filter(|it| it.path == "/pay").count();
    assert_eq!(payments(&service), 1, "the others ask nobody");
    let shown = owner.json(&at).await;
    assert_eq!((&shown["health"], &shown["waiting_runs"]), (&json!("expired"), &json!(EVENTS)), "{shown:#}");
    let page = owner.get(&format!("/runs/{}", runs[0])).await.text().await.unwrap();
    assert!(
        page.contains("take the step's connection any more") && page.contains(&format!("/connections/{connection}")),
        "{page}"
    );
    assert!(owner.get("/").await.text().await.unwrap().contains("20 runs wait"), "the home page says it");
    let mail = until("the owner's mail", BOUND, || async { mailbox.mails().first().cloned() }).await;
    assert!(mail.content.contains("Our till") && mail.content.contains(connection), "{}", mail.content);
    assert_eq!(mail.to.len(), 1);

    app.kill();
    app.boot().await;
    for run in &runs {
        waits(&owner, run, connection).await;
    }
    let entered = owner.put(&at, &json!({ "fields": { "token": NEW } })).await;
    assert!(entered.status().is_success(), "{}", entered.text().await.unwrap());
    for run in &runs {
        let run = ended(&owner, run).await;
        assert_eq!(run["state"], "succeeded", "{run:#}");
    }
    let mut paid: HashMap<String, usize> = HashMap::new();
    for it in service.arrived().iter().filter(|it| it.path == "/pay") {
        assert!(it.key().is_some());
        if it.headers["authorization"].to_str().unwrap().ends_with(NEW) {
            *paid.entry(amount(&it.json())).or_default() += 1;
        }
    }
    assert_eq!((paid.len(), paid.values().max()), (EVENTS, Some(&1)), "each event is paid once: {paid:?}");
    assert_eq!(mailbox.mails().len(), 1, "its owner hears once");
    assert_eq!(owner.json(&at).await["waiting_runs"], 0);
}

fn amount(body: &Value) -> String {
    body["amount"].to_string()
}
