//! The table `workspace`.

use super::Error;
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::WorkspaceId;

/// What an admin sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub name: String,
    /// An IANA name, for example `Europe/Berlin`.
    pub time_zone: String,
    /// Who hears that a run failed, by mail.
    pub alert_mail: Option<String>,
    /// The URL that hears it by an HTTP POST.
    pub alert_url: Option<String>,
}

pub async fn insert(connection: &mut PgConnection, id: WorkspaceId, name: &str, time_zone: &str) -> Result<(), Error> {
    sqlx::query!("insert into workspace (id, name, time_zone) values ($1, $2, $3)", id.0, name, time_zone)
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn settings(db: impl PgExecutor<'_>, id: WorkspaceId) -> Result<Settings, Error> {
    Ok(sqlx::query_as!(Settings, "select name, time_zone, alert_mail, alert_url from workspace where id = $1", id.0)
        .fetch_one(db)
        .await?)
}

pub async fn save_settings(db: impl PgExecutor<'_>, id: WorkspaceId, settings: &Settings) -> Result<(), Error> {
    sqlx::query!(
        "update workspace set name = $2, time_zone = $3, alert_mail = $4, alert_url = $5 where id = $1",
        id.0,
        settings.name,
        settings.time_zone,
        settings.alert_mail,
        settings.alert_url,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The oldest workspace: where the command line puts people unless told otherwise.
pub async fn first(db: impl PgExecutor<'_>) -> Result<Option<WorkspaceId>, Error> {
    let id = sqlx::query_scalar!("select id from workspace order by created_at, id limit 1").fetch_optional(db).await?;
    Ok(id.map(WorkspaceId))
}
