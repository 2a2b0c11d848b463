//! Hosted forms and manual starts, as their visitors and their owners meet them.

use crate::{
    house::House,
    trigger::{Placed, ask, body, call, place, view},
};
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};

fn questions() -> Value {
    json!({
        "title": "Say <hello>", "description": "One.\nTwo.", "thank_you": "Thanks a lot!",
        "fields": [
            { "name": "name", "label": "Your name", "required": true },
            { "name": "age", "label": "Age", "kind": "number", "help": "In years" },
            { "name": "colour", "label": "Colour", "kind": "choice", "options": ["red", "blue"] },
            { "name": "ok", "label": "I agree", "kind": "consent", "required": true },
        ],
    })
}

/// Opens the page, waits as a person does, and sends it.
async fn send(house: &House, form: &Placed, fields: &[(&str, &str)], token: Option<&str>) -> crate::house::Answer {
    let fresh = match token {
        Some(token) => token.to_owned(),
        None => token_of(house, &form.path).await,
    };
    let body =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair("towpath_page", &fresh).finish();
    call(house, Method::POST, &form.path, &[("content-type", "application/x-www-form-urlencoded")], body).await
}

async fn token_of(house: &House, path: &str) -> String {
    let page = call(house, Method::GET, path, &[("accept", "text/html")], "").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let token = page.body.split_once("name=\"towpath_page\" value=\"").expect("the page has its token").1;
    house.pass(TimeDelta::seconds(5));
    token.split('"').next().unwrap().to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_form_works_without_scripts_cookies_or_a_session(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let form = place(&house, "form", questions(), json!([]), "published").await;
    let page = call(&house, Method::GET, &form.path, &[("accept", "text/html")], "").await;
    assert!(
        page.body.contains("Say &#60;hello&#62;") && !page.body.contains("<script") && !page.body.contains("style="),
        "{}",
        page.body
    );
    assert!(page.headers.get("set-cookie").is_none());
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'; style-src 'self'"));

    let sent = send(&house, &form, &[("name", " Ada "), ("age", "36"), ("colour", "blue"), ("ok", "yes")], None).await;
    assert_eq!((sent.status, sent.location()), (StatusCode::SEE_OTHER, format!("{}/sent", form.path).as_str()), "{}", sent.body);
    let thanks = call(&house, Method::GET, sent.location(), &[("accept", "text/html")], "").await;
    assert!(thanks.body.contains("Thanks a lot!"), "{}", thanks.body);
    assert_eq!(form.runs(&house).await, 1);
    assert_eq!(form.last_value(&house, &owner).await["body"], json!({ "name": "Ada", "age": 36, "colour": "blue", "ok": true }));
}

#[sqlx::test(migrations = "../migrations")]
async fn wrong_answers_are_said_beside_their_fields_and_what_was_typed_stays(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let form = place(&house, "form", questions(), json!([]), "published").await;
    let sent = send(&house, &form, &[("name", ""), ("age", "\"old\""), ("colour", "red")], None).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in
        ["Please fill this in.", "is not a number", "Please tick this box", "value=\"&#34;old&#34;\"", "value=\"red\" checked"]
    {
        assert!(sent.body.contains(part), "{part}: {}", sent.body);
    }
    assert_eq!(form.runs(&house).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_double_click_is_one_run_and_a_second_answer_from_the_same_page_another(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let form = place(&house, "form", questions(), json!([]), "published").await;
    let token = token_of(&house, &form.path).await;
    for (name, runs) in [("Ada", 1), ("Ada", 1), ("Eve", 2)] {
        assert_eq!(send(&house, &form, &[("name", name), ("ok", "yes")], Some(&token)).await.status, StatusCode::SEE_OTHER);
        assert_eq!(form.runs(&house).await, runs, "{name}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn robots_start_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let form = place(&house, "form", questions(), json!([]), "published").await;
    let trapped = send(&house, &form, &[("name", "Bot"), ("ok", "yes"), ("towpath_website", "http://spam")], None).await;
    assert_eq!(trapped.status, StatusCode::SEE_OTHER, "a robot that is told learns");
    let made_up = send(&house, &form, &[("name", "Bot"), ("ok", "yes")], Some("1.2.3")).await;
    assert_eq!(made_up.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(made_up.body.contains("value=\"Bot\""), "a person's answers would have stayed");
    assert_eq!(form.runs(&house).await, 0);
    assert_eq!(form.refusals(&house, &owner, 1).await, ["spam"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_unpublished_form_shows_itself_to_its_builder_only_and_a_paused_one_keeps_answers(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let form = place(&house, "form", questions(), json!([]), "draft").await;
    let public = call(&house, Method::GET, &form.path, &[("accept", "text/html")], "").await;
    assert!(public.body.contains("not published yet") && !public.body.contains("Your name"), "{}", public.body);

    let card = view(&house, &owner, &form).await;
    let preview = card["preview_url"].as_str().unwrap().strip_prefix("http://localhost").unwrap().to_owned();
    let token = token_of(&house, &preview).await;
    let sent = send(&house, &Placed { path: preview, ..form }, &[("name", "Ada"), ("ok", "yes")], Some(&token)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let form = Placed {
        workspace: form.workspace,
        workflow: form.workflow,
        path: card["form_url"].as_str().unwrap().replace("http://localhost", ""),
    };
    let card = view(&house, &owner, &form).await;
    assert_eq!((&card["parked"]["count"], &card["samples"][0]["value"]["body"]["name"]), (&json!(1), &json!("Ada")));

    form.publish(&house).await;
    form.set_state(&house, "paused").await;
    let sent = send(&house, &form, &[("name", "Eve"), ("ok", "yes")], None).await;
    let thanks = call(&house, Method::GET, sent.location(), &[("accept", "text/html")], "").await;
    assert!(thanks.body.contains("your answers are kept"), "{}", thanks.body);
    assert_eq!((form.runs(&house).await, &view(&house, &owner, &form).await["parked"]["count"]), (0, &json!(2)));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_manual_start_checks_its_inputs_and_says_who_pressed_run(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let input = json!({ "inputs": [{ "name": "amount", "label": "Amount", "kind": "number", "required": true }] });
    let manual = place(&house, "manual", input, json!([]), "draft").await;
    let run =
        async |inputs: Value| ask(&house, &owner, Method::POST, &manual.api("/run"), Some(json!({ "inputs": inputs }))).await;
    let wrong = run(json!({ "amount": "much" })).await;
    assert_eq!((wrong.status, &body(&wrong)["fields"][0]["field"]), (StatusCode::CONFLICT, &json!("inputs.amount")));
    assert_eq!(body(&run(json!({ "amount": 1 })).await)["status"], "parked", "of a draft it becomes a sample");
    manual.publish(&house).await;
    let started = run(json!({ "amount": "2.5" })).await;
    assert_eq!(started.status, StatusCode::ACCEPTED);
    assert_eq!(manual.runs(&house).await, 1);
    let value = manual.last_value(&house, &owner).await;
    assert_eq!(value, json!({ "by": "Olive", "body": { "amount": 2.5 } }));
    manual.set_state(&house, "paused").await;
    assert_eq!(run(json!({ "amount": 1 })).await.status, StatusCode::CONFLICT);
}
