//! Attempts to get at a connection's secrets, or to act through a connection that isn't one's own. Each ends in a sentence and in
//! nothing that left.

use super::{
    echo::Echo,
    world::{add, agreed, bearer, call, edit, ended, error, house, publish, published, run, step, waiting, workflow},
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::auth::permission::Role;

const TOKEN: &str = "tok-4f2a9c1e77b05d36";

fn leaked(echo: &Echo) -> bool {
    echo.heard.all().iter().any(|heard| heard.contains(TOKEN))
}

#[sqlx::test(migrations = "../migrations")]
async fn a_step_that_is_pointed_at_another_host_sends_it_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let (service, evil) = (Echo::start().await, Echo::start().await);
    let crm = bearer(&house, &owner, "CRM", TOKEN, &service.host(), "everybody").await;
    let good = published(&house, &owner, "Good", &[step("call", &service.url("/echo"), Some(&crm))]).await;
    assert_eq!(run(&house, &owner, &good).await["state"], "succeeded");
    assert!(leaked(&service), "the service itself does get it");

    let bad = published(&house, &owner, "Bad", &[step("call", &evil.url("/echo"), Some(&crm))]).await;
    let ended = run(&house, &owner, &bad).await;
    assert_eq!(ended["state"], "failed");
    let said = error(&ended);
    assert!(said.contains("“CRM” may not be used for") && said.contains("Nothing was sent."), "{said}");
    assert_eq!(evil.heard.all(), Vec::<String>::new(), "not even a request without it");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_redirect_takes_secrets_along_on_their_own_origin_only(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let (service, evil) = (Echo::start().await, Echo::start().await);
    // Even a host that the connection allows gets nothing by a redirect from another origin.
    let new = json!({
        "connector": "http", "auth": "bearer", "name": "CRM", "fields": { "token": TOKEN },
        "hosts": [service.host(), evil.host()], "sharing": "everybody"
    });
    let crm = super::world::connect(&house, &owner, new).await;
    let to = |url: String| {
        service.url(&format!("/redirect?to={}", url::form_urlencoded::byte_serialize(url.as_bytes()).collect::<String>()))
    };
    let steps = [
        step("same", &to(service.url("/echo")), Some(&crm)),
        step("other", &to(evil.url("/echo")), Some(&crm)),
        step("name", &to(format!("http://localhost:{}/echo", service.port)), None),
    ];
    let path = published(&house, &owner, "Redirected", &steps[..2]).await;
    assert_eq!(run(&house, &owner, &path).await["state"], "succeeded");
    let heard = service.heard.all();
    assert!(heard.iter().filter(|it| it.starts_with("GET /echo")).all(|it| it.contains(TOKEN)), "{heard:#?}");
    assert_eq!(evil.heard.all().len(), 1);
    assert!(!leaked(&evil));
}

#[sqlx::test(migrations = "../migrations")]
async fn secrets_do_not_travel_readable_over_the_internet(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let crm = bearer(&house, &owner, "CRM", TOKEN, "nowhere.example", "everybody").await;
    let path = published(&house, &owner, "Clear", &[step("call", "http://nowhere.example/", Some(&crm))]).await;
    let said = error(&run(&house, &owner, &path).await);
    assert!(said.contains("its secrets would travel readable"), "{said}");
}

#[sqlx::test(migrations = "../migrations")]
async fn somebody_it_is_not_shared_with_can_neither_choose_it_nor_change_what_it_does(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let (service, evil) = (Echo::start().await, Echo::start().await);
    let crm = bearer(&house, &owner, "CRM", TOKEN, &service.host(), "people").await;
    let path = published(&house, &owner, "Sync", &[step("call", &service.url("/echo"), Some(&crm))]).await;
    let builder = house.person("bert@example.com", Role::Builder).await;

    // Choosing it: in a workflow of his own, nested, in the trigger, in a whole step, by undoing, by copying.
    let own = workflow(&house, &builder, "Mine").await;
    let branch = json!({ "id": "b", "use": "branch", "cases": [{ "if": { "all": [] }, "steps": [step("deep", &service.url("/echo"), Some(&crm))] }] });
    agreed(add(&house, &builder, &own, &[step("plain", &service.url("/echo"), None)]).await);
    for operations in [
        json!([{ "op": "set_connection", "step": "plain", "connection": crm }]),
        json!([{ "op": "set_connection", "step": "trigger", "connection": crm }]),
        json!([{ "op": "add_step", "at": { "index": 0 }, "step": step("new", &service.url("/echo"), Some(&crm)) }]),
        json!([{ "op": "add_step", "at": { "index": 0 }, "step": branch }]),
        json!([{ "op": "set_trigger", "trigger": { "use": "manual", "connection": crm } }]),
    ] {
        let answer = edit(&house, &builder, &own, operations.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{operations}: {}", answer.body);
        assert!(answer.body.contains("isn't shared with you"), "{}", answer.body);
    }
    let copy = agreed(call(&house, &builder, Method::POST, &format!("{path}/duplicate"), json!({})).await);
    let copy = agreed(
        call(&house, &builder, Method::GET, &format!("/api/v1/workflows/{}", copy["id"].as_str().unwrap()), json!({})).await,
    );
    assert_eq!(copy["document"]["steps"][0].get("connection"), None, "a copy asks for its own");

    // Changing what it does in the workflow that has it: another address, another operation, one more step. Moving and removing go.
    let tampered = json!([{ "op": "set_input", "step": "call", "field": "url", "value": service.url("/delete-everything") }]);
    let more = json!([{ "op": "duplicate_step", "step": "call" }]);
    for operations in [tampered, more] {
        let answer = edit(&house, &builder, &path, operations).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    }
    agreed(edit(&house, &builder, &path, json!([{ "op": "set_name", "name": "Renamed" }])).await);
    assert_eq!(publish(&house, &builder, &path).await.status, StatusCode::OK, "its owner's word still counts");
    assert_eq!(run(&house, &owner, &path).await["state"], "succeeded");

    // Trying a step out as a way around: the workflow has it, and the person who presses the button doesn't.
    let before = service.heard.all().len();
    let trial = agreed(call(&house, &builder, Method::POST, &format!("{path}/steps/call/test"), json!({ "send": true })).await);
    assert!(trial["error"]["message"].as_str().unwrap().contains("isn't shared with you"), "{trial}");
    let tested =
        call(&house, &builder, Method::POST, &format!("/api/v1/connections/{crm}/test"), json!({ "url": service.url("/echo") }))
            .await;
    assert_eq!(tested.status, StatusCode::FORBIDDEN, "{}", tested.body);
    assert_eq!(service.heard.all().len(), before);

    // Nor can he share it with himself, point it elsewhere or delete it.
    let me = agreed(call(&house, &builder, Method::GET, &format!("/api/v1/connections/{crm}"), json!({})).await);
    assert_eq!((&me["usable"], &me["manageable"]), (&json!(false), &json!(false)));
    for change in [json!({ "sharing": "everybody" }), json!({ "hosts": [evil.host()], "fields": { "token": "x" } })] {
        let answer = call(&house, &builder, Method::PUT, &format!("/api/v1/connections/{crm}"), change).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    }
    let answer = call(&house, &builder, Method::DELETE, &format!("/api/v1/connections/{crm}"), json!({})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_no_longer_shared_stops_at_its_next_use(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let service = Echo::start().await;
    let builder = house.person("bert@example.com", Role::Builder).await;
    let (bert,): (uuid::Uuid,) =
        sqlx::query_as("select id from person where email = 'bert@example.com'").fetch_one(house.pool()).await.unwrap();
    let crm = bearer(&house, &owner, "CRM", TOKEN, &service.host(), "people").await;
    let at = format!("/api/v1/connections/{crm}");
    agreed(call(&house, &owner, Method::PUT, &at, json!({ "people": [bert] })).await);
    let path = published(&house, &builder, "His", &[step("call", &service.url("/echo"), Some(&crm))]).await;
    assert_eq!(run(&house, &builder, &path).await["state"], "succeeded");

    agreed(call(&house, &owner, Method::PUT, &at, json!({ "people": [] })).await);
    let before = service.heard.all().len();
    let ended = run(&house, &builder, &path).await;
    assert!(error(&ended).contains("Whoever gave this workflow the connection “CRM” may no longer use it"), "{ended:#}");
    assert_eq!(service.heard.all().len(), before);
    let draft = agreed(call(&house, &owner, Method::GET, &path, json!({})).await);
    assert_eq!(draft["issues"], json!([]), "its owner may use it: publishing mends it");
    let theirs = agreed(call(&house, &builder, Method::GET, &path, json!({})).await);
    assert_eq!(theirs["issues"][0]["field"], "connection", "{theirs:#}");
    // The owner puts her own word in the place of his.
    agreed(edit(&house, &owner, &path, json!([{ "op": "set_connection", "step": "call", "connection": crm }])).await);
    assert_eq!(run(&house, &owner, &path).await["state"], "succeeded");

    // Everybody's connection doesn't hang on who chose it, but on the workflow's having been given it.
    agreed(call(&house, &owner, Method::PUT, &at, json!({ "sharing": "everybody" })).await);
    sqlx::query("update connection_binding set bound_by = $1").bind(bert).execute(house.pool()).await.unwrap();
    sqlx::query("update member set role = 'viewer' where person_id = $1").bind(bert).execute(house.pool()).await.unwrap();
    assert_eq!(run(&house, &owner, &path).await["state"], "succeeded");
    sqlx::query("delete from connection_binding").execute(house.pool()).await.unwrap();
    let ended = run(&house, &owner, &path).await;
    assert!(error(&ended).contains("was never given the connection"), "{ended:#}");

    assert_eq!(call(&house, &owner, Method::DELETE, &at, json!({})).await.status, StatusCode::NO_CONTENT);
    let ended = run(&house, &owner, &path).await;
    assert!(error(&ended).contains("The connection of this step was deleted"), "{ended:#}");
}

#[sqlx::test(migrations = "../migrations")]
async fn another_workspaces_connection_is_one_that_is_gone(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let service = Echo::start().await;
    let crm = bearer(&house, &owner, "CRM", TOKEN, &service.host(), "everybody").await;
    let (_, neighbour) = house.neighbour("nina@example.com").await;
    let path = workflow(&house, &neighbour, "Theirs").await;
    agreed(add(&house, &neighbour, &path, &[step("call", &service.url("/echo"), Some(&crm))]).await);
    let draft = agreed(call(&house, &neighbour, Method::GET, &path, json!({})).await);
    assert_eq!(draft["issues"][0]["message"], "The connection of this step is gone. Choose another one for HTTP.");
    assert_eq!(publish(&house, &neighbour, &path).await.status, StatusCode::CONFLICT);
    let trial = agreed(call(&house, &neighbour, Method::POST, &format!("{path}/steps/call/test"), json!({ "send": true })).await);
    assert!(trial["error"]["message"].as_str().unwrap().contains("was deleted"), "{trial}");
    let bound: (i64,) = sqlx::query_as("select count(*) from connection_binding").fetch_one(house.pool()).await.unwrap();
    assert_eq!((bound.0, service.heard.all().len()), (0, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_host_asks_for_the_secret_again(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let (service, evil) = (Echo::start().await, Echo::start().await);
    let crm = bearer(&house, &owner, "CRM", TOKEN, &service.host(), "everybody").await;
    let admin = house.person("adam@example.com", Role::Admin).await;
    let at = format!("/api/v1/connections/{crm}");
    let answer = call(&house, &admin, Method::PUT, &at, json!({ "hosts": [service.host(), evil.host()] })).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("enter this again"), "{}", answer.body);
    let changed = agreed(
        call(&house, &admin, Method::PUT, &at, json!({ "hosts": [evil.host()], "fields": { "token": "another-token-99" } }))
            .await,
    );
    assert_eq!(changed["secrets"]["token"], "set, ends in n-99");
    let tested = agreed(call(&house, &owner, Method::POST, &format!("{at}/test"), json!({ "url": evil.url("/echo") })).await);
    assert_eq!(tested["health"], "works", "{tested}");
    assert!(!leaked(&evil), "the old secret went nowhere new");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refusal_by_the_service_shows_at_the_connection_and_leads_to_it_and_the_run_waits(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let service = Echo::start().await;
    let crm = bearer(&house, &owner, "CRM", TOKEN, &service.host(), "everybody").await;
    let path = published(&house, &owner, "Denied", &[step("call", &service.url("/denied"), Some(&crm))]).await;
    let refused = waiting(&house, &owner, &path).await;
    let hint = refused["steps"][0]["hint"].as_str().unwrap_or_default().to_owned();
    assert!(hint.contains("Open the connection “CRM” under Connections"), "{refused:#}");
    assert_eq!((&refused["state"], &refused["steps"][0]["waits_for"]), (&json!("waiting"), &json!(crm)));
    let at = format!("/api/v1/connections/{crm}");
    let shown = agreed(call(&house, &owner, Method::GET, &at, json!({})).await);
    assert_eq!((&shown["health"], &shown["waiting_runs"]), (&json!("expired"), &json!(1)));
    assert_eq!(shown["used_by"][0]["name"], "Denied");
    let draft = agreed(call(&house, &owner, Method::GET, &path, json!({})).await);
    assert!(draft["issues"].as_array().unwrap().iter().any(|it: &Value| it["severity"] == "warning"), "{draft:#}");
    let tested = agreed(call(&house, &owner, Method::POST, &format!("{at}/test"), json!({ "url": service.url("/echo") })).await);
    assert_eq!(tested["health"], "works");
    // It is tried again, refused again, and waits again; until somebody gives it up.
    let run = format!("/api/v1/runs/{}", refused["id"].as_str().unwrap());
    let begun = std::time::Instant::now();
    while agreed(call(&house, &owner, Method::GET, &run, json!({})).await)["steps"][0]["attempts"] != 2 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it was not tried again");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    agreed(call(&house, &owner, Method::POST, &format!("{run}/cancel"), json!({})).await);
    assert_eq!(ended(&house, &owner, refused["id"].as_str().unwrap()).await["state"], "cancelled");
}
