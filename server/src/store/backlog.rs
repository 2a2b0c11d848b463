//! How much the engine has before it, over all workspaces: for operators' metrics.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// The engine's tables at one moment.
pub struct Backlog {
    pub runnable: i64,
    /// Since when the oldest runnable run has been due.
    pub oldest: Option<DateTime<Utc>>,
    pub waiting: i64,
}

/// Counts.
///
/// # Errors
/// When the database doesn't answer.
pub async fn now(executor: impl PgExecutor<'_>) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"select (select count(*) from job) as "runnable!", (select min(due_at) from job) as "oldest",
           (select count(distinct run_id) from wait) as "waiting!""#
    )
    .fetch_one(executor)
    .await
}
