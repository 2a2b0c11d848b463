//! The rounds of a run's loops, for people who look at the run: counted in the database and read a page at a time, because there may be
//! a hundred thousand.

use super::Error;
use crate::journal::operation::{LINE_ENDS, WaitReason};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use towpath_engine::{
    ids::{RunId, WorkspaceId},
    record::{Entry, LineEnd, Record},
    workflow::{LinePath, StepPath},
};

/// Records of one round that are read at most; a round with loops of its own may have many.
const MOST: i64 = 5_000;

/// How the rounds of a loop ended so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub done: i64,
    pub failed: i64,
    pub filtered: i64,
    pub cancelled: i64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, end: &LineEnd) {
        match end {
            LineEnd::Done => self.done += 1,
            LineEnd::Failed { .. } => self.failed += 1,
            LineEnd::Filtered => self.filtered += 1,
            LineEnd::Cancelled => self.cancelled += 1,
        }
    }

    pub fn over(&self) -> i64 {
        self.done + self.failed + self.filtered + self.cancelled
    }
}

/// How the rounds of the loop at this path ended, as far as they are rows.
pub async fn counts(pool: &PgPool, workspace: WorkspaceId, run: RunId, of: &StepPath) -> Result<Counts, Error> {
    let row = sqlx::query!(
        r#"select count(*) filter (where r.kind = $4) as "done!", count(*) filter (where r.kind = $5) as "failed!",
                  count(*) filter (where r.kind = $6) as "filtered!", count(*) filter (where r.kind = $7) as "cancelled!"
             from record r
            where r.run_id = $1 and exists (select 1 from run where id = $1 and workspace_id = $2)
              and starts_with(r.step_path, $3 || '[') and position('/' in substr(r.step_path, length($3) + 1)) = 0"#,
        run.0,
        workspace.0,
        of.0,
        LINE_ENDS[0],
        LINE_ENDS[1],
        LINE_ENDS[2],
        LINE_ENDS[3]
    )
    .fetch_one(pool)
    .await?;
    Ok(Counts { done: row.done, failed: row.failed, filtered: row.filtered, cancelled: row.cancelled })
}

/// The ends of rounds after this number, in the order of the numbers; only those that failed, when that is asked.
pub async fn page(
    pool: &PgPool,
    workspace: WorkspaceId,
    run: RunId,
    of: &StepPath,
    failed: bool,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let kinds = if failed { vec![LINE_ENDS[1]] } else { LINE_ENDS.to_vec() };
    let rows = sqlx::query!(
        r#"select l.at, l.body as "body!" from (
             select r.at, r.body, trim(both '[]' from substr(r.step_path, length($3) + 1))::bigint as number
               from record r
              where r.run_id = $1 and exists (select 1 from run where id = $1 and workspace_id = $2)
                and r.kind = any($4) and r.body is not null
                and starts_with(r.step_path, $3 || '[') and position('/' in substr(r.step_path, length($3) + 1)) = 0
           ) l where l.number > $5 order by l.number limit $6"#,
        run.0,
        workspace.0,
        of.0,
        &kinds,
        after,
        limit
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| entry(row.at, &row.body)).collect()
}

/// The line of a question that this run asks a person inside a loop, if it does.
pub async fn asked(pool: &PgPool, workspace: WorkspaceId, run: RunId) -> Result<Option<LinePath>, Error> {
    let step = sqlx::query_scalar!(
        "select step_path from wait where run_id = $1 and workspace_id = $2 and reason = $3 and position('/' in step_path) > 0
         order by length(step_path), step_path limit 1",
        run.0,
        workspace.0,
        WaitReason::Decision as i16
    )
    .fetch_optional(pool)
    .await?;
    Ok(step.map(|step| StepPath(step).line()))
}

/// What happened in one round, in its order.
pub async fn of_line(pool: &PgPool, workspace: WorkspaceId, run: RunId, line: &LinePath) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query!(
        r#"select r.at, r.body as "body!" from record r
            where r.run_id = $1 and exists (select 1 from run where id = $1 and workspace_id = $2) and r.body is not null
              and (r.step_path = $3 or starts_with(r.step_path, $3 || '/'))
            order by r.seq, r.at limit $4"#,
        run.0,
        workspace.0,
        line.0,
        MOST
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| entry(row.at, &row.body)).collect()
}

pub(super) fn entry(at: DateTime<Utc>, body: &[u8]) -> Result<Entry, Error> {
    let record: Record = serde_json::from_slice(body).map_err(|error| Error::Query(sqlx::Error::Decode(error.into())))?;
    Ok(Entry { at, record })
}
