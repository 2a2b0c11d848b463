//! Code in real runs: what it gives, what it may take, and what becomes of its processes when the server dies.

use crate::first_run::{ended, send, step};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use towpath_tests::{Person, Receiver, Settings, TestApp, until};

const SOON: Duration = Duration::from_secs(60);

/// The processes that run code for the servers of this test.
fn code_processes(app: &TestApp) -> HashSet<u32> {
    let server = app.pid().unwrap_or(0);
    let parent = format!("--parent\0{server}\0");
    numbers()
        .filter(|pid| {
            std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(&parent))
        })
        .collect()
}

fn numbers() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Is it there, and not only waiting for somebody to take note of its end?
fn is_alive(pid: &u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The attempts of the step `work`, with what they gave and logged.
async fn attempts(owner: &Person, run: &Value) -> Value {
    owner.json(&format!("/api/v1/runs/{}/attempts?step=work", run["id"].as_str().expect("a run has an id"))).await["items"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn code_works_between_a_webhook_and_a_call_and_its_log_is_kept() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let receiver = Receiver::start().await;
    let code = "const lines = input.lines.filter((line) => line.count > 0);\nconsole.log('kept', lines.length, 'of', input.lines.length);\nreturn { id: input.id, total: lines.reduce((sum, line) => sum + line.price * line.count, 0), raw: '{{ not an expression }}' };";
    let hook = owner
        .publish(&json!({
            "name": "Total",
            "trigger": { "use": "webhook" },
            "steps": [
                { "id": "work", "use": "code.javascript", "input": { "input": { "lines": "{{ trigger.body.lines }}", "id": "{{ trigger.body.id }}" }, "code": code } },
                { "id": "tell", "use": "http.request", "input": { "method": "PUT", "url": format!("{}/total", receiver.url), "body_kind": "json", "json": "{{ steps.work }}" } }
            ]
        }))
        .await;
    let body = json!({ "id": 9_007_199_254_740_993_u64, "lines": [{ "price": 2.5, "count": 4 }, { "price": 9, "count": 0 }, { "price": 30, "count": 1 }] });
    let run = send(&hook, &body).await;
    let run = ended(&owner, &run).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let expected = json!({ "id": 9_007_199_254_740_993_u64, "total": 40, "raw": "{{ not an expression }}" });
    assert_eq!(receiver.arrived()[0].json(), expected);
    assert_eq!(attempts(&owner, &run).await[0]["log"], json!(["kept 2 of 3"]), "{run}");

    let kept = &attempts(&owner, &run).await[0]["input"];
    assert_eq!(kept, &json!({ "input": { "lines": body["lines"], "id": body["id"] } }), "the code is in the version");

    // Code that can't be read is not published; code that stops says where.
    let broken = json!({ "name": "Broken", "trigger": { "use": "webhook" }, "steps": [{ "id": "work", "use": "code.javascript", "input": { "code": "const a = 1;\nreturn a +;" } }] });
    let draft = owner.draft(&broken).await;
    let refused = owner.post(&format!("/api/v1/workflows/{}/publish", draft.id), &json!({})).await;
    assert_eq!(refused.status(), 409);
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(refused["fields"][0]["field"], "work.code", "{refused}");
    assert!(
        refused["fields"][0]["message"].as_str().is_some_and(|it| it.starts_with("The code can't be read, line 2: ")),
        "{refused}"
    );
    let stops = json!({ "name": "Stops", "trigger": { "use": "webhook" }, "steps": [{ "id": "work", "use": "code.javascript", "input": { "code": "console.log('before');\nreturn input.order.total;" } }] });
    let hook = owner.publish(&stops).await;
    let run = send(&hook, &json!({})).await;
    let run = ended(&owner, &run).await;
    assert_eq!(run["state"], "failed", "{run}");
    let failed = step(&run, "work");
    assert!(failed["error"].as_str().is_some_and(|it| it.starts_with("The code stopped on line 2: ")), "{failed}");
    assert_eq!(attempts(&owner, &run).await[0]["log"], json!(["before"]), "{failed}");
    assert_eq!(failed["attempts"], 1, "it is not tried again: {failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_endless_pieces_of_code_hold_nothing_else_up() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let endless = json!({ "name": "Endless", "trigger": { "use": "webhook" }, "steps": [
        { "id": "work", "use": "code.javascript", "input": { "code": "while (true) {}", "limit": "5s" } }] });
    let endless = owner.publish(&endless).await;
    let quick = json!({ "name": "Quick", "trigger": { "use": "webhook", "input": { "respond": "when_done" } }, "steps": [
        { "id": "a", "use": "set", "input": { "fields": { "b": "{{ trigger.body.n + 1 }}" } } },
        { "id": "back", "use": "respond", "input": { "json": "{{ steps.a.b }}" } }] });
    let quick = owner.publish(&quick).await;
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.push(send(&endless, &json!({})).await);
    }
    until("code runs", SOON, || async { (!code_processes(&app).is_empty()).then_some(()) }).await;
    let begun = Instant::now();
    for n in 0..20 {
        let answer = reqwest::Client::new().post(quick.hook()).json(&json!({ "n": n })).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.expect("JSON")), (200, json!(n + 1)));
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "twenty quick runs took {took:?}");
    let mut left = 0;
    for run in &runs {
        let run = owner.json(&format!("/api/v1/runs/{run}")).await;
        left += usize::from(run["state"] == "running");
    }
    assert!(left > 0, "they were quick while others were still at work");
    let failed = ended(&owner, &runs[0]).await;
    assert!(step(&failed, "work").to_string().contains("The code took longer than 5s and was stopped."), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_of_code_outlives_a_server_that_is_killed_and_the_run_goes_on_at_the_next_start() {
    let app = TestApp::start_with(Settings::default()).await;
    let owner = app.owner().await;
    // It ends by itself only once it is told that this is the second time.
    let code = "if (Date.now() < input.until) while (true) {}\nreturn 'done';";
    let workflow = json!({ "name": "Long", "trigger": { "use": "webhook" }, "steps": [
        { "id": "work", "use": "code.javascript", "timeout": "10m", "input": { "code": code, "limit": "5m", "input": { "until": "{{ trigger.body.until }}" } } }] });
    let hook = owner.publish(&workflow).await;
    let until_when =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970") + Duration::from_secs(4);
    let run = send(&hook, &json!({ "until": u64::try_from(until_when.as_millis()).expect("soon") })).await;
    let working = until("code runs", SOON, || async { Some(code_processes(&app)).filter(|found| !found.is_empty()) }).await;
    app.kill();
    until("the processes of code are gone", Duration::from_secs(10), || async { (!working.iter().any(is_alive)).then_some(()) })
        .await;
    // The code goes by the clock on the wall: from here on it ends at once.
    until("that time is over", SOON, || async {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        (now > until_when).then_some(())
    })
    .await;
    app.boot().await;
    let run = ended(&owner, &run).await;
    assert_eq!((run["state"].as_str(), &attempts(&owner, &run).await[0]["output"]), (Some("succeeded"), &json!("done")), "{run}");
    // A polite stop leaves none behind either.
    let working = code_processes(&app);
    assert!(!working.is_empty());
    assert_eq!(app.stop(), Some(0));
    until("the processes of code are gone", Duration::from_secs(10), || async { (!working.iter().any(is_alive)).then_some(()) })
        .await;
}
