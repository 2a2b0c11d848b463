//! Somebody hears of a failure: once per workflow and ten minutes, where the workspace said.

use crate::first_run::{ended, send};
use serde_json::json;
use std::time::Duration;
use towpath_tests::{Receiver, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_told_once_and_names_the_workflow_the_reason_and_the_run() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let ears = Receiver::start().await;
    let url = format!("{}/alerts", ears.url);
    let settings = [
        ("name", "Home"),
        ("time_zone", "Europe/London"),
        ("language", "en-GB"),
        ("alert_mail", ""),
        ("alert_url", url.as_str()),
    ];
    let saved = owner.form("/settings/workspace", &settings).await;
    assert!(saved.status().is_success(), "{}", saved.text().await.unwrap_or_default());

    let draft = owner
        .publish(&json!({
            "name": "Breaks", "trigger": { "use": "webhook" },
            "steps": [ { "id": "stop", "use": "stop", "input": { "outcome": "failed", "reason": "The stock is empty." } } ]
        }))
        .await;
    let run = send(&draft, &json!({})).await;
    assert_eq!(ended(&owner, &run).await["state"], "failed");
    let told = ears.wait_for(1, Duration::from_secs(20)).await[0].json();
    assert_eq!((told["workflow"]["name"].as_str(), told["run"]["id"].as_str()), (Some("Breaks"), Some(run.as_str())), "{told}");
    assert!(told["reason"].as_str().unwrap().contains("The stock is empty"), "{told}");

    let again = send(&draft, &json!({})).await;
    ended(&owner, &again).await;
    // The alerter gathers for two seconds: after five it has looked, and kept still.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ears.arrived().len(), 1, "the second failure within ten minutes is not told by itself");
}
