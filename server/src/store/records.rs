//! The records of a run that were committed on its way. Those that travelled with its end are in `run_end`.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::{
    ids::RunId,
    record::{Entry, Record},
};

/// The records that are rows of their own, in their order. The engine's own: it names no workspace.
pub async fn history(executor: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query!("select at, body from record where run_id = $1 order by seq, at", run.0).fetch_all(executor).await?;
    rows.into_iter().map(|row| entry(row.at, row.body.as_deref())).collect()
}

fn entry(at: DateTime<Utc>, body: Option<&[u8]>) -> sqlx::Result<Entry> {
    let record: Record = serde_json::from_slice(body.unwrap_or_default()).map_err(undecodable)?;
    Ok(Entry { at, record })
}

fn undecodable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
