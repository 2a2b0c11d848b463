//! The pages about connections.

use super::{
    echo::Echo,
    world::{bearer, house, published, step},
};
use axum::http::StatusCode;
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::auth::permission::Role;

#[sqlx::test(migrations = "../migrations")]
async fn a_connection_is_made_tested_changed_and_deleted_in_the_browser(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let service = Echo::start().await;
    assert!(house.get(&owner, "/connections").await.body.contains("No connections yet"));
    let gallery = house.get(&owner, "/connections/new").await.body;
    assert!(gallery.contains("/connections/new?connector=http") && gallery.contains("E-mail (SMTP)"), "{gallery}");
    let form = house.get(&owner, "/connections/new?connector=http&auth=bearer").await.body;
    assert!(form.contains("type=\"password\"") && form.contains("Sent only to these hosts"), "{form}");

    let incomplete = [("connector", "http"), ("auth", "bearer"), ("name", "CRM"), ("f_token", ""), ("hosts", "*")];
    let answer = house.form(&owner, "/connections", &incomplete).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("Fill in “Token”.") && answer.body.contains("is not a host"), "{}", answer.body);
    assert!(answer.body.contains("value=\"CRM\""), "what was typed is kept");

    let host = service.host();
    let complete = [
        ("connector", "http"),
        ("auth", "bearer"),
        ("name", "CRM"),
        ("f_token", "tok-4f2a9c1e77b05d36"),
        ("hosts", host.as_str()),
        ("sharing", "everybody"),
    ];
    let made = house.form(&owner, "/connections", &complete).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let path = made.location().split('?').next().unwrap().to_owned();
    let page = house.get(&owner, &path).await.body;
    assert!(page.contains("Set, ends in 5d36") && page.contains("Not tested") && !page.contains("tok-4f2a"), "{page}");

    let tested = house.form(&owner, &format!("{path}/test"), &[("url", &service.url("/echo"))]).await;
    assert_eq!(tested.status, StatusCode::SEE_OTHER, "{}", tested.body);
    assert!(house.get(&owner, &path).await.body.contains("Works"));
    let astray = house.form(&owner, &format!("{path}/test"), &[("url", "https://evil.example/")]).await;
    assert!(astray.body.contains("may not be used for evil.example"), "{}", astray.body);

    // Another name asks for nothing and says nothing about its health.
    let renamed = [("name", "CRM, sales"), ("f_token", ""), ("hosts", host.as_str()), ("sharing", "people")];
    assert_eq!(house.form(&owner, &path, &renamed).await.status, StatusCode::SEE_OTHER);
    let page = house.get(&owner, &path).await.body;
    assert!(page.contains("CRM, sales") && page.contains("Works"), "{page}");
    let widened = [("name", "CRM, sales"), ("f_token", ""), ("hosts", "evil.example"), ("sharing", "people")];
    let answer = house.form(&owner, &path, &widened).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("enter this again"), "{}", answer.body);

    let id = path.rsplit('/').next().unwrap().to_owned();
    published(&house, &owner, "Sync orders", &[step("call", &service.url("/echo"), Some(&id))]).await;
    let ask = house.get(&owner, &format!("{path}/delete")).await.body;
    assert!(ask.contains("Sync orders") && ask.contains("These workflows run with it"), "{ask}");
    assert!(house.get(&owner, "/connections").await.body.contains("Sync orders"));
    assert_eq!(house.form(&owner, &format!("{path}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.get(&owner, &path).await.status, StatusCode::NOT_FOUND);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_viewer_sees_how_a_connection_is_and_changes_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = house(pool, options).await;
    let owner = house.owner().await;
    let id = bearer(&house, &owner, "CRM", "tok-4f2a9c1e77b05d36", "api.example.com", "everybody").await;
    let viewer = house.person("vera@example.com", Role::Viewer).await;
    let list = house.get(&viewer, "/connections").await.body;
    assert!(list.contains("CRM") && !list.contains("New connection"), "{list}");
    let page = house.get(&viewer, &format!("/connections/{id}")).await.body;
    assert!(page.contains("Olive") && !page.contains("<form method=\"post\" action=\"/connections"), "{page}");
    assert_eq!(house.form(&viewer, &format!("/connections/{id}/delete"), &[]).await.status, StatusCode::FORBIDDEN);
}
