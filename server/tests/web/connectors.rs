//! The catalogue, its drawings, and what fields offer: asked of a service through the door, as a workflow.

use crate::{
    house::{Browser, House},
    trigger::{ask, body},
};
use axum::{
    Json, Router,
    extract::Query,
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::{collections::HashMap, fs, path::PathBuf};
use towpath_server::auth::permission::Role;

/// A connector of the installation, for a service on this machine that wants no sign-in.
fn shelf(port: u16) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("towpath-connectors-{}", uuid::Uuid::new_v4()));
    let folder = directory.join("shelf");
    for (file, text) in towpath_connectors::scaffold::files("shelf") {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let manifest = format!(
        r##"towpath: 1
connector: {{ id: shelf, name: Shelf, version: 1.0.0, sentence: Books on a shelf, categories: [books], hosts: [127.0.0.1] }}
http: {{ base: "http://127.0.0.1:{port}" }}
actions:
  list_rooms:
    internal: true
    effect: read
    get: /rooms
    items: "{{{{ response.body.rooms }}}}"
  list_books:
    internal: true
    effect: read
    input: {{ room: {{ title: Room, required: true }}, q: {{ title: Words }} }}
    get: /books
    query: {{ room: "{{{{ input.room }}}}", q: "{{{{ input.q }}}}" }}
    items: "{{{{ response.body }}}}"
  lend:
    title: Lend a book
    sentence: Lend a book from the shelf
    help: Writes down that somebody has taken a book from the shelf.
    effect: unsafe
    input:
      room: {{ title: Room, required: true, pick: {{ from: list_rooms, value: "{{{{ item.id }}}}", label: "{{{{ item.name }}}}" }} }}
      book:
        title: Book
        required: true
        pick: {{ from: list_books, value: "{{{{ item.id }}}}", label: "{{{{ item.title }}}}", input: {{ room: "{{{{ input.room }}}}" }}, search: q }}
    post: "/books/{{{{ input.book }}}}/lend"
    json: {{ room: "{{{{ input.room }}}}" }}
    example: {{ room: r1, book: b1 }}
    sample: {{ lent: true }}
"##
    );
    fs::write(folder.join("connector.yaml"), manifest).unwrap();
    directory
}

/// The service: what it was asked for stands in its answers.
async fn service() -> u16 {
    let rooms = get(|| async { Json(json!({ "rooms": [{ "id": "r1", "name": "Kitchen" }, { "id": "r2", "name": "" }] })) });
    let books = get(|Query(query): Query<HashMap<String, String>>| async move {
        Json(json!([{ "id": "b1", "title": format!("{} in {}", query.get("q").map_or("all", String::as_str), query["room"]) }]))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/rooms", rooms).route("/books", books)).await });
    port
}

async fn workflow(house: &House, owner: &Browser, step: Value) -> String {
    let made = ask(house, owner, Method::POST, "/api/v1/workflows", Some(json!({ "name": "Lending" }))).await;
    let path = format!("/api/v1/workflows/{}", body(&made)["id"].as_str().unwrap());
    let now = body(&ask(house, owner, Method::GET, &path, None).await);
    let edit = json!({ "base": now["revision"], "operations": [{ "op": "add_step", "at": { "index": 0 }, "step": step }] });
    let answer = ask(house, owner, Method::POST, &format!("{path}/edits"), Some(edit)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    path
}

async fn options(house: &House, by: &Browser, path: &str, asked: Value) -> Value {
    let answer = ask(house, by, Method::POST, &format!("{path}/steps/it/options"), Some(asked)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    body(&answer)
}

#[sqlx::test(migrations = "../migrations")]
async fn a_field_offers_what_the_service_lists(pool: PgPoolOptions, settings: PgConnectOptions) {
    let port = service().await;
    let directory = shelf(port);
    let more = [("TOWPATH_CONNECTORS", directory.to_str().unwrap()), ("TOWPATH_EGRESS_ALLOW", "127.0.0.1/32")];
    let house = House::with(pool, settings, &more).await;
    fs::remove_dir_all(&directory).unwrap();
    let owner = house.owner().await;
    let path = workflow(
        &house,
        &owner,
        json!({ "id": "it", "use": "shelf.lend", "input": { "room": "r1", "book": "{{ trigger.body.book }}" } }),
    )
    .await;

    let rooms = options(&house, &owner, &path, json!({ "field": "room" })).await;
    // What has no name is shown by its id.
    assert_eq!(rooms["options"], json!([{ "value": "r1", "label": "Kitchen" }, { "value": "r2", "label": "r2" }]), "{rooms}");
    assert_eq!(rooms["complete"], true);
    // What depends on another field gets its value, and what is typed is searched for by the service.
    let books = options(&house, &owner, &path, json!({ "field": "book", "query": "tea" })).await;
    assert_eq!(books["options"], json!([{ "value": "b1", "label": "tea in r1" }]), "{books}");
    let other = options(&house, &owner, &path, json!({ "field": "book", "input": { "room": "r2" } })).await;
    assert_eq!(other["options"][0]["label"], "all in r2");
    let none = options(&house, &owner, &path, json!({ "field": "book", "input": { "room": "" } })).await;
    assert!(none["error"]["message"].as_str().unwrap().starts_with("Fill in “room” first"), "{none}");

    let nothing = ask(&house, &owner, Method::POST, &format!("{path}/steps/it/options"), Some(json!({ "field": "nope" }))).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    // Internal operations are no steps of a workflow.
    let catalogue = ask(&house, &owner, Method::GET, "/api/v1/catalogue", None).await.body;
    assert!(catalogue.contains("shelf.lend") && !catalogue.contains("shelf.list_rooms"));
}

#[sqlx::test(migrations = "../migrations")]
async fn without_its_connection_a_field_says_what_to_do_first(pool: PgPoolOptions, settings: PgConnectOptions) {
    let house = House::build(pool, settings).await;
    let owner = house.owner().await;
    let path = workflow(&house, &owner, json!({ "id": "it", "use": "slack.send_message", "input": {} })).await;
    let answer = options(&house, &owner, &path, json!({ "field": "channel" })).await;
    assert_eq!(answer["error"]["message"], "Choose a connection first.");
    // Who may not edit may not make the server ask, either.
    let viewer = house.person("viewer@example.com", Role::Viewer).await;
    let refused =
        ask(&house, &viewer, Method::POST, &format!("{path}/steps/it/options"), Some(json!({ "field": "channel" }))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_catalogue_shows_every_connector_and_its_drawing_is_only_a_picture(pool: PgPoolOptions, settings: PgConnectOptions) {
    let house = House::build(pool, settings).await;
    let owner = house.owner().await;
    let list = house.get(&owner, "/connectors").await;
    assert_eq!(list.status, StatusCode::OK);
    for connector in house.app.registry.connectors() {
        assert!(list.body.contains(&format!("/connectors/{}\"", connector.id)), "{}", connector.id);
        let page = house.get(&owner, &format!("/connectors/{}", connector.id)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", connector.id);
        let Some(listed) = house.app.registry.listed(&connector.id).filter(|listed| listed.icon.is_some()) else { continue };
        let icon = house.get(&owner, &format!("/connectors/{}/icon.svg", listed.connector.id)).await;
        assert_eq!(icon.headers["content-type"], "image/svg+xml");
        let policy = icon.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    }
    let slack = house.get(&owner, "/connectors/slack").await.body;
    for words in [
        "Send a message to a channel",
        "When a message is posted in a channel",
        "Bot token of your own Slack app",
        "Bot Token Scopes",
    ] {
        assert!(slack.contains(words), "{words}");
    }
    assert_eq!(house.get(&owner, "/connectors/nowhere").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get(&owner, "/connectors/http/icon.svg").await.status, StatusCode::NOT_FOUND);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_connector_that_is_not_in_order_keeps_the_server_from_starting(pool: PgPoolOptions, settings: PgConnectOptions) {
    let directory = shelf(1);
    let manifest = directory.join("shelf/connector.yaml");
    let text = fs::read_to_string(&manifest).unwrap().replace("effect: unsafe", "effect: sometimes");
    fs::write(&manifest, text).unwrap();
    let config = [("TOWPATH_CONNECTORS", directory.to_str().unwrap())];
    let error = House::try_with(pool, settings, &config).await.err().map(|error| format!("{error:#}")).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(error.contains("shelf") && error.contains("line ") && error.contains("sometimes"), "{error}");
}
