//! Changing one's password, and ending one's sessions elsewhere.

use crate::house::{House, PASSWORD};
use axum::http::StatusCode;
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::auth::permission::Role;

#[sqlx::test(migrations = "../migrations")]
async fn a_new_password_ends_the_other_sessions_and_keeps_this_one(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let here = house.owner().await;
    let there = house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    let new = "locks and gates and gates";
    let wrong = house.form(&here, "/settings/password", &[("current", "not it at all"), ("new", new)]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("This is not your current password."));
    let weak = house.form(&here, "/settings/password", &[("current", PASSWORD), ("new", "olive@example.com")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);

    let changed = house.form(&here, "/settings/password", &[("current", PASSWORD), ("new", new)]).await;
    assert_eq!(changed.location(), "/settings?done=password");
    assert_eq!(house.get(&here, "/settings").await.status, StatusCode::OK);
    assert_eq!(house.get(&there, "/settings").await.status, StatusCode::SEE_OTHER);
    assert!(house.sign_in("olive@example.com", PASSWORD).await.is_none());
    assert!(house.sign_in("olive@example.com", new).await.is_some());
}

#[sqlx::test(migrations = "../migrations")]
async fn people_end_their_own_sessions_and_nobody_else_s(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let here = house.owner().await;
    let there = house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    let grace = house.person("grace@example.com", Role::Viewer).await;
    let keys = |page: &str| -> Vec<String> {
        page.split("name=\"session\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let page = house.get(&here, "/settings").await.body;
    let others = keys(&page);
    assert_eq!(others.len(), 1, "this session has no button");
    house.form(&grace, "/settings/sessions/end", &[("session", &others[0])]).await;
    assert_eq!(house.get(&there, "/settings").await.status, StatusCode::OK, "somebody else can't end it");
    house.form(&here, "/settings/sessions/end", &[("session", &others[0])]).await;
    assert_eq!(house.get(&there, "/settings").await.status, StatusCode::SEE_OTHER);

    house.sign_in("olive@example.com", PASSWORD).await.unwrap();
    house.form(&here, "/settings/sessions/end-others", &[]).await;
    assert!(keys(&house.get(&here, "/settings").await.body).is_empty());
    assert_eq!(house.get(&grace, "/settings").await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_workspace_s_settings_are_kept_and_checked(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let fields = [
        ("name", "Bakery"),
        ("time_zone", "Europe/Paris"),
        ("language", "fr-FR"),
        ("alert_mail", "ops@example.com"),
        ("alert_url", "https://chat.example/x"),
    ];
    assert_eq!(house.form(&owner, "/settings/workspace", &fields).await.location(), "/settings/workspace?done=saved");
    let page = house.get(&owner, "/settings/workspace?done=saved").await.body;
    for kept in [
        "Bakery",
        "<option selected>Europe/Paris",
        "data-language=\"fr-FR\"",
        "ops@example.com",
        "https://chat.example/x",
        "Saved.",
    ] {
        assert!(page.contains(kept), "{kept}");
    }
    let wrong = house
        .form(&owner, "/settings/workspace", &[("name", "<b>Shop</b>"), ("time_zone", "UTC"), ("alert_url", "ftp://x")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("&#60;b&#62;Shop&#60;/b&#62;") && wrong.body.contains("ftp://x"), "the input is kept, as text");
}
