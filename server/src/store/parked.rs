//! `parked`: the inbox. What arrived for a workflow that is unpublished, paused or can't start is kept here, at most a thousand events
//! or 100 MB per workflow; the oldest leave first and are counted in `parked_dropped`.

use super::Error;
use crate::journal::EventKey;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{WorkflowId, WorkspaceId};
use uuid::Uuid;

/// The most events that the inbox of one workflow keeps.
pub const MOST: i64 = 1_000;
/// The most bytes that the inbox of one workflow keeps.
pub const MOST_BYTES: i64 = 100_000_000;

/// The reason of what was found by a poll's first look: something to build with, that nobody expects to run.
pub const SAMPLE: &str = "sample";

/// An event to keep.
#[derive(Clone, Debug)]
pub struct NewParked<'a> {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    /// A [`crate::dispatch::TriggerKind`].
    pub kind: i16,
    /// `unpublished`, `paused`, `not_startable` or [`SAMPLE`].
    pub reason: &'static str,
    pub delivery: Option<&'a str>,
    pub event_key: Option<EventKey>,
    /// The event's stored form.
    pub event: &'a [u8],
    pub arrived_at: DateTime<Utc>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    New(Uuid),
    /// The same delivery is in the inbox already.
    Duplicate(Uuid),
}

/// Keeps an event, and lets the oldest go when there are too many. In the caller's transaction.
pub async fn insert(connection: &mut PgConnection, new: &NewParked<'_>) -> Result<Kept, Error> {
    keep(connection, new, MOST, MOST_BYTES).await
}

async fn keep(connection: &mut PgConnection, new: &NewParked<'_>, most: i64, most_bytes: i64) -> Result<Kept, Error> {
    // One at a time per workflow: two at once would each leave the other's rows out of the count.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('parked:' || $1::uuid::text, 0))", new.workflow.0)
        .execute(&mut *connection)
        .await?;
    let id = Uuid::now_v7();
    // Without the sender's own id, the same event is the same delivery.
    let delivery = match (new.delivery, new.event_key) {
        (Some(delivery), _) => Some(delivery.as_bytes().to_vec()),
        (None, key) => key.map(|key| key.0.to_vec()),
    };
    let inserted = sqlx::query!(
        "insert into parked (id, workspace_id, workflow_id, trigger_kind, reason, delivery_key, event, arrived_at, event_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (workflow_id, delivery_key) where delivery_key is not null do nothing",
        id,
        new.workspace.0,
        new.workflow.0,
        new.kind,
        new.reason,
        delivery.as_deref(),
        new.event,
        new.arrived_at,
        new.event_key.as_ref().map(|key| &key.0[..])
    )
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        let first = sqlx::query_scalar!(
            "select id from parked where workspace_id = $1 and workflow_id = $2 and delivery_key = $3",
            new.workspace.0,
            new.workflow.0,
            delivery.as_deref()
        );
        return Ok(Kept::Duplicate(first.fetch_one(connection).await?));
    }
    sqlx::query!(
        "with ranked as (
             select id, row_number() over newest as place, sum(octet_length(event)) over newest as bytes
             from parked where workspace_id = $1 and workflow_id = $2
             window newest as (order by id desc)
         ), gone as (
             delete from parked p using ranked r
             where p.workspace_id = $1 and p.workflow_id = $2 and p.id = r.id and r.place > 1 and (r.place > $3 or r.bytes > $4)
             returning p.id
         )
         insert into parked_dropped (workflow_id, workspace_id, count)
         select $2, $1, count(*) from gone having count(*) > 0
         on conflict (workflow_id) do update set count = parked_dropped.count + excluded.count",
        new.workspace.0,
        new.workflow.0,
        most,
        most_bytes as _
    )
    .execute(connection)
    .await?;
    Ok(Kept::New(id))
}

/// A kept event.
#[derive(Clone, Debug)]
pub struct Parked {
    pub id: Uuid,
    pub kind: i16,
    pub reason: String,
    pub delivery: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    pub event: Vec<u8>,
    pub arrived_at: DateTime<Utc>,
}

impl Parked {
    pub fn event_key(&self) -> Option<EventKey> {
        self.key.clone()?.try_into().ok().map(EventKey)
    }
}

/// The newest `limit` events of a workflow's inbox, newest first.
pub async fn newest(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    limit: i64,
) -> Result<Vec<Parked>, Error> {
    Ok(sqlx::query_as!(
        Parked,
        "select id, trigger_kind as kind, reason, delivery_key as delivery, event_key as key, event, arrived_at from parked
         where workspace_id = $1 and workflow_id = $2 order by id desc limit $3",
        workspace.0,
        workflow.0,
        limit
    )
    .fetch_all(executor)
    .await?)
}

/// The oldest `limit` events after `after`, oldest first: the order in which they are replayed.
pub async fn oldest_after(
    executor: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Parked>, Error> {
    Ok(sqlx::query_as!(
        Parked,
        "select id, trigger_kind as kind, reason, delivery_key as delivery, event_key as key, event, arrived_at from parked
         where workspace_id = $1 and workflow_id = $2 and id > $3 order by id limit $4",
        workspace.0,
        workflow.0,
        after,
        limit
    )
    .fetch_all(executor)
    .await?)
}

/// One kept event.
pub async fn get(executor: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId, id: Uuid) -> Result<Parked, Error> {
    Ok(sqlx::query_as!(
        Parked,
        "select id, trigger_kind as kind, reason, delivery_key as delivery, event_key as key, event, arrived_at from parked
         where workspace_id = $1 and workflow_id = $2 and id = $3",
        workspace.0,
        workflow.0,
        id
    )
    .fetch_one(executor)
    .await?)
}

/// Takes an event out of the inbox, once its run is on disk.
pub async fn delete(executor: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId, id: Uuid) -> Result<(), Error> {
    sqlx::query!("delete from parked where workspace_id = $1 and workflow_id = $2 and id = $3", workspace.0, workflow.0, id)
        .execute(executor)
        .await?;
    Ok(())
}

/// How full an inbox is, samples left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "Inbox")]
pub struct Fill {
    pub count: i64,
    pub bytes: i64,
    /// How many it had to let go since it exists.
    pub dropped: i64,
}

pub async fn fill(executor: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Fill, Error> {
    Ok(sqlx::query_as!(
        Fill,
        r#"select count(*) as "count!", coalesce(sum(octet_length(event)), 0)::bigint as "bytes!",
                  coalesce((select count from parked_dropped where workspace_id = $1 and workflow_id = $2), 0) as "dropped!"
           from parked where workspace_id = $1 and workflow_id = $2 and reason <> 'sample'"#,
        workspace.0,
        workflow.0
    )
    .fetch_one(executor)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::tests::place;
    use sqlx::PgPool;

    fn new<'a>(place: (WorkspaceId, WorkflowId), delivery: Option<&'a str>, event: &'a [u8]) -> NewParked<'a> {
        NewParked {
            workspace: place.0,
            workflow: place.1,
            kind: 1,
            reason: "paused",
            delivery,
            event_key: None,
            event,
            arrived_at: DateTime::UNIX_EPOCH,
        }
    }

    async fn keep_one(pool: &PgPool, parked: &NewParked<'_>, most: i64, bytes: i64) -> Kept {
        let mut transaction = pool.begin().await.unwrap();
        let kept = keep(&mut transaction, parked, most, bytes).await.unwrap();
        transaction.commit().await.unwrap();
        kept
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn the_oldest_leave_a_full_inbox_and_are_counted(pool: PgPool) {
        let here = place(&pool).await;
        for event in [b"1", b"2", b"3", b"4", b"5"] {
            keep_one(&pool, &new(here, None, event), 3, 1_000).await;
        }
        let left: Vec<_> = newest(&pool, here.0, here.1, 10).await.unwrap().into_iter().map(|it| it.event).collect();
        assert_eq!(left, [b"5", b"4", b"3"]);
        assert_eq!(fill(&pool, here.0, here.1).await.unwrap(), Fill { count: 3, bytes: 3, dropped: 2 });
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn an_inbox_is_bounded_in_bytes_too_and_the_newest_event_always_stays(pool: PgPool) {
        let here = place(&pool).await;
        for length in [40, 40, 40, 200] {
            keep_one(&pool, &new(here, None, &vec![b'x'; length]), 100, 100).await;
            let fill = fill(&pool, here.0, here.1).await.unwrap();
            assert!(fill.bytes <= 100 || fill.count == 1, "{fill:?}");
        }
        assert_eq!(fill(&pool, here.0, here.1).await.unwrap(), Fill { count: 1, bytes: 200, dropped: 3 });
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn the_same_delivery_is_kept_once_and_workflows_do_not_share_keys(pool: PgPool) {
        let (here, there) = (place(&pool).await, place(&pool).await);
        let Kept::New(first) = keep_one(&pool, &new(here, Some("a"), b"1"), 10, 1_000).await else { panic!("it was the first") };
        assert_eq!(keep_one(&pool, &new(here, Some("a"), b"2"), 10, 1_000).await, Kept::Duplicate(first));
        assert!(matches!(keep_one(&pool, &new(here, Some("b"), b"3"), 10, 1_000).await, Kept::New(_)));
        assert!(matches!(keep_one(&pool, &new(there, Some("a"), b"4"), 10, 1_000).await, Kept::New(_)));
        assert_eq!(fill(&pool, here.0, here.1).await.unwrap().count, 2);
        assert!(matches!(get(&pool, there.0, there.1, first).await, Err(Error::NotFound)), "another workspace sees nothing");
    }
}
