//! Workflows that leave as files and come back: connections travel as names, secrets don't travel.

use super::world::{agreed, bearer, call, house, published, step};
use axum::http::Method;
use serde_json::json;
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};

const TOKEN: &str = "tok-93b1f0c4d7e2a865";

#[sqlx::test(migrations = "../migrations")]
async fn a_file_names_connections_and_finds_them_again_by_name(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let crm = bearer(&house, &owner, "Our CRM", TOKEN, "crm.example", "everybody").await;
    let path = published(&house, &owner, "Leaves", &[step("call", "https://crm.example/", Some(&crm))]).await;

    let mut document = agreed(call(&house, &owner, Method::GET, &format!("{path}/export"), json!({})).await)["document"].clone();
    assert_eq!(document["steps"][0]["connection"], "Our CRM");
    assert!(!document.to_string().contains(TOKEN));

    let made =
        agreed(call(&house, &owner, Method::POST, "/api/v1/workflows", json!({ "name": "Is back", "document": document })).await);
    assert_eq!(made["missing_connections"], json!([]));
    let back = format!("/api/v1/workflows/{}", made["id"].as_str().unwrap());
    let draft = agreed(call(&house, &owner, Method::GET, &back, json!({})).await);
    assert_eq!(draft["document"]["steps"][0]["connection"], crm);

    document["steps"][0]["connection"] = "Their CRM".into();
    let made =
        agreed(call(&house, &owner, Method::POST, "/api/v1/workflows", json!({ "name": "Asks", "document": document })).await);
    assert_eq!(made["missing_connections"], json!(["Their CRM"]));
    let asks = format!("/api/v1/workflows/{}", made["id"].as_str().unwrap());
    let draft = agreed(call(&house, &owner, Method::GET, &asks, json!({})).await);
    assert_eq!(draft["document"]["steps"][0].get("connection"), None, "the step asks for one");
}
