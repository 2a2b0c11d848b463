//! What is in memory and what is on disk say the same, and what a run named stays.

use super::*;
use serde_json::json;

fn text(name: &str, value: &str) -> Variable {
    Variable { name: name.into(), kind: Kind::Text, value: value.into(), note: String::new() }
}

async fn house(pool: &PgPool) -> (WorkspaceId, PersonId) {
    let (workspace, person) = (WorkspaceId::new(), PersonId::new());
    sqlx::query!("insert into workspace (id, name) values ($1, 'Test')", workspace.0).execute(pool).await.unwrap();
    sqlx::query!(
        "insert into person (id, email, name, password_hash) values ($1, $2, 'Ada', 'none')",
        person.0,
        format!("{}@example.com", person.0)
    )
    .execute(pool)
    .await
    .unwrap();
    (workspace, person)
}

fn at(day: u32) -> DateTime<Utc> {
    format!("2026-11-{day:02}T10:00:00Z").parse().unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_revision_stays_what_it_was_after_changes_and_after_a_restart(pool: PgPool) {
    let (workspace, by) = house(&pool).await;
    let variables = Variables::start(pool.clone()).await.unwrap();
    assert_eq!(variables.current(workspace).number, 0);
    assert_eq!(variables.of(workspace, 0).await.unwrap(), Vars::default());
    for (n, value) in ["a", "b", "c", "d", "e", "f", "g"].into_iter().enumerate() {
        let change = match n {
            0 => Change::Add(text("x", value)),
            _ => Change::Put { name: "x".into(), variable: text("x", value), upsert: false },
        };
        variables.change(workspace, change, by, at(20)).await.unwrap();
    }
    let fresh = Variables::start(pool.clone()).await.unwrap();
    for it in [&variables, &fresh] {
        assert_eq!(it.current(workspace).number, 7);
        assert_eq!(it.of(workspace, 7).await.unwrap(), it.current(workspace).vars());
        // The first one is no more in memory.
        assert!(it.at_hand(workspace, 1).is_none());
        let first: towpath_engine::Object = [("x".to_owned(), json!("a"))].into_iter().collect();
        assert_eq!(it.of(workspace, 1).await.unwrap(), first.into());
        // What is gone is never taken for something else.
        assert!(matches!(it.of(workspace, 8).await, Err(sqlx::Error::Decode(_))));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn old_revisions_go_when_no_live_run_can_name_them(pool: PgPool) {
    let (workspace, by) = house(&pool).await;
    let variables = Variables::start(pool.clone()).await.unwrap();
    let put = |value: &str| Change::Put { name: "x".into(), variable: text("x", value), upsert: true };
    let numbers = || async {
        sqlx::query_scalar!("select number from variable_revision where workspace_id = $1 order by number", workspace.0)
            .fetch_all(&pool)
            .await
            .unwrap()
    };
    variables.change(workspace, put("a"), by, at(1)).await.unwrap();
    variables.change(workspace, put("b"), by, at(2)).await.unwrap();
    // A run of the first revision still sleeps.
    let seconds = u64::try_from(at(1).timestamp()).unwrap() + 60;
    let run = uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0));
    sqlx::query!(
        "insert into wait (run_id, step_path, shard, workspace_id, workflow_id, seq, reason) values ($1, 's', 0, $2, $3, 1, 0)",
        run,
        workspace.0,
        uuid::Uuid::now_v7()
    )
    .execute(&pool)
    .await
    .unwrap();
    variables.change(workspace, put("c"), by, at(9)).await.unwrap();
    assert_eq!(numbers().await, [1, 2, 3]);
    sqlx::query!("delete from wait where run_id = $1", run).execute(&pool).await.unwrap();
    variables.change(workspace, put("d"), by, at(9)).await.unwrap();
    // The second counted until a moment ago: an event on its way may name it.
    assert_eq!(numbers().await, [2, 3, 4]);
}

#[sqlx::test(migrations = "../migrations")]
async fn names_are_unique_and_changes_need_something_to_change(pool: PgPool) {
    let (workspace, by) = house(&pool).await;
    let (other, _) = house(&pool).await;
    let variables = Variables::start(pool.clone()).await.unwrap();
    let change = |change| variables.change(workspace, change, by, at(20));
    change(Change::Add(text("b", "1"))).await.unwrap();
    assert!(matches!(change(Change::Add(text("b", "2"))).await, Err(NotChanged::Taken)));
    change(Change::Add(text("a", "2"))).await.unwrap();
    assert_eq!(variables.current(workspace).names(), ["a", "b"]);
    let rename = |from: &str, to: &str| Change::Put { name: from.into(), variable: text(to, "3"), upsert: false };
    assert!(matches!(change(rename("a", "b")).await, Err(NotChanged::Taken)));
    change(rename("a", "c")).await.unwrap();
    assert_eq!(variables.current(workspace).names(), ["b", "c"]);
    assert!(matches!(change(Change::Remove("a".into())).await, Err(NotChanged::NotThere)));
    assert!(matches!(change(Change::Add(text("not a name", ""))).await, Err(NotChanged::Wrong(_))));
    assert!(variables.current(other).list.is_empty());
}
