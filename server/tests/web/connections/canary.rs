//! Connections of every kind with secrets that can be recognised, used by workflows against services that say everything back, well
//! and badly; then the secrets are looked for in every column of every table, in what the API and the pages answer, and in the log.
//! They are there sealed, and nowhere else.

use super::{
    echo::{Echo, refusing_mail_server},
    world::{agreed, call, connect, house, published, step, waiting},
};
use crate::house::{Browser, House};
use axum::http::Method;
use serde_json::{Value, json};
use sqlx::{PgPool, Row as _, postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};
use towpath_connectors::sdk::scrub::Scrubber;
use tracing_subscriber::fmt::MakeWriter;

/// With signs that every writing changes.
const CANARIES: [&str; 7] = [
    "canary-bearer-5e1f/+&\"q",
    "canary-basic-77aa?=<z>",
    "canary-header-90bc-xyz",
    "canary-query-1c2d&x=%y",
    "canary-first-aa11bb22",
    "canary-second-cc33dd44",
    "canary-mail-ee55ff66!",
];
/// Something that is no secret and has to be found by the same search.
const MARK: &str = "mark-that-is-no-secret";

/// The log of this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(log.clone()).with_ansi(false).finish();
        // Another test may have been first; then the log is that one's and this one stays empty.
        let _ = tracing::subscriber::set_global_default(subscriber);
        log
    })
    .clone()
}

async fn connections(house: &House, owner: &Browser, service: &Echo, mail: u16) -> Vec<String> {
    let http = |auth: &str, fields: Value| json!({ "connector": "http", "auth": auth, "name": format!("HTTP {auth}"), "fields": fields, "hosts": [service.host()], "sharing": "everybody" });
    let kinds = [
        http("bearer", json!({ "token": CANARIES[0] })),
        http("basic", json!({ "user": "canary-user", "password": CANARIES[1] })),
        http("api_key_header", json!({ "header": "X-Custom", "key": CANARIES[2] })),
        http("api_key_query", json!({ "parameter": "q", "key": CANARIES[3] })),
        http("headers", json!({ "name_1": "X-One", "value_1": CANARIES[4], "name_2": "X-Two", "value_2": CANARIES[5] })),
        json!({ "connector": "email", "name": "Mail", "sharing": "everybody", "fields": {
            "host": "127.0.0.1", "port": mail, "security": "none", "user": "canary-user", "password": CANARIES[6],
            "from": "shop@example.com" } }),
    ];
    let mut ids = Vec::new();
    for kind in kinds {
        ids.push(connect(house, owner, kind).await);
    }
    ids
}

/// Every text and every byte string of every table.
async fn columns(pool: &PgPool) -> Vec<(String, Vec<u8>)> {
    let listed = sqlx::query(
        "select c.table_name, c.column_name, c.udt_name from information_schema.columns c
         join information_schema.tables t using (table_schema, table_name)
         where table_schema = 'public' and t.table_type = 'BASE TABLE'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for column in listed {
        let (table, name, kind): (String, String, String) = (column.get(0), column.get(1), column.get(2));
        let value = if kind == "bytea" { format!("\"{name}\"") } else { format!("convert_to(\"{name}\"::text, 'UTF8')") };
        let statement = format!("select {value} from \"{table}\" where \"{name}\" is not null");
        let values: Vec<(Vec<u8>,)> = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(pool).await.unwrap();
        found.extend(values.into_iter().map(|(value,)| (format!("{table}.{name}"), value)));
    }
    found
}

#[sqlx::test(migrations = "../migrations")]
async fn a_canary_is_found_nowhere_but_sealed(pool: PgPoolOptions, options: PgConnectOptions) {
    let log = log();
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let service = Echo::start().await;
    let (mail, mail_heard) = refusing_mail_server().await;
    let ids = connections(&house, &owner, &service, mail).await;
    let (http, email) = ids.split_at(5);

    // Used well and badly, with answers that are JSON, text and files, and in a test.
    let mut workflows = Vec::new();
    for (index, id) in http.iter().enumerate() {
        let mut steps = Vec::new();
        for path in ["echo", "text", "file", "fail", "denied"] {
            let mut step = step(path, &service.url(&format!("/{path}?mark={MARK}")), Some(id));
            step["on_error"] = "continue".into();
            steps.push(step);
        }
        workflows.push(published(&house, &owner, &format!("Uses {index}"), &steps).await);
    }
    let send = json!({ "id": "mail", "use": "email.send", "connection": email[0], "retry": { "attempts": 1 },
        "input": { "to": "ada@example.com", "subject": MARK, "text": MARK } });
    workflows.push(published(&house, &owner, "Mails", &[send]).await);
    let mut answers = Vec::new();
    for path in &workflows {
        // Each of them ends at a step whose connection is refused.
        let refused = waiting(&house, &owner, path).await;
        let run_id = refused["id"].as_str().unwrap().to_owned();
        answers.push(refused.to_string());
        let document = agreed(call(&house, &owner, Method::GET, path, json!({})).await);
        for step in document["document"]["steps"].as_array().unwrap() {
            let id = step["id"].as_str().unwrap();
            for send in [false, true] {
                let trial = call(&house, &owner, Method::POST, &format!("{path}/steps/{id}/test"), json!({ "send": send })).await;
                answers.push(trial.body);
            }
            for part in ["input", "output", "request", "response", "error", "log"] {
                answers.push(house.get(&owner, &format!("/runs/{run_id}/steps/{id}/1/{part}")).await.body);
            }
        }
        for page in
            [format!("/runs/{run_id}"), "/runs".into(), path.replace("/api/v1", ""), format!("{path}/versions/1"), path.clone()]
        {
            answers.push(house.get(&owner, &page).await.body);
        }
        answers.push(document.to_string());
    }
    let heard = [service.heard.all(), mail_heard.all()].concat();
    assert!(heard.iter().any(|it| it.contains(CANARIES[2])), "the services did get them");
    for id in &ids {
        let url = json!({ "url": service.url("/echo") });
        answers.push(call(&house, &owner, Method::POST, &format!("/api/v1/connections/{id}/test"), url).await.body);
        answers.push(call(&house, &owner, Method::GET, &format!("/api/v1/connections/{id}"), json!({})).await.body);
        for page in [format!("/connections/{id}"), format!("/connections/{id}/delete")] {
            answers.push(house.get(&owner, &page).await.body);
        }
    }
    for page in
        ["/api/v1/connections", "/connections", "/api/v1/connectors", "/api/v1/catalogue", "/metrics", "/api/openapi.json", "/"]
    {
        answers.push(house.get(&owner, page).await.body);
    }

    let scrubber = Scrubber::new(CANARIES);
    let clean = |bytes: &[u8]| matches!(scrubber.bytes(bytes), std::borrow::Cow::Borrowed(_));
    let columns = columns(house.pool()).await;
    let seen =
        |mark: &str| columns.iter().filter(|(_, value)| value.windows(mark.len()).any(|part| part == mark.as_bytes())).count();
    assert!(seen(MARK) > 20, "the search sees what is stored: {}", seen(MARK));
    assert!(seen("***") > 5, "and what stands in the place of secrets: {}", seen("***"));
    for (place, value) in &columns {
        assert!(clean(value), "{place} holds a canary: {}", String::from_utf8_lossy(value));
    }
    for answer in &answers {
        assert!(clean(answer.as_bytes()), "an answer holds a canary: {answer}");
    }
    let log = log.0.lock().unwrap().clone();
    assert!(!log.is_empty(), "this process logs");
    assert!(clean(&log), "the log holds a canary");

    // And yet they are there: every one of them opens.
    let checked = house.app.vault.check().await.unwrap();
    assert_eq!((checked.values, checked.unreadable), (ids.len() as u64, vec![]));
}
