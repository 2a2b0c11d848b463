//! The table `workspace`.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

/// What an admin sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub name: String,
    /// An IANA name, for example `Europe/Berlin`.
    pub time_zone: String,
    /// How dates and numbers are written (BCP 47), for example `de-CH`.
    pub language: String,
    /// Who hears that a run failed, by mail.
    pub alert_mail: Option<String>,
    /// The URL that hears it by an HTTP POST.
    pub alert_url: Option<String>,
}

pub async fn insert(
    connection: &mut PgConnection,
    id: WorkspaceId,
    name: &str,
    time_zone: &str,
    language: &str,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into workspace (id, name, time_zone, language) values ($1, $2, $3, $4)",
        id.0,
        name,
        time_zone,
        language
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn settings(db: impl PgExecutor<'_>, id: WorkspaceId) -> Result<Settings, Error> {
    Ok(sqlx::query_as!(Settings, "select name, time_zone, language, alert_mail, alert_url from workspace where id = $1", id.0)
        .fetch_one(db)
        .await?)
}

pub async fn save_settings(db: impl PgExecutor<'_>, id: WorkspaceId, settings: &Settings) -> Result<(), Error> {
    sqlx::query!(
        "update workspace set name = $2, time_zone = $3, language = $4, alert_mail = $5, alert_url = $6 where id = $1",
        id.0,
        settings.name,
        settings.time_zone,
        settings.language,
        settings.alert_mail,
        settings.alert_url,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The oldest workspace: where the command line puts people unless told otherwise.
pub async fn first(db: impl PgExecutor<'_>) -> Result<Option<WorkspaceId>, Error> {
    let id = sqlx::query_scalar!("select id from workspace where deleted_at is null order by created_at, id limit 1")
        .fetch_optional(db)
        .await?;
    Ok(id.map(WorkspaceId))
}

/// The language in which a workspace writes dates and numbers.
pub async fn language(db: impl PgExecutor<'_>, id: WorkspaceId) -> Result<String, Error> {
    Ok(sqlx::query_scalar!("select language from workspace where id = $1", id.0).fetch_one(db).await?)
}

/// A workspace as the instance's owner sees it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: WorkspaceId,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub members: i64,
    pub workflows: i64,
    /// The names of its owners.
    pub owners: String,
}

/// All workspaces, oldest first, from after one; at most `limit`.
pub async fn list(db: impl PgExecutor<'_>, after: Option<WorkspaceId>, limit: i64) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        r#"select w.id, w.name, w.created_at,
               (select count(*) from member m where m.workspace_id = w.id) as "members!",
               (select count(*) from workflow f where f.workspace_id = w.id and f.deleted_at is null) as "workflows!",
               coalesce((select string_agg(p.name, ', ' order by lower(p.name)) from member m join person p on p.id = m.person_id
                         where m.workspace_id = w.id and m.role = 'owner'), '') as "owners!"
           from workspace w
           where w.deleted_at is null
             and ($1::uuid is null or (w.created_at, w.id) > (select q.created_at, q.id from workspace q where q.id = $1))
           order by w.created_at, w.id limit $2"#,
        after.map(|id| id.0),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: WorkspaceId(row.id),
            name: row.name,
            created_at: row.created_at,
            members: row.members,
            workflows: row.workflows,
            owners: row.owners,
        })
        .collect())
}

/// What deleting a workspace takes along.
#[derive(Clone, Debug)]
pub struct Consequences {
    pub name: String,
    pub members: i64,
    pub workflows: i64,
    pub published: i64,
    /// Runs that are queued, under way or waiting.
    pub running: i64,
    /// Events in inboxes.
    pub parked: i64,
}

pub async fn consequences(db: impl PgExecutor<'_>, id: WorkspaceId) -> Result<Consequences, Error> {
    let row = sqlx::query!(
        r#"select name,
               (select count(*) from member m where m.workspace_id = $1) as "members!",
               (select count(*) from workflow f where f.workspace_id = $1 and f.deleted_at is null) as "workflows!",
               (select count(*) from workflow f where f.workspace_id = $1 and f.state = 'published') as "published!",
               (select count(*) from (select j.run_id from job j where j.workspace_id = $1
                                      union select t.run_id from wait t where t.workspace_id = $1) live) as "running!",
               (select count(*) from parked k where k.workspace_id = $1) as "parked!"
           from workspace where id = $1 and deleted_at is null"#,
        id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(Consequences {
        name: row.name,
        members: row.members,
        workflows: row.workflows,
        published: row.published,
        running: row.running,
        parked: row.parked,
    })
}

/// The name of a workspace, kept from others until the transaction ends.
pub async fn lock_name(connection: &mut PgConnection, id: WorkspaceId) -> Result<String, Error> {
    Ok(sqlx::query_scalar!("select name from workspace where id = $1 and deleted_at is null for update", id.0)
        .fetch_one(connection)
        .await?)
}

/// Gives a workspace up: nobody is in it any more, its workflows are deleted and their addresses dead. What it held is erased by
/// [`erase`] once its last run has ended.
pub async fn delete(connection: &mut PgConnection, id: WorkspaceId, now: DateTime<Utc>) -> Result<Vec<WorkflowId>, Error> {
    let deleted = sqlx::query!("update workspace set deleted_at = $2 where id = $1 and deleted_at is null", id.0, now)
        .execute(&mut *connection)
        .await?;
    if deleted.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    sqlx::query!("delete from member where workspace_id = $1", id.0).execute(&mut *connection).await?;
    sqlx::query!("delete from session where workspace_id = $1", id.0).execute(&mut *connection).await?;
    sqlx::query!("delete from invitation where workspace_id = $1", id.0).execute(&mut *connection).await?;
    sqlx::query!("delete from api_token where workspace_id = $1", id.0).execute(&mut *connection).await?;
    sqlx::query!("update endpoint set revoked_at = $2 where workspace_id = $1 and revoked_at is null", id.0, now)
        .execute(&mut *connection)
        .await?;
    let workflows = sqlx::query_scalar!(
        "update workflow set state = 'deleted', deleted_at = $2, updated_at = $2
         where workspace_id = $1 and deleted_at is null returning id",
        id.0,
        now,
    )
    .fetch_all(connection)
    .await?;
    Ok(workflows.into_iter().map(WorkflowId).collect())
}

/// The runs of a workspace that are queued, under way or waiting; at most `limit`.
pub async fn live_runs(db: impl PgExecutor<'_>, id: WorkspaceId, limit: i64) -> Result<Vec<RunId>, Error> {
    let runs = sqlx::query_scalar!(
        r#"select run_id as "run_id!" from (select run_id from job where workspace_id = $1
                                            union select run_id from wait where workspace_id = $1) live
           order by run_id limit $2"#,
        id.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(runs.into_iter().map(RunId).collect())
}

/// The workspaces that were given up.
pub async fn given_up(db: impl PgExecutor<'_>) -> Result<Vec<WorkspaceId>, Error> {
    let ids = sqlx::query_scalar!("select id from workspace where deleted_at is not null").fetch_all(db).await?;
    Ok(ids.into_iter().map(WorkspaceId).collect())
}

/// Erases all that a given-up workspace held, unless a run of it is still live. `true` when it is gone.
pub async fn erase(connection: &mut PgConnection, id: WorkspaceId) -> Result<bool, Error> {
    let ready = sqlx::query_scalar!(
        r#"select not exists (select from job where workspace_id = $1) and not exists (select from wait where workspace_id = $1) as "ready!"
           from workspace where id = $1 and deleted_at is not null for update"#,
        id.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    if ready != Some(true) {
        return Ok(false);
    }
    sqlx::query!("delete from record where run_id in (select id from run where workspace_id = $1)", id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("delete from run_end where workspace_id = $1", id.0).execute(&mut *connection).await?;
    sqlx::query!("delete from run where workspace_id = $1", id.0).execute(&mut *connection).await?;
    sqlx::query!("delete from file where workspace_id = $1", id.0).execute(&mut *connection).await?;
    // The rest hangs on the workspace and goes with it.
    sqlx::query!("delete from workspace where id = $1", id.0).execute(connection).await?;
    Ok(true)
}
