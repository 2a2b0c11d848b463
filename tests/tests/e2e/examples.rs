//! The programs that a webhook's page shows, run as they are by the languages that this machine has, against a real server.

use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio, time::Duration};
use towpath_tests::{Person, TestApp, until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Every way in which callers prove who they are.
fn triggers() -> Vec<(&'static str, Value)> {
    vec![
        ("nobody proves anything", json!({})),
        ("GET", json!({ "methods": ["GET"] })),
        ("basic", json!({ "auth": "basic", "basic_user": "ada's" })),
        ("header", json!({ "auth": "header", "header_name": "X-Shop-Token" })),
        ("standard webhooks", json!({ "auth": "standard_webhooks" })),
        ("github", json!({ "auth": "hmac", "preset": "github" })),
        ("stripe", json!({ "auth": "hmac", "preset": "stripe" })),
        ("shopify", json!({ "auth": "hmac", "preset": "shopify" })),
        ("slack", json!({ "auth": "hmac", "preset": "slack" })),
        (
            "custom",
            json!({ "auth": "hmac", "preset": "custom", "hmac_header": "X-Sig", "hmac_algorithm": "sha512", "hmac_encoding": "base64",
                    "hmac_prefix": "v=$1'\\", "hmac_message": "a#{1}\"{timestamp}:{body}", "hmac_timestamp_header": "X-Time" }),
        ),
    ]
}

/// Does this machine have the language?
fn has(program: &str) -> bool {
    std::process::Command::new(program)
        .arg(if program == "java" { "-version" } else { "--version" })
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Saves a program and runs it as its page says; what it printed.
async fn run(folder: &PathBuf, example: &Value) -> String {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = folder.join(example["file"].as_str().expect("a file"));
    std::fs::write(&file, example["code"].as_str().expect("a program")).expect("it can be saved");
    let mut words = example["run"].as_str().expect("a command").split(' ');
    let program = words.next().expect("a program");
    let ran = tokio::process::Command::new(program).args(words).current_dir(folder).env("TOWPATH_SECRET", SECRET).output();
    let output = tokio::time::timeout(Duration::from_secs(60), ran).await.expect("it ends").expect("it starts");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn placed(owner: &Person, input: &Value) -> String {
    let steps = json!([{ "id": "seen", "use": "set", "input": { "fields": { "it": "{{ trigger.method }}" } } }]);
    let draft = owner.draft(&json!({ "name": "Called", "trigger": { "use": "webhook", "input": input }, "steps": steps })).await;
    if input.get("auth").is_some() {
        let set = owner.put(&format!("/api/v1/workflows/{}/trigger/secret", draft.id), &json!({ "secret": SECRET })).await;
        assert!(set.status().is_success(), "{}", set.text().await.unwrap_or_default());
    }
    owner.done(&format!("/api/v1/workflows/{}/publish", draft.id), &json!({})).await;
    draft.id
}

#[tokio::test(flavor = "multi_thread")]
async fn every_program_to_copy_calls_its_webhook_and_starts_a_run() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let pool = app.database().await;
    let languages: Vec<(&str, &str)> =
        [("curl", "curl"), ("javascript", "node"), ("python", "python3"), ("java", "java"), ("php", "php"), ("ruby", "ruby")]
            .into_iter()
            .filter(|(_, program)| has(program))
            .collect();
    assert!(languages.len() >= 3, "this machine has too few languages for the test to mean anything: {languages:?}");
    let folder = std::env::temp_dir().join(format!("towpath-examples-{}", std::process::id()));
    for (name, input) in triggers() {
        let id = placed(&owner, &input).await;
        let shown = owner.json(&format!("/api/v1/workflows/{id}/trigger/examples")).await;
        let page = owner.get(&format!("/workflows/{id}/trigger/examples")).await.text().await.expect("a page");
        assert!(!shown.to_string().contains(SECRET) && !page.contains(SECRET), "{name}: the secret is in the page");
        let mut count = 0;
        for example in shown["examples"].as_array().expect("a list") {
            let language = example["id"].as_str().expect("an id");
            if !languages.iter().any(|(known, _)| *known == language) {
                continue;
            }
            count += 1;
            let said = run(&folder.join(format!("{}-{language}", name.replace(' ', "-"))), example).await;
            assert!(
                said.contains("202") && said.contains("\"run\""),
                "{name} in {language} said {said}\n{}",
                example["code"].as_str().unwrap_or_default()
            );
            let runs: i64 = until("its run is there", Duration::from_secs(10), || async {
                let runs: i64 = sqlx::query_scalar("select count(*) from run_end where workflow_id = $1::uuid and state = 1")
                    .bind(uuid::Uuid::parse_str(&id).expect("an id"))
                    .fetch_one(&pool)
                    .await
                    .ok()?;
                (runs >= count).then_some(runs)
            })
            .await;
            assert_eq!(runs, count, "{name} in {language}");
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}
