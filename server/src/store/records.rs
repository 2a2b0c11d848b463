//! The journal of a run: what was committed on the way, and what travelled with its end.

use crate::journal::operation::decode_journal;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::{
    ids::{RunId, WorkspaceId},
    record::{Entry, Record},
};

/// The records that are rows of their own, in their order. The engine's own: it names no workspace.
pub async fn history(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query!("select at, body from record where run_id = $1 order by seq, at", run.0).fetch_all(executor).await?;
    rows.into_iter().map(|row| entry(row.at, row.body.as_deref())).collect()
}

/// Everything that is on disk about a run, in its order: the rows, then what travelled with the end.
pub async fn of_run(
    executor: impl PgExecutor<'_> + Copy,
    workspace: WorkspaceId,
    run: RunId,
) -> Result<Vec<Entry>, super::Error> {
    let rows = sqlx::query!(
        "select c.at, c.body from record c join run r on r.id = c.run_id
         where c.run_id = $1 and r.id = $1 and r.workspace_id = $2 order by c.seq, c.at",
        run.0,
        workspace.0
    )
    .fetch_all(executor)
    .await?;
    let mut entries: Vec<Entry> = rows.into_iter().map(|row| entry(row.at, row.body.as_deref())).collect::<Result<_, _>>()?;
    let journal = sqlx::query_scalar!("select journal from run_end where id = $1 and workspace_id = $2", run.0, workspace.0)
        .fetch_optional(executor)
        .await?
        .flatten();
    if let Some(journal) = journal {
        entries.extend(decode_journal(&journal).map_err(undecodable)?);
    }
    Ok(entries)
}

fn entry(at: DateTime<Utc>, body: Option<&[u8]>) -> sqlx::Result<Entry> {
    let record: Record = serde_json::from_slice(body.unwrap_or_default()).map_err(undecodable)?;
    Ok(Entry { at, record })
}

fn undecodable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
