//! Polls in the whole application, with the feed connector and a real feed server on this machine.

use crate::{
    house::{Browser, House},
    service::Feed,
    trigger::{ask, body},
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::time::Duration;

/// A workflow that a feed starts.
struct News<'a> {
    house: &'a House,
    owner: Browser,
    id: String,
}

async fn house(pool: PgPoolOptions, options: PgConnectOptions) -> (House, Browser) {
    let house = House::with(pool, options, &[("TOWPATH_EGRESS_ALLOW", "127.0.0.1/32")]).await;
    let owner = house.owner().await;
    (house, owner)
}

impl<'a> News<'a> {
    async fn draft(house: &'a House, owner: &Browser, url: &str) -> Self {
        let made = ask(house, owner, Method::POST, "/api/v1/workflows", Some(json!({ "name": "News" }))).await;
        let news = Self { house, owner: owner.clone(), id: body(&made)["id"].as_str().unwrap().to_owned() };
        news.edit(json!({ "op": "set_trigger", "trigger": { "use": "feed.new_item", "input": { "url": url } } })).await;
        let step = json!({ "id": "seen", "use": "set", "input": { "fields": { "title": "{{ trigger.body.title }}" } } });
        news.edit(json!({ "op": "add_step", "at": { "index": 0 }, "step": step })).await;
        news
    }

    async fn published(house: &'a House, owner: &Browser, url: &str) -> Self {
        let news = Self::draft(house, owner, url).await;
        news.done("publish").await;
        news
    }

    async fn call(&self, method: Method, below: &str, sent: Option<Value>) -> (StatusCode, Value) {
        let answer = ask(self.house, &self.owner, method, &format!("/api/v1/workflows/{}{below}", self.id), sent).await;
        (answer.status, body(&answer))
    }

    async fn done(&self, what: &str) -> Value {
        let (status, said) = self.call(Method::POST, &format!("/{what}"), Some(json!({}))).await;
        assert_eq!(status, StatusCode::OK, "{what}: {said}");
        said
    }

    async fn edit(&self, operation: Value) {
        let now = self.call(Method::GET, "", None).await.1;
        let edit = json!({ "base": now["revision"], "operations": [operation] });
        let (status, said) = self.call(Method::POST, "/edits", Some(edit)).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    /// Looks now; what was found, and how the poll stands then.
    async fn check(&self) -> (i64, i64, Value) {
        let said = self.done("trigger/check").await;
        (said["seen"].as_i64().unwrap(), said["new"].as_i64().unwrap(), said)
    }

    async fn titles(&self) -> Vec<String> {
        let events: Vec<Vec<u8>> =
            sqlx::query_scalar("select payload from run where workflow_id = $1::uuid and trigger_kind = 6 order by id")
                .bind(uuid::Uuid::parse_str(&self.id).unwrap())
                .fetch_all(self.house.pool())
                .await
                .unwrap();
        let title =
            |event: Vec<u8>| towpath_engine::event::Event::from_bytes(&event).unwrap().to_value()["body"]["title"].clone();
        events.into_iter().map(|event| title(event).as_str().unwrap().to_owned()).collect()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_there_starts_nothing_and_each_new_item_starts_one_run_in_order(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let feed = Feed::start(1..=40).await;
    let news = News::published(&house, &owner, &feed.url).await;
    let (_, fresh, said) = news.check().await;
    assert_eq!((fresh, &said["first"]), (0, &json!(true)));
    assert!(news.titles().await.is_empty(), "the first look never floods");
    let samples = said["trigger"]["samples"].as_array().unwrap();
    assert!(!samples.is_empty() && samples.len() <= 5, "its newest items are something to build with");
    assert_eq!(said["trigger"]["parked"]["count"], 0, "and nobody is asked to start them");

    let (seen, fresh, said) = news.check().await;
    assert_eq!((seen, fresh, feed.answered(304)), (0, 0, 1), "an unchanged feed isn't sent again");
    assert_eq!((&said["trigger"]["poll"]["looks"], &said["trigger"]["poll"]["quiet"]), (&json!(2), &json!(1)));

    feed.add(41..=43);
    let (_, fresh, said) = news.check().await;
    assert_eq!((fresh, news.titles().await), (3, vec!["Item 41".into(), "Item 42".into(), "Item 43".into()]));
    assert_eq!(said["trigger"]["poll"]["new"], 3);
    assert_eq!(news.check().await.1, 0);
    assert_eq!(news.titles().await.len(), 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn publishing_again_and_a_pause_lose_nothing_and_repeat_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let feed = Feed::start(1..=3).await;
    let news = News::published(&house, &owner, &feed.url).await;
    news.check().await;
    feed.add([4]);
    news.edit(json!({ "op": "set_trigger_title", "title": "When there is news" })).await;
    news.done("publish").await;
    assert_eq!(news.check().await.1, 1, "what came between the last look and publishing");
    news.done("pause").await;
    feed.add([5]);
    news.done("resume").await;
    assert_eq!(news.check().await.1, 1, "what came during the pause");
    // Another feed: the first look is the first again.
    let other = Feed::start(1..=9).await;
    news.edit(json!({ "op": "set_trigger_input", "field": "url", "value": other.url })).await;
    news.done("publish").await;
    assert_eq!(news.check().await.2["first"], true);
    assert_eq!(news.titles().await, ["Item 4", "Item 5"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_look_that_fails_says_why_slows_down_and_loses_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let feed = Feed::start(1..=2).await;
    let news = News::published(&house, &owner, &feed.url).await;
    news.check().await;
    feed.set_broken(true);
    feed.add([3]);
    for failures in 1..=2 {
        let (_, _, said) = news.check().await;
        let poll = &said["trigger"]["poll"];
        assert_eq!(poll["failures"], failures);
        assert!(poll["error"].as_str().is_some_and(|error| error.contains("500")), "{poll}");
        let next: chrono::DateTime<chrono::Utc> = poll["next_at"].as_str().unwrap().parse().unwrap();
        // Half of a doubled pause at least.
        assert!(next - house.app.clock.now() >= chrono::TimeDelta::minutes(5 * failures), "{poll}");
    }
    feed.set_broken(false);
    let (_, fresh, said) = news.check().await;
    assert_eq!((fresh, &said["trigger"]["poll"]["failures"], &said["trigger"]["poll"]["error"]), (1, &json!(0), &Value::Null));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_cursor_stays_where_it_is_when_nothing_can_be_stored(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let feed = Feed::start(1..=2).await;
    let news = News::published(&house, &owner, &feed.url).await;
    news.check().await;
    let cursor = |()| sqlx::query_scalar::<_, String>("select cursor::text from poll").fetch_one(house.pool());
    let before = cursor(()).await.unwrap();
    feed.add(3..=30);
    house.app.engine.drain(Duration::from_secs(1)).await;
    let (status, said) = news.call(Method::POST, "/trigger/check", Some(json!({}))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
    assert_eq!(cursor(()).await.unwrap(), before);
    assert!(news.titles().await.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn before_it_is_published_a_look_finds_samples_and_starts_nothing(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let feed = Feed::start(1..=3).await;
    let news = News::draft(&house, &owner, &feed.url).await;
    for _ in 0..2 {
        let (seen, fresh, said) = news.check().await;
        assert!(seen > 0 && fresh == 0);
        assert_eq!(said["trigger"]["samples"].as_array().unwrap().len(), usize::try_from(seen).unwrap(), "each sample once");
        assert_eq!(said["trigger"]["poll"], Value::Null);
    }
    // A trigger that looks for nothing has nothing to check.
    news.edit(json!({ "op": "set_trigger", "trigger": { "use": "manual" } })).await;
    assert_eq!(news.call(Method::POST, "/trigger/check", Some(json!({}))).await.0, StatusCode::CONFLICT);
    // And too often is a mistake in the form.
    let often = json!({ "use": "feed.new_item", "input": { "url": feed.url, "check_every": "1s" } });
    news.edit(json!({ "op": "set_trigger", "trigger": often })).await;
    let (status, said) = news.call(Method::POST, "/publish", Some(json!({}))).await;
    assert_eq!((status, said["fields"][0]["field"].as_str()), (StatusCode::CONFLICT, Some("trigger.check_every")));
}
