//! What the owners of connections were told: the column `told_at` of the table `connection`.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use towpath_engine::ids::{ConnectionId, WorkspaceId};

/// A connection that its service refuses, of which nobody was told.
#[derive(Clone, Debug)]
pub struct Due {
    pub workspace: WorkspaceId,
    pub connection: ConnectionId,
    pub name: String,
    pub reason: Option<String>,
    /// Runs that wait for it.
    pub runs: i64,
    /// Its owner's address; the workspace's for alerts when the owner left.
    pub mail: Option<String>,
    pub url: Option<String>,
    /// When somebody was told of an earlier time.
    pub before: Option<DateTime<Utc>>,
}

/// Connections that are refused since somebody was last told of them, if ever; those that nobody could be told of are left out.
pub async fn due(db: impl PgExecutor<'_>) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"select c.id, c.workspace_id, c.name, c.last_error, c.told_at, coalesce(o.email, s.alert_mail) as mail, s.alert_url,
                  (select count(distinct w.run_id) from wait w where w.connection_id = c.id) as "runs!"
             from connection c
             join workspace s on s.id = c.workspace_id
             left join lateral (select p.email from person p join member m on m.person_id = p.id and m.workspace_id = c.workspace_id
                                where p.id = c.owner_id and p.disabled_at is null) o on true
            where c.health in ('expired', 'revoked') and (c.told_at is null or c.told_at < c.health_since)
              and coalesce(o.email, s.alert_mail, s.alert_url) is not null
            order by c.id limit 200"#
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Due {
            workspace: WorkspaceId(row.workspace_id),
            connection: ConnectionId(row.id),
            name: row.name,
            reason: row.last_error,
            runs: row.runs,
            mail: row.mail,
            url: row.alert_url,
            before: row.told_at,
        })
        .collect())
}

/// Marks it as told; false when somebody else did meanwhile.
pub async fn claim(db: impl PgExecutor<'_>, due: &Due, now: DateTime<Utc>) -> Result<bool, Error> {
    let done = sqlx::query!(
        "update connection set told_at = $3 where workspace_id = $1 and id = $2 and told_at is not distinct from $4",
        due.workspace.0,
        due.connection.0,
        now,
        due.before
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a claim back: the message could not be sent.
pub async fn unclaim(db: impl PgExecutor<'_>, due: &Due) -> Result<(), Error> {
    sqlx::query!(
        "update connection set told_at = $3 where workspace_id = $1 and id = $2",
        due.workspace.0,
        due.connection.0,
        due.before
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The owner knows: they saw it themselves.
pub async fn told(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!("update connection set told_at = $3 where workspace_id = $1 and id = $2", workspace.0, connection.0, now)
        .execute(db)
        .await?;
    Ok(())
}
