//! Programs come in by tokens: what a token opens, what it never opens, and how it ends.

use crate::house::{Answer, Browser, House, PASSWORD};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::{
    auth::{
        enforcement::scope_of,
        permission::{Role, Rule},
        scope::Scope,
    },
    routes,
};

/// A program: no cookie, no token of a page, only the header.
async fn program(house: &House, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = match body {
        Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    house.send(request.unwrap()).await
}

/// Makes a token as the page's script would.
async fn make(house: &House, by: &Browser, scopes: &[Scope], days: Option<u16>) -> Answer {
    let body = json!({ "name": "Deploy", "scopes": scopes, "days": days });
    let request = by
        .request(Method::POST, "/api/v1/tokens")
        .header(header::ORIGIN, "http://localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-csrf-token", &by.csrf);
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn token(house: &House, by: &Browser, scopes: &[Scope]) -> String {
    let answer = make(house, by, scopes, None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    serde_json::from_str::<Value>(&answer.body).unwrap()["token"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_program_works_by_a_token_and_needs_nothing_of_a_browser(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let token = token(&house, &owner, &[Scope::Read, Scope::Edit]).await;
    let made = program(&house, &token, Method::POST, "/api/v1/workflows", Some(json!({ "name": "New" }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let me = program(&house, &token, Method::GET, "/api/v1/me", None).await;
    assert_eq!(serde_json::from_str::<Value>(&me.body).unwrap()["email"], "olive@example.com");
    // What is stored opens nothing, and says when it was used.
    let kept: (Vec<u8>, bool) =
        sqlx::query_as("select token_hash, used_at is not null from api_token").fetch_one(house.pool()).await.unwrap();
    assert!(kept.1 && !token.as_bytes().windows(32).any(|part| part == kept.0));
    let listed = program(&house, &token, Method::GET, "/api/v1/tokens", None).await;
    assert!(listed.body.contains("Deploy") && !listed.body.contains(&token), "{}", listed.body);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_opens_the_api_and_no_page_and_a_cookie_beside_it_counts_for_nothing(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let token = token(&house, &owner, &Scope::ALL).await;
    assert_eq!(program(&house, &token, Method::GET, "/metrics", None).await.status, StatusCode::OK, "with the scope for it");
    let reads = self::token(&house, &owner, &[Scope::Read]).await;
    assert_eq!(program(&house, &reads, Method::GET, "/metrics", None).await.status, StatusCode::FORBIDDEN);
    for path in ["/", "/workflows", "/settings/members"] {
        let answer = program(&house, &token, Method::GET, path, None).await;
        assert!(answer.status == StatusCode::SEE_OTHER || answer.status == StatusCode::UNAUTHORIZED, "{path}: {}", answer.status);
    }
    let wrong = owner.request(Method::GET, "/api/v1/me").header(header::AUTHORIZATION, "Bearer nonsense");
    let answer = house.send(wrong.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "the cookie was taken instead");
    let basic = owner.request(Method::GET, "/api/v1/me").header(header::AUTHORIZATION, "Basic b2xpdmU6cGFzcw==");
    assert_eq!(house.send(basic.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

#[sqlx::test(migrations = "../migrations")]
async fn each_scope_opens_its_routes_and_no_other(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    for scope in Scope::ALL {
        let token = token(&house, &owner, &[scope]).await;
        for route in routes::all().table.into_iter().filter(|route| route.path.starts_with("/api/v1/")) {
            if matches!(route.rule, Rule::Public | Rule::Visitor) || route.path == "/api/v1/workspace/leave" {
                continue;
            }
            let id = uuid::Uuid::nil().to_string();
            let path: Vec<&str> = route
                .path
                .split('/')
                .map(|part| match part {
                    "{version}" | "{attempt}" => "1",
                    part if part.starts_with('{') => &id,
                    part => part,
                })
                .collect();
            let answer = program(&house, &token, route.method.clone(), &path.join("/"), Some(json!({}))).await;
            let opens = scope_of(route.rule, &route.method) == Some(scope);
            let at = format!("{} {} with {}: {}", route.method, route.path, scope.name(), answer.body);
            assert_eq!(answer.status == StatusCode::FORBIDDEN, !opens, "{at}");
            assert!(!answer.status.is_server_error(), "{at}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_never_gives_more_than_its_person_has(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let grace = house.person("grace@example.com", Role::Viewer).await;
    let graces = token(&house, &grace, &Scope::ALL).await;
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from person where email = 'grace@example.com'").fetch_one(house.pool()).await.unwrap();
    let create = || program(&house, &graces, Method::POST, "/api/v1/workflows", Some(json!({ "name": "New" })));
    assert_eq!(create().await.status, StatusCode::FORBIDDEN, "a viewer builds nothing");
    house.form(&owner, &format!("/settings/members/{id}/role"), &[("role", "builder")]).await;
    assert_eq!(create().await.status, StatusCode::CREATED);
    // Nor does it make a token with more than its own scopes.
    let owners = token(&house, &owner, &[Scope::Manage, Scope::Read]).await;
    let more = json!({ "name": "More", "scopes": ["read", "edit"] });
    let answer = program(&house, &owners, Method::POST, "/api/v1/tokens", Some(more)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    // Removed, she leaves no key behind; invited again, she doesn't find the old one.
    house.form(&owner, &format!("/settings/members/{id}/remove"), &[]).await;
    assert_eq!(create().await.status, StatusCode::UNAUTHORIZED);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_ends_by_age_by_hand_and_with_its_person(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let works = async |token: &str| program(&house, token, Method::GET, "/api/v1/me", None).await.status == StatusCode::OK;
    let day: Value = serde_json::from_str(&make(&house, &owner, &[Scope::Read], Some(1)).await.body).unwrap();
    let day = day["token"].as_str().unwrap().to_owned();
    assert!(works(&day).await);
    house.pass(TimeDelta::days(1));
    assert!(!works(&day).await, "too old");

    let owner = house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    let page =
        house.form(&owner, "/settings/tokens", &[("name", "By page"), ("scope", "read"), ("scope", "edit"), ("days", "")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let shown = page.body.split_once("value=\"tp_").expect("the token is shown").1.split('"').next().unwrap();
    let by_page = format!("tp_{shown}");
    assert!(works(&by_page).await);
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from api_token where name = 'By page'").fetch_one(house.pool()).await.unwrap();
    house.form(&owner, &format!("/settings/tokens/{id}/revoke"), &[]).await;
    assert!(!works(&by_page).await, "taken back");

    let grace = house.person("grace@example.com", Role::Viewer).await;
    let graces = token(&house, &grace, &[Scope::Read]).await;
    assert!(works(&graces).await);
    sqlx::query("update person set disabled_at = now() where email = 'grace@example.com'").execute(house.pool()).await.unwrap();
    assert!(!works(&graces).await, "disabled");
}

#[sqlx::test(migrations = "../migrations")]
async fn wrong_tokens_are_slowed_down_and_right_ones_are_not(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let right = token(&house, &owner, &[Scope::Read]).await;
    let wrong = format!("tp_00000000_{}", "a".repeat(43));
    let mut last = StatusCode::OK;
    for _ in 0..30 {
        last = program(&house, &wrong, Method::GET, "/api/v1/me", None).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..30 {
        assert_eq!(program(&house, &right, Method::GET, "/api/v1/me", None).await.status, StatusCode::OK);
    }
}
