//! The document of the API holds: every documented route is called, and whatever it answers is what the document says.

use crate::house::{Answer, Browser, House};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::{cell::RefCell, collections::BTreeSet};
use towpath_server::{api::openapi, auth::permission::Role};

/// A caller that holds every answer against the document.
struct Caller<'a> {
    house: &'a House,
    browser: Browser,
    /// Routes that answered as they do when all is well.
    well: RefCell<BTreeSet<String>>,
}

impl Caller<'_> {
    /// Calls a documented route; `ids` fill the path's parameters in order.
    async fn call(&self, method: Method, path: &str, ids: &[&str], query: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut ids = ids.iter();
        let filled: Vec<&str> = path
            .split('/')
            .map(|part| if part.starts_with('{') { ids.next().expect("an id for each parameter") } else { part })
            .collect();
        let address = format!("{}{query}", filled.join("/"));
        let request = self
            .browser
            .request(method.clone(), &address)
            .header(header::ORIGIN, "http://localhost")
            .header("x-csrf-token", &self.browser.csrf);
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let answer = self.house.send(request.unwrap()).await;
        let said = check(&method, path, &answer);
        if answer.status.is_success() {
            self.well.borrow_mut().insert(format!("{method} {path}"));
        }
        (answer.status, said)
    }

    /// As [`Caller::call`], and it must go well.
    async fn well(&self, method: Method, path: &str, ids: &[&str], body: Option<Value>) -> Value {
        let (status, said) = self.call(method.clone(), path, ids, "", body).await;
        assert!(status.is_success(), "{method} {path}: {status} {said}");
        said
    }
}

/// Is this answer one that the document describes?
fn check(method: &Method, path: &str, answer: &Answer) -> Value {
    let at = format!("{method} {path}: {} {}", answer.status, answer.body);
    assert!(!answer.status.is_server_error(), "{at}");
    let document = openapi::document();
    let operation = &document["paths"][path][method.as_str().to_lowercase()];
    assert!(operation.is_object(), "{at}: not documented");
    let status = answer.status.as_u16().to_string();
    let response = operation["responses"].get(&status).unwrap_or(&document["components"]["responses"]["Problem"]);
    let response = match response["$ref"].as_str() {
        Some(path) => document.pointer(path.trim_start_matches('#')).expect("a test follows every reference"),
        None => response,
    };
    let kind = answer.headers.get(header::CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
    let kind = kind.split(';').next().unwrap_or_default();
    let Some(content) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "{at}: a body where the document has none");
        return Value::Null;
    };
    // A documented refusal with a body of its own may also be a plain problem.
    let schema = content.get(kind).or_else(|| content.get("application/json").filter(|_| kind == "application/problem+json"));
    let schema = &schema.unwrap_or_else(|| panic!("{at}: the document knows no {kind} here"))["schema"];
    if kind == "text/event-stream" {
        return Value::Null;
    }
    if kind == "text/csv" {
        return answer.body.clone().into();
    }
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{at}: {error}"));
    let mut whole = closed(schema.clone());
    whole["components"] = closed(document["components"].clone());
    let validator = jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{at}: {error}"));
    let wrong: Vec<String> =
        validator.iter_errors(&said).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(wrong.is_empty(), "{at}\n{wrong:#?}");
    said
}

/// Clients may meet new fields; this test may not: what is not in the document is forgotten there.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            for value in fields.values_mut() {
                *value = closed(value.take());
            }
            let is_object = fields
                .get("type")
                .is_some_and(|kind| kind == "object" || kind.as_array().is_some_and(|it| it.iter().any(|it| it == "object")));
            if is_object && fields.get("properties").is_some_and(Value::is_object) && !fields.contains_key("additionalProperties")
            {
                fields.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = closed(item.take())),
        _ => {}
    }
    schema
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn every_answer_is_the_one_that_the_document_describes(pool: PgPoolOptions, options: PgConnectOptions) {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    let house = House::build(pool, options).await;
    let caller = Caller { house: &house, browser: house.owner().await, well: RefCell::default() };
    let nil = uuid::Uuid::nil().to_string();

    // Workflows: one started by hand, one by a webhook.
    let document = json!({ "towpath": 1, "name": "By hand", "trigger": { "id": "trigger", "use": "manual" }, "steps": [
        { "id": "set", "use": "set", "input": { "fields": { "total": "{{ 1 + 1 }}" } } },
    ] });
    let made = caller.well(POST, "/api/v1/workflows", &[], Some(json!({ "document": document }))).await;
    let by_hand = text(&made["id"]);
    let made = caller.well(POST, "/api/v1/workflows", &[], Some(json!({ "name": "Called" }))).await;
    let called = text(&made["id"]);
    let set_trigger =
        json!({ "base": 0, "operations": [{ "op": "set_trigger", "trigger": { "id": "trigger", "use": "webhook" } }] });
    caller.well(POST, "/api/v1/workflows/{id}/edits", &[&called], Some(set_trigger)).await;
    let (status, _) = caller
        .call(
            POST,
            "/api/v1/workflows/{id}/edits",
            &[&called],
            "",
            Some(json!({ "base": 0, "operations": [{ "op": "set_name", "name": "Stale" }] })),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    caller.well(POST, "/api/v1/workflows/{id}/rename", &[&called], Some(json!({ "name": "Called by others" }))).await;
    caller.well(GET, "/api/v1/workflows", &[], None).await;
    caller.well(GET, "/api/v1/workflows/{id}", &[&by_hand], None).await;
    caller.well(GET, "/api/v1/workflows/{id}/export", &[&by_hand], None).await;
    let copy = caller.well(POST, "/api/v1/workflows/{id}/duplicate", &[&by_hand], None).await;
    caller.well(DELETE, "/api/v1/workflows/{id}", &[&text(&copy["id"])], None).await;
    caller.well(POST, "/api/v1/workflows/{id}/publish", &[&by_hand], Some(json!({}))).await;
    caller.well(POST, "/api/v1/workflows/{id}/pause", &[&by_hand], None).await;
    caller.well(POST, "/api/v1/workflows/{id}/resume", &[&by_hand], None).await;
    // Data tables.
    let columns = json!([{ "name": "email", "kind": "text", "required": true }, { "name": "total", "kind": "number" },
        { "name": "plan", "kind": "choice", "options": ["free", "paid"] }]);
    let new = json!({ "name": "Customers", "columns": columns, "key": ["email"] });
    let table = text(&caller.well(POST, "/api/v1/tables", &[], Some(new)).await["id"]);
    let rows = "/api/v1/tables/{table}/rows";
    let new = json!({ "rows": [{ "email": "a@x", "total": 1 }, { "email": "b@x", "plan": "paid" }] });
    let made = caller.well(POST, rows, &[&table], Some(new)).await;
    let row = text(&made["ids"][0]);
    let again = json!({ "rows": [{ "email": "a@x", "total": "2", "colour": "red" }], "upsert": true, "leave_out": true });
    caller.well(POST, rows, &[&table], Some(again)).await;
    let (status, _) = caller.call(POST, rows, &[&table], "", Some(json!({ "rows": [{ "email": "a@x" }] }))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, wrong) =
        caller.call(POST, rows, &[&table], "", Some(json!({ "rows": [{ "email": "c@x", "total": "many" }] }))).await;
    assert_eq!(status, StatusCode::CONFLICT, "{wrong}");
    assert_eq!(wrong["fields"][0]["field"], "total");
    let query = "?limit=1&newest=true&where=%7B%22value%22%3A%22total%22%2C%22is%22%3A%22is_not_empty%22%7D";
    let (status, listed) = caller.call(GET, rows, &[&table], query, None).await;
    assert_eq!((status, &listed["items"][0]["total"]), (StatusCode::OK, &json!(2)));
    caller.well(GET, "/api/v1/tables/{table}/rows/{row}", &[&table, &row], None).await;
    let changed = caller.well(PUT, "/api/v1/tables/{table}/rows/{row}", &[&table, &row], Some(json!({ "plan": "FREE" }))).await;
    assert_eq!((&changed["plan"], &changed["email"]), (&json!("free"), &json!("a@x")));
    let file = json!({ "csv": "email;total\nc@x;3\nd@x;x\n", "preview": true });
    let looked = caller.well(POST, "/api/v1/tables/{table}/import", &[&table], Some(file)).await;
    assert_eq!((&looked["wrong"], &looked["problems"][0]["line"], &looked["done"]), (&json!(1), &json!(3), &Value::Null));
    let file = json!({ "csv": "email;total\nc@x;3\na@x;9\n", "upsert": true });
    let imported = caller.well(POST, "/api/v1/tables/{table}/import", &[&table], Some(file)).await;
    assert_eq!((&imported["done"]["added"], &imported["done"]["changed"]), (&json!(1), &json!(1)));
    caller.well(GET, "/api/v1/tables/{table}/export", &[&table], None).await;
    caller.well(DELETE, "/api/v1/tables/{table}/rows/{row}", &[&table, &row], None).await;
    caller.well(PUT, "/api/v1/tables/{table}", &[&table], Some(json!({ "name": "Clients", "key": [] }))).await;
    caller.well(GET, "/api/v1/tables", &[], None).await;
    caller.well(GET, "/api/v1/tables/{table}", &[&table], None).await;
    caller.well(DELETE, "/api/v1/tables/{table}", &[&table], None).await;
    // Variables.
    let variable =
        json!({ "name": "support_address", "kind": "text", "value": "a@example.com", "note": "Where customers write to" });
    caller.well(POST, "/api/v1/variables", &[], Some(variable)).await;
    caller
        .well(PUT, "/api/v1/variables/{variable}", &["rate"], Some(json!({ "kind": "json", "value": { "a": [1, null] } })))
        .await;
    caller.well(GET, "/api/v1/variables", &[], None).await;
    caller.well(GET, "/api/v1/variables/{variable}", &["rate"], None).await;
    caller.well(DELETE, "/api/v1/variables/{variable}", &["rate"], None).await;
    caller.well(GET, "/api/v1/workflows/{id}/versions", &[&by_hand], None).await;
    caller.well(GET, "/api/v1/workflows/{id}/versions/{version}", &[&by_hand, "1"], None).await;
    caller.well(POST, "/api/v1/workflows/{id}/versions/{version}/restore", &[&by_hand, "1"], None).await;
    let values = json!({ "samples": { "trigger": { "a": 1 } }, "values": { "one": "{{ trigger.a }}", "none": "{{ trigger.b }}", "bad": "{{ 1 + }}" } });
    caller.well(POST, "/api/v1/workflows/{id}/resolve", &[&by_hand], Some(values)).await;
    caller.well(POST, "/api/v1/workflows/{id}/steps/{step}/test", &[&by_hand, "set"], Some(json!({}))).await;
    caller.well(GET, "/api/v1/workflows/{id}/live", &[&by_hand], None).await;

    // Triggers.
    caller.well(GET, "/api/v1/workflows/{id}/trigger", &[&called], None).await;
    caller.well(GET, "/api/v1/workflows/{id}/trigger/examples", &[&called], None).await;
    caller.well(GET, "/api/v1/workflows/{id}/trigger/events", &[&called], None).await;
    caller.call(PUT, "/api/v1/workflows/{id}/trigger/secret", &[&called], "", Some(json!({ "generate": true }))).await;
    caller.well(POST, "/api/v1/workflows/{id}/trigger/rotate", &[&called], None).await;
    let preview = json!({ "input": { "every": "1h" } });
    caller.call(POST, "/api/v1/schedules/preview", &[], "", Some(preview)).await;

    // Runs.
    let started = caller.well(POST, "/api/v1/workflows/{id}/run", &[&by_hand], Some(json!({ "inputs": {} }))).await;
    let run = text(&started["run"]);
    caller.well(GET, "/api/v1/runs", &[], None).await;
    for query in ["?state=failed&period=day&limit=1", "?state=nonsense", "?limit=0", "?after=x"] {
        caller.call(GET, "/api/v1/runs", &[], query, None).await;
    }
    caller.well(GET, "/api/v1/runs/{run}", &[&run], None).await;
    caller.well(GET, "/api/v1/runs/{run}/rounds", &[&run], None).await;
    caller.well(GET, "/api/v1/runs/{run}/event", &[&run], None).await;
    caller.well(GET, "/api/v1/runs/{run}/attempts", &[&run], None).await;
    for query in ["?step=set&limit=1", "?step=each%5B3%5D%2Fpost", "?step=%00%5B%5D", "?limit=0", "?after=-1"] {
        caller.call(GET, "/api/v1/runs/{run}/attempts", &[&run], query, None).await;
    }
    caller.well(GET, "/api/v1/workflows/{workflow}/runs/live", &[&by_hand], None).await;
    caller.well(POST, "/api/v1/runs/{run}/replay", &[&run], None).await;
    caller.call(POST, "/api/v1/runs/{run}/cancel", &[&run], "", None).await;
    caller.well(POST, "/api/v1/workflows/{id}/trigger/parked/replay", &[&by_hand], None).await;

    // Connections and the catalogue.
    caller.well(GET, "/api/v1/catalogue", &[], None).await;
    caller.well(GET, "/api/v1/connectors", &[], None).await;
    let new = json!({ "connector": "http", "auth": "bearer", "name": "Shop", "fields": { "token": "s3cret-token-of-the-shop" }, "hosts": ["api.example.com"] });
    let (status, made) = caller.call(POST, "/api/v1/connections", &[], "", Some(new)).await;
    if status.is_success() {
        let connection = text(&made["id"]);
        caller.well(GET, "/api/v1/connections", &[], None).await;
        caller.well(GET, "/api/v1/connections/{connection}", &[&connection], None).await;
        caller.well(PUT, "/api/v1/connections/{connection}", &[&connection], Some(json!({ "name": "The shop" }))).await;
        caller.well(DELETE, "/api/v1/connections/{connection}", &[&connection], None).await;
    }

    // People, tokens, workspaces.
    house.person("grace@example.com", Role::Viewer).await;
    let grace: uuid::Uuid =
        sqlx::query_scalar("select id from person where email = 'grace@example.com'").fetch_one(house.pool()).await.unwrap();
    let grace = grace.to_string();
    caller.well(GET, "/api/v1/me", &[], None).await;
    let sessions = caller.well(GET, "/api/v1/sessions", &[], None).await;
    caller.well(GET, "/api/v1/workspaces", &[], None).await;
    caller.well(GET, "/api/v1/members", &[], None).await;
    caller.well(PUT, "/api/v1/members/{person}", &[&grace], Some(json!({ "role": "builder" }))).await;
    caller.well(DELETE, "/api/v1/members/{person}", &[&grace], None).await;
    let invited =
        caller.well(POST, "/api/v1/invitations", &[], Some(json!({ "email": "x@example.com", "role": "viewer" }))).await;
    caller.well(GET, "/api/v1/invitations", &[], None).await;
    let renewed = caller.well(POST, "/api/v1/invitations/{invitation}/renew", &[&text(&invited["id"])], None).await;
    caller.well(DELETE, "/api/v1/invitations/{invitation}", &[&text(&renewed["id"])], None).await;
    let token = caller.well(POST, "/api/v1/tokens", &[], Some(json!({ "name": "T", "scopes": ["read"], "days": 1 }))).await;
    caller.well(GET, "/api/v1/tokens", &[], None).await;
    caller.well(DELETE, "/api/v1/tokens/{token}", &[&text(&token["id"])], None).await;
    let mut settings = caller.well(GET, "/api/v1/workspace", &[], None).await;
    settings["name"] = "Bakery".into();
    caller.well(PUT, "/api/v1/workspace", &[], Some(settings)).await;
    caller.well(GET, "/api/v1/instance/people", &[], None).await;
    caller.well(PUT, "/api/v1/instance/people/{person}", &[&grace], Some(json!({ "disabled": false }))).await;
    caller.well(POST, "/api/v1/instance/people/{person}/reset", &[&grace], None).await;
    caller.well(GET, "/api/v1/instance/reachability", &[], None).await;
    caller.well(POST, "/api/v1/instance/reachability", &[], None).await;
    caller.well(GET, "/api/v1/instance/restored", &[], None).await;
    let made = caller.well(POST, "/api/v1/instance/workspaces", &[], Some(json!({ "name": "Sales" }))).await;
    caller.well(GET, "/api/v1/instance/workspaces", &[], None).await;
    let sales = text(&made["id"]);
    caller.well(DELETE, "/api/v1/instance/workspaces/{workspace}", &[&sales], Some(json!({ "name": "Sales" }))).await;

    // Whatever is sent to a route, the answer is one that the document describes.
    for operation in openapi::operations() {
        let parameters = operation.path.matches('{').count();
        let ids: Vec<&str> = vec![&nil; parameters];
        let ends_the_session = operation.path == "/api/v1/workspace/leave";
        if ends_the_session {
            continue;
        }
        for body in [None, Some(json!({})), Some(json!([1])), Some(json!({ "unknown": true })), Some(json!("text"))] {
            caller.call(operation.method.clone(), operation.path, &ids, "", body).await;
        }
        let garbage = vec!["nonsense"; parameters];
        caller.call(operation.method.clone(), operation.path, &garbage, "", Some(json!({}))).await;
        if operation.method == GET {
            caller.call(GET, operation.path, &ids, "?after=%00&limit=9999999999", None).await;
        }
    }

    // What ends the session comes last.
    let (status, _) = caller.call(POST, "/api/v1/workspace/leave", &[], "", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "the last owner stays");
    let own = sessions["items"].as_array().unwrap().iter().find(|it| it["current"] == true).expect("this session");
    caller.well(DELETE, "/api/v1/sessions/{session}", &[&text(&own["id"])], None).await;

    // Seen only refusing: those that take something which this test has not.
    let excused: BTreeSet<&str> = BTreeSet::from([
        "DELETE /api/v1/workspace",
        "GET /api/v1/workflows/{id}/trigger/samples/{sample}",
        "POST /api/v1/connections/{connection}/test",
        "POST /api/v1/instance/restored",
        "POST /api/v1/runs/{run}/cancel",
        "POST /api/v1/runs/{run}/decide",
        "POST /api/v1/workflows/{id}/steps/{step}/options",
        "POST /api/v1/workflows/{id}/trigger/check",
        "POST /api/v1/workspace/leave",
    ]);
    let well = caller.well.into_inner();
    let never: Vec<String> = openapi::operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .filter(|route| !well.contains(route) && !excused.contains(route.as_str()))
        .collect();
    assert!(never.is_empty(), "never seen to go well: {never:?}");
}

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn to_put_twice_is_to_put_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let send = async |method: Method, path: &str, body: Value| {
        let request =
            owner.request(method, path).header(header::CONTENT_TYPE, "application/json").header("x-csrf-token", &owner.csrf);
        house.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    house.person("grace@example.com", Role::Viewer).await;
    let grace: uuid::Uuid =
        sqlx::query_scalar("select id from person where email = 'grace@example.com'").fetch_one(house.pool()).await.unwrap();
    let new = json!({ "connector": "http", "auth": "bearer", "name": "Shop", "fields": { "token": "s3cret-token" }, "hosts": ["a.example.com:8443"] });
    let made = send(Method::POST, "/api/v1/connections", new).await;
    let connection =
        format!("/api/v1/connections/{}", json_of(&made.body)["id"].as_str().unwrap_or_else(|| panic!("{}", made.body)));
    let mut settings =
        json_of(&house.send(owner.request(Method::GET, "/api/v1/workspace").body(Body::empty()).unwrap()).await.body);
    settings["name"] = "Bakery".into();
    let puts = [
        (format!("/api/v1/members/{grace}"), json!({ "role": "builder" })),
        (format!("/api/v1/instance/people/{grace}"), json!({ "disabled": true })),
        ("/api/v1/workspace".to_owned(), settings),
        (connection.clone(), json!({ "name": "The shop", "hosts": ["b.example.com"], "fields": { "token": "another-token" } })),
    ];
    for (path, body) in puts {
        let once = send(Method::PUT, &path, body.clone()).await;
        let twice = send(Method::PUT, &path, body).await;
        assert!(once.status.is_success(), "{path}: {}", once.body);
        assert_eq!(once.status, twice.status, "{path}: {}", twice.body);
    }
    // What is taken away twice is gone, and that is said.
    for path in [connection, format!("/api/v1/members/{grace}")] {
        assert_eq!(send(Method::DELETE, &path, json!({})).await.status, StatusCode::NO_CONTENT, "{path}");
        let again = send(Method::DELETE, &path, json!({})).await;
        assert_eq!((again.status, json_of(&again.body)["code"].as_str()), (StatusCode::NOT_FOUND, Some("not-found")), "{path}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_write_with_a_key_is_carried_out_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let send = async |path: &str, key: &str, body: Value| {
        let request = owner
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-csrf-token", &owner.csrf)
            .header("idempotency-key", key);
        house.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let first = send("/api/v1/workflows", "one", json!({ "name": "Once" })).await;
    let again = send("/api/v1/workflows", "one", json!({ "name": "Once" })).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let count: i64 = sqlx::query_scalar("select count(*) from workflow").fetch_one(house.pool()).await.unwrap();
    assert_eq!(count, 1);
    assert_eq!(send("/api/v1/workflows", "one", json!({ "name": "Other" })).await.status, StatusCode::CONFLICT);
    assert_eq!(send("/api/v1/workflows", "", json!({ "name": "Once" })).await.status, StatusCode::BAD_REQUEST);
    // A refusal is remembered like any other answer.
    let refused = send("/api/v1/workflows", "two", json!({ "name": "" })).await;
    let again = send("/api/v1/workflows", "two", json!({ "name": "" })).await;
    assert_eq!((refused.status, again.status), (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST));
    // What is shown once is not kept.
    let body = json!({ "email": "x@example.com", "role": "viewer" });
    let made = send("/api/v1/invitations", "three", body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let again = send("/api/v1/invitations", "three", body).await;
    assert!(again.status == StatusCode::CONFLICT && !again.body.contains("/invitations/"), "{}", again.body);
    let kept: i64 = sqlx::query_scalar(
        "select count(*) from idempotent_write where body is not null and convert_from(body, 'UTF8') like '%/invitations/%'",
    )
    .fetch_one(house.pool())
    .await
    .unwrap();
    assert_eq!(kept, 0);
    // So it is with writes that take away: the answer to a DELETE that got lost is not "there is nothing".
    let id = json_of(&first.body)["id"].as_str().unwrap().to_owned();
    let delete = async |key: Option<&str>| {
        let request = owner.request(Method::DELETE, &format!("/api/v1/workflows/{id}")).header("x-csrf-token", &owner.csrf);
        let request = key.iter().fold(request, |request, key| request.header("idempotency-key", *key));
        house.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(delete(Some("four")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete(Some("four")).await.status, StatusCode::NO_CONTENT, "the first answer");
    assert_eq!(delete(None).await.status, StatusCode::NOT_FOUND, "without a key a second one says that it is gone");
    // After a day it is forgotten.
    house.pass(chrono::TimeDelta::hours(25));
    let owner = house.sign_in("olive@example.com", crate::house::PASSWORD).await.unwrap();
    let request = owner
        .request(Method::POST, "/api/v1/workflows")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-csrf-token", &owner.csrf)
        .header("idempotency-key", "one");
    let later = house.send(request.body(Body::from(json!({ "name": "Other" }).to_string())).unwrap()).await;
    assert_eq!(later.status, StatusCode::CREATED, "{}", later.body);
}
