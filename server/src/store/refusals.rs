//! `refusal`: deliveries that were turned away, the last hundred of each trigger. Written in batches by one writer, so that a flood of
//! bad requests costs the database little and never fills it.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};
use towpath_engine::ids::{WorkflowId, WorkspaceId};
use uuid::Uuid;

/// How many of one trigger are kept.
pub const MOST: i64 = 100;

/// A refused delivery.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "RefusedDelivery")]
pub struct Refused {
    pub id: Uuid,
    /// One of [`crate::ingest::decide::Reason`]'s words.
    pub reason: String,
    /// A sentence for the workflow's owner.
    pub detail: String,
    pub address: String,
    /// The size of the body, as far as it was read.
    pub size: i64,
    pub refused_at: DateTime<Utc>,
}

/// A refused delivery and where it belongs.
#[derive(Clone, Debug)]
pub struct NewRefused {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub refused: Refused,
}

/// Writes a batch, and forgets what is over the limit. A workflow that is gone takes its rows with it.
pub async fn insert_batch(pool: &PgPool, batch: &[NewRefused]) -> Result<(), Error> {
    let column = |of: fn(&NewRefused) -> String| batch.iter().map(of).collect::<Vec<_>>();
    let ids: Vec<Uuid> = batch.iter().map(|it| it.refused.id).collect();
    let workspaces: Vec<Uuid> = batch.iter().map(|it| it.workspace.0).collect();
    let workflows: Vec<Uuid> = batch.iter().map(|it| it.workflow.0).collect();
    let sizes: Vec<i64> = batch.iter().map(|it| it.refused.size).collect();
    let times: Vec<DateTime<Utc>> = batch.iter().map(|it| it.refused.refused_at).collect();
    sqlx::query!(
        "insert into refusal (id, workspace_id, workflow_id, reason, detail, address, size, refused_at)
         select n.* from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[])
             as n (id, workspace_id, workflow_id, reason, detail, address, size, refused_at)
         join workflow w on w.id = n.workflow_id and w.workspace_id = n.workspace_id
         on conflict (id) do nothing",
        &ids,
        &workspaces,
        &workflows,
        &column(|it| it.refused.reason.clone()),
        &column(|it| it.refused.detail.replace('\0', "\u{fffd}")),
        &column(|it| it.refused.address.clone()),
        &sizes,
        &times
    )
    .execute(pool)
    .await?;
    sqlx::query!(
        "delete from refusal r using (
             select id, row_number() over (partition by workspace_id, workflow_id order by id desc) as place
             from refusal where workspace_id = any($1) and workflow_id = any($2)
         ) ranked
         where r.id = ranked.id and ranked.place > $3",
        &workspaces,
        &workflows,
        MOST
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The last refused deliveries of a workflow's trigger, newest first.
pub async fn list(executor: impl PgExecutor<'_>, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Vec<Refused>, Error> {
    Ok(sqlx::query_as!(
        Refused,
        "select id, reason, detail, address, size, refused_at from refusal
         where workspace_id = $1 and workflow_id = $2 order by id desc limit $3",
        workspace.0,
        workflow.0,
        MOST
    )
    .fetch_all(executor)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::tests::place;

    fn refused(place: (WorkspaceId, WorkflowId), size: i64) -> NewRefused {
        let refused = Refused {
            id: Uuid::now_v7(),
            reason: "signature".into(),
            detail: "a\0b".into(),
            address: "::1".into(),
            size,
            refused_at: DateTime::UNIX_EPOCH,
        };
        NewRefused { workspace: place.0, workflow: place.1, refused }
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn the_last_hundred_of_each_trigger_stay(pool: PgPool) {
        let (here, there) = (place(&pool).await, place(&pool).await);
        let gone = (here.0, WorkflowId::new());
        for round in 0..3 {
            let batch: Vec<_> = (0..60).flat_map(|n| [refused(here, round * 60 + n), refused(gone, 0)]).collect();
            insert_batch(&pool, &batch).await.unwrap();
        }
        insert_batch(&pool, &[refused(there, 7)]).await.unwrap();
        let listed = list(&pool, here.0, here.1).await.unwrap();
        assert_eq!(listed.len(), 100);
        assert_eq!((listed[0].size, listed[99].size), (179, 80));
        assert_eq!(list(&pool, there.0, there.1).await.unwrap().len(), 1);
        let all = sqlx::query_scalar!("select count(*) from refusal").fetch_one(&pool).await.unwrap();
        assert_eq!(all, Some(101));
    }
}
