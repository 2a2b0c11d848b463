//! Invitations, roles, leaving, accounts and workspaces, as browsers and programs meet them.

use crate::house::{Answer, Browser, House, PASSWORD};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::auth::permission::Role;

/// Sends JSON as a script of our pages does.
async fn api(house: &House, browser: &Browser, method: Method, path: &str, body: Value) -> Answer {
    let request = browser
        .request(method, path)
        .header(header::ORIGIN, "http://localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-csrf-token", &browser.csrf);
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// Invites by the page and gives the path of the link.
async fn invite(house: &House, by: &Browser, email: &str, role: &str) -> String {
    let answer = house.form(by, "/settings/members/invite", &[("email", email), ("role", role)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    link_in(&answer, "/invitations/")
}

fn link_in(answer: &Answer, kind: &str) -> String {
    let (_, rest) = answer.body.split_once(&format!("http://localhost{kind}")).expect("a link on the page");
    format!("{kind}{}", rest.split('"').next().unwrap())
}

/// The same title and status for whatever is wrong with a link.
fn is_void(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
    assert!(answer.body.contains("This invitation does not work"), "{}", answer.body);
}

async fn person_of(house: &House, email: &str) -> uuid::Uuid {
    sqlx::query_scalar("select id from person where email = $1").bind(email).fetch_one(house.pool()).await.unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stranger_joins_by_a_link_once_and_only_looking_changes_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let link = invite(&house, &owner, "Grace@Example.com", "viewer").await;
    let nobody = Browser::default();
    for _ in 0..2 {
        let page = house.get(&nobody, &link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("Olive") && page.body.contains("Home") && page.body.contains("grace@example.com"));
    }
    let weak = house.form(&nobody, &link, &[("name", "Grace"), ("password", "short")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    let joined = house.form(&nobody, &link, &[("name", "Grace"), ("password", PASSWORD)]).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER, "{}", joined.body);
    let grace = house.arrive(joined.cookie().unwrap()).await;
    assert_eq!(house.get(&grace, "/workflows").await.status, StatusCode::OK);
    assert_eq!(house.get(&grace, "/settings/members").await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.form(&grace, "/workflows", &[]).await.status, StatusCode::FORBIDDEN);

    is_void(&house.get(&nobody, &link).await);
    is_void(&house.form(&nobody, &link, &[("name", "Eve"), ("password", PASSWORD)]).await);
    let kept: Vec<u8> = sqlx::query_scalar("select token_hash from invitation").fetch_one(house.pool()).await.unwrap();
    assert!(!link.as_bytes().windows(kept.len()).any(|part| part == kept), "the secret itself is stored");
}

#[sqlx::test(migrations = "../migrations")]
async fn unknown_old_revoked_and_replaced_links_have_one_answer(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let nobody = Browser::default();
    is_void(&house.get(&nobody, "/invitations/nothing").await);

    let replaced = invite(&house, &owner, "a@example.com", "viewer").await;
    let current = invite(&house, &owner, "a@example.com", "operator").await;
    is_void(&house.get(&nobody, &replaced).await);
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from invitation where revoked_at is null").fetch_one(house.pool()).await.unwrap();
    let renewed = house.form(&owner, &format!("/settings/invitations/{id}/renew"), &[]).await;
    is_void(&house.get(&nobody, &current).await);
    let renewed = link_in(&renewed, "/invitations/");
    assert_eq!(house.get(&nobody, &renewed).await.status, StatusCode::OK);
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from invitation where revoked_at is null").fetch_one(house.pool()).await.unwrap();
    house.form(&owner, &format!("/settings/invitations/{id}/revoke"), &[]).await;
    is_void(&house.get(&nobody, &renewed).await);

    let old = invite(&house, &owner, "b@example.com", "viewer").await;
    house.pass(TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(house.get(&nobody, &old).await.status, StatusCode::OK);
    house.pass(TimeDelta::seconds(1));
    is_void(&house.get(&nobody, &old).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invitation_is_worth_what_its_maker_may_do_now(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let admin = house.person("admin@example.com", Role::Admin).await;
    let above = house.form(&admin, "/settings/members/invite", &[("email", "x@example.com"), ("role", "owner")]).await;
    assert_eq!(above.status, StatusCode::FORBIDDEN, "an admin makes no owners");
    let link = invite(&house, &admin, "x@example.com", "admin").await;
    let admins = person_of(&house, "admin@example.com").await;
    let nobody = Browser::default();
    assert_eq!(house.get(&nobody, &link).await.status, StatusCode::OK);
    let role = format!("/settings/members/{admins}/role");
    assert_eq!(house.form(&owner, &role, &[("role", "builder")]).await.status, StatusCode::SEE_OTHER);
    is_void(&house.form(&nobody, &link, &[("name", "X"), ("password", PASSWORD)]).await);
    assert!(house.sign_in("x@example.com", PASSWORD).await.is_none(), "no account was made");
}

#[sqlx::test(migrations = "../migrations")]
async fn somebody_with_an_account_joins_by_their_password_or_by_one_press(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let (_, neighbour) = house.neighbour("next@example.com").await;
    let link = invite(&house, &owner, "next@example.com", "operator").await;
    let nobody = Browser::default();
    let page = house.get(&nobody, &link).await;
    assert!(page.body.contains("its password lets you in"), "{}", page.body);
    let wrong = house.form(&nobody, &link, &[("password", "not the password")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    // The right person is signed in: one press, with the session's token.
    let without = house.form(&Browser { csrf: String::new(), ..neighbour.clone() }, &link, &[]).await;
    assert_eq!(without.status, StatusCode::FORBIDDEN);
    let joined = house.form(&neighbour, &link, &[]).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER, "{}", joined.body);
    assert_eq!(house.get(&neighbour, "/workflows").await.status, StatusCode::SEE_OTHER, "the old session id is worth nothing");
    let here = house.arrive(joined.cookie().unwrap()).await;
    let me: Value = serde_json::from_str(&house.get(&here, "/api/v1/me").await.body).unwrap();
    assert_eq!(me["workspace"]["role"], "operator");
    assert_eq!(me["workspaces"].as_array().unwrap().len(), 2);

    let second = invite(&house, &owner, "third@example.com", "viewer").await;
    house.neighbour("third@example.com").await;
    let joined = house.form(&nobody, &second, &[("password", PASSWORD)]).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER, "{}", joined.body);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_role_that_is_taken_away_is_gone_at_once_and_a_higher_one_takes_a_new_session_id(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let grace = house.person("grace@example.com", Role::Builder).await;
    let id = person_of(&house, "grace@example.com").await;
    let path = format!("/api/v1/members/{id}");
    let put = |role: &str| json!({ "role": role });
    assert_eq!(api(&house, &owner, Method::PUT, &path, put("viewer")).await.status, StatusCode::NO_CONTENT);
    let made = api(&house, &grace, Method::POST, "/api/v1/workflows", json!({ "name": "New" })).await;
    assert_eq!(made.status, StatusCode::FORBIDDEN, "demoted at once");

    assert_eq!(api(&house, &owner, Method::PUT, &path, put("admin")).await.status, StatusCode::NO_CONTENT);
    let by_script = api(&house, &grace, Method::POST, "/api/v1/workflows", json!({ "name": "New" })).await;
    assert_eq!(by_script.status, StatusCode::CREATED, "the id was made for a builder");
    let as_admin = house.send(grace.request(Method::GET, "/api/v1/members").body(Body::empty()).unwrap()).await;
    assert_eq!(as_admin.status, StatusCode::FORBIDDEN, "and for no admin");
    let page = house.get(&grace, "/settings/members").await;
    assert_eq!(page.status, StatusCode::OK, "a page takes a new id");
    let renewed = page.cookie().expect("a new id");
    assert_ne!(renewed, grace.cookie);
    assert_eq!(house.get(&grace, "/workflows").await.status, StatusCode::SEE_OTHER, "the old id signs nobody in");
    let grace = house.arrive(renewed).await;
    assert_eq!(house.get(&grace, "/settings/members").await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_removed_member_is_out_at_once_and_the_last_owner_stays(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let grace = house.person("grace@example.com", Role::Builder).await;
    let admin = house.person("admin@example.com", Role::Admin).await;
    let (graces, olives) = (person_of(&house, "grace@example.com").await, person_of(&house, "olive@example.com").await);
    assert_eq!(house.get(&owner, &format!("/settings/members/{graces}/remove")).await.status, StatusCode::OK);
    let removed = house.form(&owner, &format!("/settings/members/{graces}/remove"), &[]).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert!(house.get(&grace, "/workflows").await.location().starts_with("/sign-in"));

    let by_admin = house.form(&admin, &format!("/settings/members/{olives}/remove"), &[]).await;
    assert_eq!(by_admin.status, StatusCode::FORBIDDEN, "an admin removes no owner");
    let demoted = house.form(&owner, &format!("/settings/members/{olives}/role"), &[("role", "viewer")]).await;
    assert_eq!(demoted.status, StatusCode::CONFLICT);
    assert_eq!(house.form(&owner, "/settings/leave", &[]).await.status, StatusCode::CONFLICT);
    // With a second owner the first may go.
    let admins = person_of(&house, "admin@example.com").await;
    house.form(&owner, &format!("/settings/members/{admins}/role"), &[("role", "owner")]).await;
    assert_eq!(house.form(&owner, "/settings/leave", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(house.get(&owner, "/workflows").await.location().starts_with("/sign-in"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_disabled_account_is_out_everywhere_until_it_is_enabled(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let grace = house.person("grace@example.com", Role::Builder).await;
    let (graces, olives) = (person_of(&house, "grace@example.com").await, person_of(&house, "olive@example.com").await);
    assert_eq!(house.get(&owner, &format!("/settings/instance/people/{graces}/disable")).await.status, StatusCode::OK);
    house.form(&owner, &format!("/settings/instance/people/{graces}/disable"), &[]).await;
    assert!(house.get(&grace, "/workflows").await.location().starts_with("/sign-in"));
    assert!(house.sign_in("grace@example.com", PASSWORD).await.is_none());
    house.form(&owner, &format!("/settings/instance/people/{graces}/enable"), &[]).await;
    assert!(house.sign_in("grace@example.com", PASSWORD).await.is_some());
    let oneself = house.form(&owner, &format!("/settings/instance/people/{olives}/disable"), &[]).await;
    assert_eq!(oneself.status, StatusCode::CONFLICT);
    let last = house.form(&owner, &format!("/settings/instance/people/{olives}/no-owner"), &[]).await;
    assert_eq!(last.status, StatusCode::CONFLICT, "an instance has an owner");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_link_sets_a_new_password_once_within_the_hour(pool: PgPoolOptions, options: PgConnectOptions) {
    const NEW: &str = "another barge on the towpath";
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let grace = house.person("grace@example.com", Role::Builder).await;
    let graces = person_of(&house, "grace@example.com").await;
    let nobody = Browser::default();
    let make = async || {
        let answer = house.form(&owner, &format!("/settings/instance/people/{graces}/reset"), &[]).await;
        link_in(&answer, "/reset/")
    };
    let first = make().await;
    let second = make().await;
    assert_eq!(house.get(&nobody, &first).await.status, StatusCode::NOT_FOUND, "a newer link was made");
    assert_eq!(house.get(&nobody, &second).await.status, StatusCode::OK);
    let weak = house.form(&nobody, &second, &[("password", "short")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.form(&nobody, &second, &[("password", NEW)]).await.status, StatusCode::SEE_OTHER);
    assert!(house.get(&grace, "/workflows").await.location().starts_with("/sign-in"), "sessions end");
    assert!(house.sign_in("grace@example.com", PASSWORD).await.is_none());
    let grace = house.sign_in("grace@example.com", NEW).await.unwrap();
    assert_eq!(house.form(&nobody, &second, &[("password", PASSWORD)]).await.status, StatusCode::NOT_FOUND, "once");

    let third = make().await;
    house.form(&grace, "/settings/password", &[("current", NEW), ("new", PASSWORD)]).await;
    assert_eq!(house.get(&nobody, &third).await.status, StatusCode::NOT_FOUND, "the password was changed since");
    let fourth = make().await;
    house.pass(TimeDelta::hours(1));
    assert_eq!(house.get(&nobody, &fourth).await.status, StatusCode::NOT_FOUND, "too old");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_workspace_is_made_entered_and_given_up_by_its_name(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let made = api(&house, &owner, Method::POST, "/api/v1/instance/workspaces", json!({ "name": "Sales" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = serde_json::from_str::<Value>(&made.body).unwrap()["id"].as_str().unwrap().to_owned();
    let switched = house.form(&owner, &format!("/workspaces/{id}/switch"), &[]).await;
    assert_eq!(switched.status, StatusCode::SEE_OTHER);
    assert!(house.get(&owner, "/workflows").await.location().starts_with("/sign-in"), "a new session id");
    let owner = house.arrive(switched.cookie().unwrap()).await;
    let workflow = api(&house, &owner, Method::POST, "/api/v1/workflows", json!({ "name": "Quotes" })).await;
    let workflow = serde_json::from_str::<Value>(&workflow.body).unwrap()["id"].as_str().unwrap().to_owned();

    let page = house.get(&owner, "/settings/workspace/delete").await;
    assert!(page.body.contains("Its 1 workflow will stop"), "{}", page.body);
    let mistyped = house.form(&owner, "/settings/workspace/delete", &[("name", "sales")]).await;
    assert_eq!(mistyped.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.get(&owner, &format!("/workflows/{workflow}")).await.status, StatusCode::OK);
    let deleted = house.form(&owner, "/settings/workspace/delete", &[("name", "Sales")]).await;
    assert_eq!(deleted.status, StatusCode::SEE_OTHER);
    assert!(house.get(&owner, "/workflows").await.location().starts_with("/sign-in"));
    // Nothing of it runs, so all of it goes.
    let id: uuid::Uuid = id.parse().unwrap();
    towpath_server::people::workspaces::wind_up(&house.app, id.into()).await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from workspace where id = $1) + (select count(*) from workflow where workspace_id = $1)",
    )
    .bind(id)
    .fetch_one(house.pool())
    .await
    .unwrap();
    assert_eq!(left, 0);
    assert!(house.sign_in("olive@example.com", PASSWORD).await.is_some(), "the other workspace is untouched");
}

#[sqlx::test(migrations = "../migrations")]
async fn lists_come_in_pages_that_miss_nobody(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    sqlx::query(
        "with new as (insert into person (id, email, name, password_hash)
                      select gen_random_uuid(), 'p' || n || '@example.com', 'Person ' || (n % 3), 'none' from generate_series(1, 7) n returning id)
         insert into member (workspace_id, person_id, role) select (select id from workspace), id, 'viewer' from new",
    )
    .execute(house.pool())
    .await
    .unwrap();
    for path in ["/api/v1/members", "/api/v1/instance/people"] {
        let mut seen = std::collections::BTreeSet::new();
        let mut next = Some(format!("{path}?limit=3"));
        while let Some(page) = next {
            let answer = house.get(&owner, &page).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            for item in body["items"].as_array().unwrap() {
                assert!(seen.insert(item["email"].as_str().unwrap().to_owned()), "{path}: {item} came twice");
            }
            next = body["next"].as_str().map(|after| format!("{path}?limit=3&after={after}"));
        }
        assert_eq!(seen.len(), 8, "{path}");
    }
    let wrong = house.get(&owner, "/api/v1/members?limit=0").await;
    assert!(wrong.status == StatusCode::BAD_REQUEST && wrong.body.contains("\"field\":\"limit\""), "{}", wrong.body);
    let wrong = house.get(&owner, "/api/v1/members?from=1").await;
    assert!(wrong.status == StatusCode::BAD_REQUEST && wrong.body.contains("from"), "{}", wrong.body);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_mistake_in_json_names_its_field(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    for (body, field) in [
        (json!({ "email": "a@example.com" }), "role"),
        (json!({ "email": "a@example.com", "role": "emperor" }), "role"),
        (json!({ "email": "a@example.com", "role": "viewer", "rank": 1 }), "rank"),
        (json!({ "email": "nobody", "role": "viewer" }), "email"),
    ] {
        let answer = api(&house, &owner, Method::POST, "/api/v1/invitations", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["fields"][0]["field"], field, "{problem}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_live_stream_ends_with_the_right_to_see_it(pool: PgPoolOptions, options: PgConnectOptions) {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let made = api(&house, &owner, Method::POST, "/api/v1/workflows", json!({ "name": "New" })).await;
    let workflow = serde_json::from_str::<Value>(&made.body).unwrap()["id"].as_str().unwrap().to_owned();
    let grace = house.person("grace@example.com", Role::Viewer).await;
    let request = grace.request(Method::GET, &format!("/api/v1/workflows/{workflow}/live")).header(header::HOST, "localhost");
    let response = house.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    assert!(body.frame().await.is_some(), "the first event");
    let graces = person_of(&house, "grace@example.com").await;
    api(&house, &owner, Method::DELETE, &format!("/api/v1/members/{graces}"), json!({})).await;
    let end = tokio::time::timeout(std::time::Duration::from_secs(5), async { while body.frame().await.is_some() {} }).await;
    assert!(end.is_ok(), "the stream goes on for somebody who was removed");
}
