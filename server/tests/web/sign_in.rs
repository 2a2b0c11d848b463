//! The first start, sign-in, sessions.

use crate::house::{Browser, House, PASSWORD};
use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::net::SocketAddr;
use towpath_server::auth::{permission::Role, setup};

#[sqlx::test(migrations = "../migrations")]
async fn the_first_start_takes_the_printed_token_and_works_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let nobody = Browser::default();
    assert_eq!(house.get(&nobody, "/sign-in").await.location(), "/setup");
    let old = setup::new_token(house.pool()).await.unwrap().unwrap();
    let token = setup::new_token(house.pool()).await.unwrap().unwrap();
    let without = house.get(&nobody, "/setup").await;
    assert_eq!(without.status, StatusCode::FORBIDDEN);
    assert!(without.body.contains("terminal"), "it says where the link is");
    assert_eq!(
        house.get(&nobody, &format!("/setup?token={old}")).await.status,
        StatusCode::FORBIDDEN,
        "a later start made another"
    );
    let page = house.get(&nobody, &format!("/setup?token={token}")).await;
    assert!(page.status.is_success() && page.body.contains("autofocus"));

    let fields = |token: &str, name: &str| {
        [
            ("token", token.to_owned()),
            ("name", name.to_owned()),
            ("email", format!("{name}@Example.com")),
            ("password", PASSWORD.to_owned()),
            ("time_zone", "Europe/Berlin".to_owned()),
        ]
    };
    let send = async |fields: [(&'static str, String); 5]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        house.form(&nobody, "/setup", &fields).await
    };
    assert_eq!(send(fields("wrong", "eve")).await.status, StatusCode::FORBIDDEN);
    let weak = send({
        let mut fields = fields(&token, "ada");
        fields[3].1 = "short".into();
        fields
    })
    .await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        weak.body.contains("ada@Example.com")
            && weak.body.contains("At least 10 characters")
            && weak.body.contains("aria-invalid")
    );
    assert!(!weak.body.contains("value=\"short\""), "a password is not written back");

    // Two at once: one wins.
    let (one, other) = tokio::join!(send(fields(&token, "ada")), send(fields(&token, "bob")));
    let won = [one.cookie(), other.cookie()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(won.len(), 1, "{one:?} {other:?}");
    let people: i64 = sqlx::query_scalar("select count(*) from person").fetch_one(house.pool()).await.unwrap();
    assert_eq!(people, 1);
    let zone: String = sqlx::query_scalar("select time_zone from workspace").fetch_one(house.pool()).await.unwrap();
    assert_eq!(zone, "Europe/Berlin");
    let browser = house.arrive(won[0].clone()).await;
    assert_eq!(house.get(&browser, "/sign-in/arrived?next=%2Fworkflows").await.location(), "/workflows");
    assert!(house.get(&browser, "/workflows").await.body.contains("Build your first workflow"));

    assert_eq!(house.get(&nobody, &format!("/setup?token={token}")).await.location(), "/sign-in");
    assert!(setup::new_token(house.pool()).await.unwrap().is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_password_and_an_unknown_person_look_the_same(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    let mut answers = Vec::new();
    for email in ["olive@example.com", "nobody@example.com"] {
        let answer = house.form(&Browser::default(), "/sign-in", &[("email", email), ("password", "not the password")]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.cookie().is_none());
        answers.push(answer.body.replace(email, ""));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("The e-mail address or the password is not right."));
}

#[sqlx::test(migrations = "../migrations")]
async fn guessing_is_slowed_down_per_account_and_the_owner_gets_in_again(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    let guess = async |password: &str, from: &str| {
        let request = Browser::default()
            .request(Method::POST, "/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 1)));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("email", "olive@example.com"), ("password", password)])
            .finish();
        house.send(request.body(Body::from(body)).unwrap()).await
    };
    for n in 0..5 {
        assert_eq!(guess("wrong", &format!("10.0.{n}.1")).await.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    let slowed = guess(PASSWORD, "10.0.9.1").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(slowed.headers.contains_key(header::RETRY_AFTER));
    house.pass(TimeDelta::seconds(2));
    assert_eq!(guess(PASSWORD, "10.0.9.1").await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_planted_before_sign_in_is_worth_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let before = house.owner().await;
    let planted = Browser { cookie: before.cookie.clone(), csrf: String::new() };
    let answer = house.form(&planted, "/sign-in", &[("email", "olive@example.com"), ("password", PASSWORD)]).await;
    let after = answer.cookie().unwrap();
    assert_ne!(after, before.cookie);
    assert_eq!(house.get(&before, "/settings").await.location(), "/sign-in?next=%2Fsettings", "the session before sign-in ended");
}

#[sqlx::test(migrations = "../migrations")]
async fn sign_in_notices_that_its_cookie_did_not_come_back(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    let answer = house
        .form(
            &Browser::default(),
            "/sign-in",
            &[("email", "olive@example.com"), ("password", PASSWORD), ("next", "/runs?state=failed")],
        )
        .await;
    assert_eq!(answer.location(), "/sign-in/arrived?next=%2Fruns%3Fstate%3Dfailed");
    let lost = house.get(&Browser::default(), answer.location()).await;
    assert!(lost.body.contains("Your browser did not keep you signed in"));
    let kept = house.get(&Browser { cookie: answer.cookie().unwrap(), csrf: String::new() }, answer.location()).await;
    assert_eq!(kept.location(), "/runs?state=failed");
}

#[sqlx::test(migrations = "../migrations")]
async fn sessions_end_by_idleness_by_age_and_by_sign_out(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    let lives = async |browser: &Browser| house.get(browser, "/settings").await.status == StatusCode::OK;

    let idle = house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    house.pass(TimeDelta::hours(11));
    assert!(lives(&idle).await);
    house.pass(TimeDelta::hours(13));
    assert!(!lives(&idle).await, "nobody used it for more than 12 hours");

    let old = house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    for _ in 0..65 {
        house.pass(TimeDelta::hours(11));
        assert!(lives(&old).await);
    }
    house.pass(TimeDelta::hours(8));
    assert!(!lives(&old).await, "it is older than 30 days");

    let out = house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    let answer = house.form(&out, "/sign-out", &[]).await;
    assert_eq!(answer.location(), "/sign-in");
    assert!(answer.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert!(!lives(&out).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn over_https_the_cookie_is_secure_and_bound_to_the_host(pool: PgPoolOptions, options: PgConnectOptions) {
    let settings = [("TOWPATH_PUBLIC_URL", "https://towpath.example.com")];
    let house = House::with(pool, options, &settings).await;
    setup::add_person(house.pool(), "olive@example.com", "Olive", Role::Owner, PASSWORD).await.unwrap();
    let request = Browser::default()
        .request(Method::POST, "/sign-in")
        .header(header::HOST, "towpath.example.com")
        .header(header::ORIGIN, "https://towpath.example.com")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = format!("email=olive%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let answer = house.send(request.body(Body::from(body)).unwrap()).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-towpath=") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
    assert!(answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[sqlx::test(migrations = "../migrations")]
async fn away_from_this_machine_plain_http_is_warned_about(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    let far = Browser::default().request(Method::GET, "/sign-in").extension(ConnectInfo(SocketAddr::from(([192, 168, 1, 9], 1))));
    assert!(house.send(far.body(Body::empty()).unwrap()).await.body.contains("passwords travel in clear text"));
    assert!(!house.get(&Browser::default(), "/sign-in").await.body.contains("passwords travel in clear text"));
}
