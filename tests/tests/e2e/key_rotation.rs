//! A change of keys, killed at random moments while a server works: afterwards, and at every moment in between, every secret opens.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_tests::{Draft, Person, Receiver, TestApp, until};

const CONNECTIONS: usize = 300;
const KILLS: usize = 12;

fn connection(receiver: &Receiver, n: usize) -> Value {
    let host = receiver.url.trim_start_matches("http://");
    json!({ "connector": "http", "auth": "bearer", "name": format!("Connection {n}"), "sharing": "everybody",
            "hosts": [host], "fields": { "token": format!("token-number-{n}-abcdef") } })
}

async fn works(person: &Person, draft: &Draft) {
    let started = person.done(&format!("/api/v1/workflows/{}/run", draft.id), &json!({})).await;
    let run = started["run"].as_str().expect("it was started").to_owned();
    let ended = until("the run ends", Duration::from_secs(30), || async {
        let run = person.json(&format!("/api/v1/runs/{run}")).await;
        run["ended_at"].is_string().then_some(run)
    })
    .await;
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
}

fn every_secret_opens(app: &TestApp) {
    let (fine, said) = app.cli(&["keys", "check"], "");
    assert!(fine && said.contains("All of them open."), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_during_a_rotation_loses_no_secret() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let owner = app.owner().await;
    let mut ids = Vec::new();
    for n in 0..CONNECTIONS {
        let made = owner.done("/api/v1/connections", &connection(&receiver, n)).await;
        ids.push(made["id"].as_str().expect("a connection has an id").to_owned());
    }
    let step =
        json!({ "id": "call", "use": "http.request", "connection": ids[0], "input": { "url": format!("{}/x", receiver.url) } });
    let workflow = json!({ "name": "Through a connection", "trigger": { "use": "manual" }, "steps": [step] });
    let draft = owner.publish(&workflow).await;
    works(&owner, &draft).await;

    let mut random = SmallRng::seed_from_u64(20_261_120);
    for round in 0..KILLS {
        // Some kills hit the start of the command, some the middle of its work, some come after it.
        app.cli_killed(&["keys", "rotate"], Duration::from_millis(random.random_range(50..900)));
        every_secret_opens(&app);
        // The server, which has read none of the new keys so far, goes on sealing and opening.
        let made = owner.done("/api/v1/connections", &connection(&receiver, CONNECTIONS + round)).await;
        ids.push(made["id"].as_str().expect("a connection has an id").to_owned());
        works(&owner, &draft).await;
        if round % 4 == 3 {
            // And it dies, too; the next start goes on with what was cut off.
            app.kill();
            app.boot().await;
            works(&owner, &draft).await;
        }
    }

    let (fine, said) = app.cli(&["keys", "rotate"], "");
    assert!(fine, "{said}");
    every_secret_opens(&app);
    works(&owner, &draft).await;
    let keys = std::fs::read_to_string(app.folder().join("towpath.key")).expect("the key file");
    let newest = keys.lines().count();
    assert!(newest > 2, "some rotations came as far as the key file: {newest}");
    let (_, listed) = app.cli(&["keys", "list"], "");
    assert_eq!(listed.matches("wraps").count(), 1, "one key wraps everything now: {listed}");
    assert!(listed.contains(&format!("key {newest} wraps")), "{listed}");
    let old: (i64,) = sqlx::query_as(
        "select count(*) from connection c where substring(secret_sealed from 1 for 5) <>
             '\\x02'::bytea || int4send((select max(version) from data_key k where k.workspace_id = c.workspace_id))",
    )
    .fetch_one(&app.database().await)
    .await
    .expect("the database answers");
    assert_eq!((old.0, ids.len()), (0, CONNECTIONS + KILLS), "and every secret is sealed with the newest data key");
    for id in [&ids[0], &ids[CONNECTIONS / 2], &ids[CONNECTIONS], &ids[ids.len() - 1]] {
        let tested =
            owner.done(&format!("/api/v1/connections/{id}/test"), &json!({ "url": format!("{}/y", receiver.url) })).await;
        assert_eq!(tested["health"], "works", "{tested}");
    }
}
