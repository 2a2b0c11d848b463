//! Data tables in real runs: all steps one after the other, and rows that are written once through kills of the server.

use crate::first_run::{ended, send, step};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use towpath_tests::{Person, Settings, TestApp, postgres::Cluster, until};

async fn table(owner: &Person, key: &[&str]) -> String {
    let columns = json!([
        { "name": "email", "kind": "text" },
        { "name": "total", "kind": "number" },
        { "name": "plan", "kind": "choice", "options": ["free", "paid"] },
        { "name": "since", "kind": "date" },
    ]);
    let made = owner.done("/api/v1/tables", &json!({ "name": "Customers", "columns": columns, "key": key })).await;
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_inserts_finds_changes_and_deletes_rows_and_reads_a_variable() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let table = table(&owner, &["email"]).await;
    owner.done("/api/v1/variables", &json!({ "name": "first_plan", "kind": "text", "value": "free" })).await;
    let hook = owner
        .publish(&json!({
            "name": "Customers",
            "trigger": { "use": "webhook", "input": { "respond": "when_done" } },
            "steps": [
                { "id": "rows", "use": "list.map", "input": { "list": "{{ trigger.body.people }}",
                    "fields": { "email": "{{ item.mail }}", "total": "{{ item.spent }}", "plan": "{{ vars.first_plan }}" } } },
                { "id": "insert", "use": "table.insert", "input": { "table": table, "from": "list", "list": "{{ steps.rows.items }}" } },
                // By its name, as files write it.
                { "id": "upsert", "use": "table.upsert", "input": { "table": "customers",
                    "row": { "email": "ada@x", "plan": "Paid", "since": "20.11.2026" } } },
                { "id": "find", "use": "table.find", "input": { "table": table, "sort": "total", "descending": true,
                    "where": { "all": [{ "value": "total", "is": "at_least", "to": "{{ trigger.body.least }}" }] } } },
                { "id": "update", "use": "table.update", "input": { "table": table, "row": { "total": 0 },
                    "where": { "value": "id", "is": "equals", "to": "{{ steps.find.first.id }}" } } },
                { "id": "delete", "use": "table.delete", "input": { "table": table,
                    "where": { "value": "email", "is": "starts_with", "to": "b" } } },
                { "id": "rest", "use": "table.find", "input": { "table": table } },
                { "id": "back", "use": "respond", "input": { "json": {
                    "inserted": "{{ steps.insert.count }}", "upserted": "{{ steps.upsert }}", "first": "{{ steps.find.first.email }}",
                    "found": "{{ steps.find.count }}", "updated": "{{ steps.update.count }}", "deleted": "{{ steps.delete.count }}",
                    "rest": "{{ steps.rest.rows }}" } } },
            ],
        }))
        .await;
    let people =
        json!([{ "mail": "ada@x", "spent": "12.50" }, { "mail": "bob@x", "spent": 7 }, { "mail": "cyd@x", "spent": 40 }]);
    let answer =
        reqwest::Client::new().post(hook.hook()).json(&json!({ "people": people, "least": 10 })).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let said: Value = answer.json().await.expect("JSON");
    assert_eq!((&said["inserted"], &said["updated"], &said["deleted"]), (&json!(3), &json!(1), &json!(1)), "{said}");
    assert_eq!(said["upserted"], json!({ "count": 1, "added": 0, "changed": 1 }));
    assert_eq!((&said["first"], &said["found"]), (&json!("cyd@x"), &json!(2)));
    let rest: Vec<Value> = said["rest"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| json!([row["email"], row["total"], row["plan"], row["since"]]))
        .collect();
    assert_eq!(rest, [json!(["ada@x", 12.5, "paid", "2026-11-20"]), json!(["cyd@x", 0, "free", null])]);

    // What doesn't fit is told with the column and the value, and nothing is written.
    let mut wrong = json!({
        "name": "Wrong", "trigger": { "use": "webhook" },
        "steps": [{ "id": "insert", "use": "table.insert", "input": { "table": table, "row": { "email": "{{ trigger.body.mail }}", "total": "{{ trigger.body.spent }}" } } }],
    });
    let hook = owner.publish(&wrong).await;
    let failed = ended(&owner, &send(&hook, &json!({ "mail": "dee@x", "spent": "a lot" })).await).await;
    let error = &step(&failed, "insert")["error"];
    assert_eq!(error, "“total” takes a number, and \"a lot\" can't be read as that.", "{failed}");
    let there = ended(&owner, &send(&hook, &json!({ "mail": "ada@x", "spent": 1 })).await).await;
    assert!(there.to_string().contains("There is a row already with email = ada@x."), "{there}");

    // A column that isn't there is named before publishing.
    wrong["steps"][0]["input"]["row"]["e-mail"] = "x".into();
    let draft = owner.draft(&wrong).await;
    let seen = owner.json(&format!("/api/v1/workflows/{}", draft.id)).await;
    assert!(seen["issues"].to_string().contains("The table has no column “e-mail”. Did you mean “email”?"), "{seen}");
    assert_eq!(owner.json(&format!("/api/v1/tables/{table}")).await["rows"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_run_adds_its_rows_once_through_kills_of_the_server() {
    const RUNS: usize = 60;
    let cluster = Cluster::start(true).await.expect("a PostgreSQL of its own");
    let settings = Settings { database_url: Some(cluster.database().await.unwrap()), ..Settings::default() };
    let app = TestApp::start_with(settings.expect_error("ERROR")).await;
    let owner = app.owner().await;
    let table = table(&owner, &[]).await;
    let steps: Vec<Value> = (0..3)
        .map(|n| json!({ "id": format!("insert_{n}"), "use": "table.insert", "retry": { "attempts": 50, "first": "100ms", "max": "1s" },
            "input": { "table": table, "from": "list", "list": [
                { "email": format!("{{{{ trigger.body.n }}}}-{n}-a") }, { "email": format!("{{{{ trigger.body.n }}}}-{n}-b") }] } }))
        .collect();
    let draft = owner.publish(&json!({ "name": "Rows", "trigger": { "use": "webhook" }, "steps": steps })).await;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().unwrap();
    let hook = draft.hook().to_owned();
    let sender = tokio::spawn(async move {
        let end = Instant::now() + Duration::from_secs(120);
        for n in 0..RUNS {
            loop {
                let sent = http.post(&hook).header("idempotency-key", format!("event-{n}")).json(&json!({ "n": n })).send().await;
                if sent.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                assert!(Instant::now() < end, "event {n} is accepted in the end");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    for round in 0..8_u64 {
        tokio::time::sleep(Duration::from_millis(40 + round * 53 % 200)).await;
        app.kill();
        app.boot().await;
    }
    sender.await.expect("every event is accepted in the end");
    let database = app.database().await;
    let ended = || async {
        let ended: i64 = sqlx::query_scalar("select count(*) from run_end where state = 1").fetch_one(&database).await.ok()?;
        (ended == i64::try_from(RUNS).ok()?).then_some(())
    };
    until("every run has succeeded", Duration::from_secs(120), ended).await;
    let (rows, different): (i64, i64) =
        sqlx::query_as("select count(*), count(distinct document ->> 'c1') from data_row").fetch_one(&database).await.unwrap();
    assert_eq!((rows, different), (6 * RUNS as i64, 6 * RUNS as i64));
}
