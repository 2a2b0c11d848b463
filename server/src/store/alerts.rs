//! The table `alert`: which failures were told, and when.

use super::Error;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

/// Failures of one workflow that somebody should hear of.
#[derive(Clone, Debug)]
pub struct Due {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub name: String,
    pub mail: Option<String>,
    pub url: Option<String>,
    /// The last of them.
    pub run: RunId,
    pub failures: i64,
    pub reason: Option<String>,
    /// When the last of them ended.
    pub until: DateTime<Utc>,
    /// What the table said before: until when failures were told, and when the last message went.
    pub before: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A workspace that asks to be told hears of failures this far back, and not of last year's.
const FIRST_LOOK: TimeDelta = TimeDelta::hours(1);

/// Workflows with failures that weren't told, whose last message is older than `quiet_since`.
pub async fn due(db: impl PgExecutor<'_>, now: DateTime<Utc>, quiet_since: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"select e.workspace_id, e.workflow_id, w.name, s.alert_mail, s.alert_url, count(*) as "failures!",
                  (array_agg(e.id order by e.finished_at desc))[1] as "run!",
                  (array_agg(e.reason order by e.finished_at desc))[1] as reason,
                  max(e.finished_at) as "until!", a.told_until as "told_until?", a.sent_at as "sent_at?"
             from run_end e
             join workflow w on w.id = e.workflow_id and w.workspace_id = e.workspace_id
             join workspace s on s.id = e.workspace_id and (s.alert_mail is not null or s.alert_url is not null)
             left join alert a on a.workflow_id = e.workflow_id
            where e.state = 2 and e.finished_at > coalesce(a.told_until, $1) and (a.sent_at is null or a.sent_at < $2)
            group by e.workspace_id, e.workflow_id, w.name, s.alert_mail, s.alert_url, a.told_until, a.sent_at
            limit 200"#,
        now - FIRST_LOOK,
        quiet_since,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Due {
            workspace: WorkspaceId(row.workspace_id),
            workflow: WorkflowId(row.workflow_id),
            name: row.name,
            mail: row.alert_mail,
            url: row.alert_url,
            run: RunId(row.run),
            failures: row.failures,
            reason: row.reason,
            until: row.until,
            before: row.told_until.zip(row.sent_at),
        })
        .collect())
}

/// Marks them as told; false when somebody else did meanwhile.
pub async fn claim(db: impl PgExecutor<'_>, due: &Due, now: DateTime<Utc>) -> Result<bool, Error> {
    let sent_before = due.before.map(|(_, sent)| sent);
    let done = sqlx::query!(
        r#"insert into alert as a (workflow_id, workspace_id, told_until, sent_at) values ($1, $2, $3, $4)
           on conflict (workflow_id) do update set told_until = excluded.told_until, sent_at = excluded.sent_at where a.sent_at = $5"#,
        due.workflow.0,
        due.workspace.0,
        due.until,
        now,
        sent_before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a claim back: the message could not be sent.
pub async fn unclaim(db: impl PgExecutor<'_>, due: &Due) -> Result<(), Error> {
    match due.before {
        Some((told_until, sent_at)) => {
            sqlx::query!(
                "update alert set told_until = $3, sent_at = $4 where workflow_id = $1 and workspace_id = $2",
                due.workflow.0,
                due.workspace.0,
                told_until,
                sent_at,
            )
            .execute(db)
            .await?;
        }
        None => {
            sqlx::query!("delete from alert where workflow_id = $1 and workspace_id = $2", due.workflow.0, due.workspace.0)
                .execute(db)
                .await?;
        }
    }
    Ok(())
}
