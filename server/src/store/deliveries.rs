//! Deliveries that were taken: which run each one started. The first one wins, today and yesterday.

use chrono::NaiveDate;
use sqlx::PgExecutor;
use towpath_engine::ids::{EndpointId, RunId};

/// The run that this delivery started, if it came before: in `bucket` or on the day before it.
pub async fn first(
    executor: impl PgExecutor<'_>,
    endpoint: EndpointId,
    key: &[u8],
    bucket: NaiveDate,
) -> sqlx::Result<Option<RunId>> {
    sqlx::query_scalar!(
        "select run_id from delivery where trigger_id = $1 and key = $2 and bucket between $3::date - 1 and $3::date order by bucket limit 1",
        endpoint.0,
        key,
        bucket
    )
    .fetch_optional(executor)
    .await
    .map(|run| run.map(RunId))
}
