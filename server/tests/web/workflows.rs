//! The list of workflows and what is done there.

use crate::{house::House, trigger::ask};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_engine::catalogue::Catalogue;
use towpath_web::workflows::starters::STARTERS;

#[sqlx::test(migrations = "../migrations")]
async fn every_starter_becomes_a_draft_with_an_address(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    for starter in &STARTERS {
        let made = house.form(&owner, "/workflows", &[("starter", starter.key)]).await;
        assert_eq!(house.get(&owner, made.location()).await.status, StatusCode::OK, "{}", starter.key);
    }
    house.form(&owner, "/workflows", &[("starter", "")]).await;
    assert_eq!(house.form(&owner, "/workflows", &[("starter", "nonsense")]).await.status, StatusCode::NOT_FOUND);
    let (workflows, addresses): (i64, i64) =
        sqlx::query_as("select (select count(*) from workflow), (select count(*) from endpoint where revoked_at is null)")
            .fetch_one(house.pool())
            .await
            .unwrap();
    assert_eq!((workflows, addresses), (4, 3));
    let list = house.get(&owner, "/workflows").await.body;
    assert!(list.contains("When somebody writes to us, send the message to me."), "{list}");
    assert!(list.contains("Nothing starts it yet.") && list.contains("never ran"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_mail_that_no_server_would_take_is_said_while_building(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let mail = |connection: Value| {
        json!({ "document": { "towpath": 1, "name": "Tell me", "trigger": { "use": "manual" }, "steps": [
            { "id": "many", "use": "for_each", "input": { "list": "{{ [1] }}" }, "body": { "steps": [
                { "id": "tell", "use": "email.send", "connection": connection, "input": { "to": "ada@example.com", "subject": "Hello" } } ] } } ] } })
    };
    let said = async |document: Value| {
        let made = ask(&house, &owner, Method::POST, "/api/v1/workflows", Some(document)).await.body;
        let made: Value = serde_json::from_str(&made).unwrap();
        let read = house.get(&owner, &format!("/api/v1/workflows/{}", made["id"].as_str().unwrap())).await.body;
        let read: Value = serde_json::from_str(&read).unwrap();
        let issues = read["issues"].as_array().cloned().unwrap_or_default();
        issues
            .into_iter()
            .filter(|it| it["message"].as_str().unwrap_or_default().contains("TOWPATH_SMTP_URL"))
            .collect::<Vec<_>>()
    };
    let without = said(mail(Value::Null)).await;
    assert_eq!((&without[0]["step"], &without[0]["severity"], without.len()), (&json!("tell"), &json!("warning"), 1));
    let fields = json!({ "host": "mail.example.com", "security": "tls", "from": "shop@example.com" });
    let new = json!({ "connector": "email", "name": "Mail", "fields": fields });
    let made = ask(&house, &owner, Method::POST, "/api/v1/connections", Some(new)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert!(said(mail(json!("Mail"))).await.is_empty(), "a connection has a server of its own");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_workflow_is_renamed_copied_paused_resumed_and_deleted(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let path = house.form(&owner, "/workflows", &[("starter", "answer")]).await.location().to_owned();
    let id = path.rsplit('/').next().unwrap().parse::<uuid::Uuid>().unwrap();

    let empty = house.form(&owner, &format!("{path}/rename"), &[("name", "  ")]).await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    house.form(&owner, &format!("{path}/rename"), &[("name", "Say <hello>")]).await;
    let list = house.get(&owner, "/workflows?done=renamed").await.body;
    assert!(list.contains("Say &#60;hello&#62;") && list.contains("Renamed."), "{list}");
    let (name, revision, edits): (String, i32, i64) = sqlx::query_as(
        "select draft ->> 'name', revision, (select count(*) from workflow_edit e where e.workflow_id = w.id) from workflow w where id = $1",
    )
    .bind(id)
    .fetch_one(house.pool())
    .await
    .unwrap();
    assert_eq!((name.as_str(), revision, edits), ("Say <hello>", 1, 1), "an open builder hears of it");

    let copy = house.form(&owner, &format!("{path}/duplicate"), &[]).await;
    assert_ne!(copy.location(), path);
    assert!(house.get(&owner, "/workflows").await.body.contains("Say &#60;hello&#62; (copy)"));

    assert_eq!(house.form(&owner, &format!("{path}/pause"), &[]).await.status, StatusCode::CONFLICT, "a draft can't be paused");
    sqlx::query(
        "with version as (insert into workflow_version (workflow_id, version, workspace_id, document) select id, 1, workspace_id, draft from workflow where id = $1)
         update workflow set state = 'published', published_version = 1, published_revision = 1 where id = $1",
    )
    .bind(id)
    .execute(house.pool())
    .await
    .unwrap();
    assert_eq!(house.form(&owner, &format!("{path}/pause"), &[]).await.location(), "/workflows?done=paused");
    assert!(house.get(&owner, "/workflows").await.body.contains(">paused<"));
    assert_eq!(house.form(&owner, &format!("{path}/resume"), &[]).await.location(), "/workflows?done=resumed");

    let asked = house.get(&owner, &format!("{path}/delete")).await;
    assert!(asked.body.contains("Its address stops answering at once."), "{}", asked.body);
    assert_eq!(house.form(&owner, &format!("{path}/delete"), &[]).await.location(), "/workflows?done=deleted");
    assert_eq!(house.get(&owner, &path).await.status, StatusCode::NOT_FOUND);
    let dead: bool = sqlx::query_scalar("select revoked_at is not null from endpoint where workflow_id = $1")
        .bind(id)
        .fetch_one(house.pool())
        .await
        .unwrap();
    assert!(dead, "its address");
}

#[sqlx::test(migrations = "../migrations")]
async fn home_shows_figures_that_lead_to_their_runs(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    assert_eq!(house.get(&owner, "/").await.location(), "/workflows", "before there is a workflow: the gallery");
    let path = house.form(&owner, "/workflows", &[("starter", "answer")]).await.location().to_owned();
    let workflow = path.rsplit('/').next().unwrap().parse::<uuid::Uuid>().unwrap();
    for (state, reason) in [(1, None), (1, None), (2, Some("The service refused the <order>."))] {
        sqlx::query(
            "insert into run_end (id, workspace_id, workflow_id, state, steps, reason, finished_at)
             select $1, workspace_id, id, $3, 1, $4, now() from workflow where id = $2",
        )
        .bind(uuid::Uuid::now_v7())
        .bind(workflow)
        .bind(state as i16)
        .bind(reason)
        .execute(house.pool())
        .await
        .unwrap();
    }
    for period in ["day", "week"] {
        let page = house.get(&owner, &format!("/?period={period}")).await.body;
        assert!(page.contains(&format!("/runs?state=failed&amp;period={period}")), "{page}");
        assert!(page.contains("33 % of 3") && page.contains("The service refused the &#60;order&#62;."), "{page}");
        assert!(page.contains("2 succeeded, 1 failed"), "{page}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_operation_has_an_icon_that_is_drawn(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    for operation in house.app.registry.operations() {
        let drawn_by_its_connector = house.app.registry.listed(&operation.icon).is_some_and(|listed| listed.icon.is_some());
        assert!(
            drawn_by_its_connector || towpath_web::icon_exists(&operation.icon),
            "{}: no icon {}",
            operation.name,
            operation.icon
        );
    }
}

/// `jsonb` on the way in would put keys in another order and refuse U+0000.
#[sqlx::test(migrations = "../migrations")]
async fn a_document_is_kept_as_it_was_written(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let fields = json!({ "zebra": "a\u{0}b", "a": "{{ 1 + 1 }}", "mmm": "9007199254740993" });
    let step = json!({ "id": "set", "use": "set", "input": { "fields": fields } });
    let document = json!({ "towpath": 1, "name": "Kept", "trigger": { "id": "trigger", "use": "manual" }, "steps": [step] });
    let made = ask(&house, &owner, Method::POST, "/api/v1/workflows", Some(json!({ "document": document }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = serde_json::from_str::<Value>(&made.body).unwrap()["id"].as_str().unwrap().to_owned();
    let edit = json!({ "base": 0, "operations": [{ "op": "set_title", "step": "set", "title": "Titled" }] });
    let edited = ask(&house, &owner, Method::POST, &format!("/api/v1/workflows/{id}/edits"), Some(edit)).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.body);
    let stored: String = sqlx::query_scalar("select draft::text from workflow").fetch_one(house.pool()).await.unwrap();
    assert!(stored.contains(&fields.to_string()), "{stored}");

    let odd = json!({ "id": "Not a slug", "use": "set", "input": {} });
    let odd = json!({ "towpath": 1, "name": "Odd", "trigger": null, "steps": [odd] });
    let refused = ask(&house, &owner, Method::POST, "/api/v1/workflows", Some(json!({ "document": odd }))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("can't be the id of a step"), "{}", refused.body);
}
