//! Schedules in the whole application, by a clock that is moved: each slot once, whatever happens around it.

use crate::{
    house::{Browser, House},
    trigger::{ask, body},
};
use axum::http::{Method, StatusCode};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde_json::{Value, json};
use sqlx::{postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_server::ingest::schedule::fire_due;

/// A house whose clock stands at half past some hour, and its owner.
async fn house(pool: PgPoolOptions, options: PgConnectOptions) -> (House, Browser) {
    let house = House::build(pool, options).await;
    let now = house.app.clock.now();
    let past = i64::from(now.minute() * 60 + now.second());
    house.pass(TimeDelta::seconds(1_800 - past));
    let owner = house.owner().await;
    (house, owner)
}

struct Hourly {
    id: String,
    owner: Browser,
}

impl Hourly {
    /// A workflow that a schedule starts, published.
    async fn publish(house: &House, owner: &Browser, more: Value) -> Self {
        let made = ask(house, owner, Method::POST, "/api/v1/workflows", Some(json!({ "name": "Hourly" }))).await;
        let hourly = Self { id: body(&made)["id"].as_str().unwrap().to_owned(), owner: owner.clone() };
        hourly.set(house, more).await;
        let step = json!({ "op": "add_step", "at": { "index": 0 }, "step": { "id": "seen", "use": "set", "input": { "fields": { "at": "{{ trigger.body.scheduled_for }}" } } } });
        hourly.edit(house, step).await;
        hourly.post(house, "publish").await;
        hourly
    }

    async fn set(&self, house: &House, more: Value) {
        let mut input = json!({ "repeat": "hours", "zone": "Europe/Berlin" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.edit(house, json!({ "op": "set_trigger", "trigger": { "use": "schedule", "input": input } })).await;
    }

    async fn edit(&self, house: &House, operation: Value) {
        let now = body(&ask(house, &self.owner, Method::GET, &self.path(""), None).await);
        let edit = json!({ "base": now["revision"], "operations": [operation] });
        let answer = ask(house, &self.owner, Method::POST, &self.path("/edits"), Some(edit)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    async fn post(&self, house: &House, what: &str) {
        let answer = ask(house, &self.owner, Method::POST, &self.path(&format!("/{what}")), Some(json!({}))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    fn path(&self, below: &str) -> String {
        format!("/api/v1/workflows/{}{below}", self.id)
    }

    /// The slots that runs were started for, as stored.
    async fn slots(&self, house: &House) -> Vec<DateTime<Utc>> {
        let events: Vec<Vec<u8>> =
            sqlx::query_scalar("select payload from run where workflow_id = $1::uuid and trigger_kind = 5 order by id")
                .bind(uuid::Uuid::parse_str(&self.id).unwrap())
                .fetch_all(house.pool())
                .await
                .unwrap();
        let slot = |event: Vec<u8>| {
            let value = towpath_engine::event::Event::from_bytes(&event).unwrap().to_value();
            value["body"]["scheduled_for"].as_str().unwrap().parse().unwrap()
        };
        events.into_iter().map(slot).collect()
    }

    async fn view(&self, house: &House) -> Value {
        body(&ask(house, &self.owner, Method::GET, &self.path("/trigger"), None).await)
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn each_slot_starts_one_run_however_often_and_by_however_many_it_is_fired(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let hourly = Hourly::publish(&house, &owner, json!({})).await;
    fire_due(&house.app).await.unwrap();
    assert!(hourly.slots(&house).await.is_empty(), "its time has not come");
    let mut expected = Vec::new();
    for _ in 0..3 {
        house.pass(TimeDelta::hours(1));
        expected.push(house.app.clock.now() - TimeDelta::minutes(30));
        // Half an hour late: the last missed slot is made up for, by one of four.
        futures_util::future::try_join_all((0..4).map(|_| fire_due(&house.app))).await.unwrap();
    }
    let slots = hourly.slots(&house).await;
    let whole = |at: &DateTime<Utc>| at.with_second(0).unwrap().with_nanosecond(0).unwrap();
    assert_eq!(slots, expected.iter().map(whole).collect::<Vec<_>>());
    // As after a crash between the run and the move: the slot is due again, and was fired.
    sqlx::query("update schedule set next_at = $1").bind(slots[2]).execute(house.pool()).await.unwrap();
    fire_due(&house.app).await.unwrap();
    assert_eq!(hourly.slots(&house).await, slots);
    let view = hourly.view(&house).await;
    assert_eq!(view["schedule"]["last_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), slots[2]);
    assert_eq!(view["schedule"]["next_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), slots[2] + TimeDelta::hours(1));
    assert_eq!(view["samples"][0]["value"]["body"]["local"]["zone"], "Europe/Berlin");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_pause_stops_it_and_resuming_fires_the_past_only_when_the_policy_says_so(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let (house, owner) = house(pool, options).await;
    let plain = Hourly::publish(&house, &owner, json!({})).await;
    let counting = Hourly::publish(&house, &owner, json!({ "missed": "all", "missed_paused": true })).await;
    for hourly in [&plain, &counting] {
        hourly.post(&house, "pause").await;
    }
    house.pass(TimeDelta::hours(3));
    fire_due(&house.app).await.unwrap();
    for hourly in [&plain, &counting] {
        assert!(hourly.slots(&house).await.is_empty());
        assert_eq!(hourly.view(&house).await["schedule"]["running"], false);
        hourly.post(&house, "resume").await;
    }
    fire_due(&house.app).await.unwrap();
    assert_eq!((plain.slots(&house).await.len(), counting.slots(&house).await.len()), (0, 3));
    house.pass(TimeDelta::hours(1));
    fire_due(&house.app).await.unwrap();
    assert_eq!((plain.slots(&house).await.len(), counting.slots(&house).await.len()), (1, 4));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_missed_while_the_server_was_off_is_the_policy_s_business(pool: PgPoolOptions, options: PgConnectOptions) {
    let (house, owner) = house(pool, options).await;
    let skip = Hourly::publish(&house, &owner, json!({ "missed": "skip" })).await;
    let last = Hourly::publish(&house, &owner, json!({})).await;
    let some = Hourly::publish(&house, &owner, json!({ "missed": "all", "missed_limit": 2 })).await;
    house.pass(TimeDelta::hours(5));
    fire_due(&house.app).await.unwrap();
    assert_eq!(
        (skip.slots(&house).await.len(), last.slots(&house).await.len(), some.slots(&house).await.len()),
        (0, 1, 2),
        "skipped, the last one, the last two"
    );
    assert!(some.slots(&house).await.is_sorted());
}

#[sqlx::test(migrations = "../migrations")]
async fn publishing_again_keeps_a_due_slot_and_another_trigger_or_deleting_ends_it(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let (house, owner) = house(pool, options).await;
    let hourly = Hourly::publish(&house, &owner, json!({})).await;
    house.pass(TimeDelta::minutes(31));
    hourly.edit(&house, json!({ "op": "set_trigger_title", "title": "On the hour" })).await;
    hourly.post(&house, "publish").await;
    fire_due(&house.app).await.unwrap();
    assert_eq!(hourly.slots(&house).await.len(), 1, "the slot that was due when it was published again");
    hourly.edit(&house, json!({ "op": "set_trigger", "trigger": { "use": "manual" } })).await;
    hourly.post(&house, "publish").await;
    let gone = Hourly::publish(&house, &owner, json!({})).await;
    assert_eq!(ask(&house, &owner, Method::DELETE, &gone.path(""), None).await.status, StatusCode::NO_CONTENT);
    house.pass(TimeDelta::hours(2));
    fire_due(&house.app).await.unwrap();
    assert_eq!((hourly.slots(&house).await.len(), gone.slots(&house).await.len()), (1, 0));
    let left: i64 = sqlx::query_scalar("select count(*) from schedule").fetch_one(house.pool()).await.unwrap();
    assert_eq!(left, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_schedule_is_shown_in_words_with_its_next_five_times_across_a_change_of_the_clock(
    pool: PgPoolOptions,
    options: PgConnectOptions,
) {
    let (house, owner) = house(pool, options).await;
    let preview = async |sent: Value| body(&ask(&house, &owner, Method::POST, "/api/v1/schedules/preview", Some(sent)).await);
    let input = json!({ "repeat": "days", "at": "02:30", "zone": "Europe/Berlin" });
    let shown = preview(json!({ "input": input, "after": "2026-03-27T12:00:00Z" })).await;
    assert_eq!(shown["words"], "Every day at 02:30");
    let local: Vec<_> = shown["times"].as_array().unwrap().iter().map(|it| it["local"].as_str().unwrap()).collect();
    assert_eq!(
        local,
        [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-30T02:30:00+02:00",
            "2026-03-31T02:30:00+02:00",
            "2026-04-01T02:30:00+02:00"
        ]
    );
    let wrong = preview(json!({ "input": { "repeat": "cron", "cron": "0 0 31 2 *", "zone": "UTC" } })).await;
    assert_eq!((&wrong["words"], &wrong["wrong"][0]["field"]), (&Value::Null, &json!("cron")));
    // What can't come can't be published either.
    let hourly = Hourly::publish(&house, &owner, json!({})).await;
    hourly.set(&house, json!({ "repeat": "cron", "cron": "0 0 31 2 *" })).await;
    let answer = ask(&house, &owner, Method::POST, &hourly.path("/publish"), Some(json!({}))).await;
    assert_eq!((answer.status, body(&answer)["fields"][0]["field"].as_str()), (StatusCode::CONFLICT, Some("trigger.cron")));
}
