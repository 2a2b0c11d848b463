//! Every sealed value there is, for those who go through all of them: a change of keys, and the check that everything opens. Which
//! workspace a value belongs to comes back with it.

use super::Error;
use sqlx::PgPool;
use towpath_engine::ids::WorkspaceId;
use uuid::Uuid;

/// A column with sealed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    ConnectionSecret,
    EndpointSecret,
}

impl Column {
    pub const ALL: [Self; 2] = [Self::ConnectionSecret, Self::EndpointSecret];

    pub fn table(self) -> &'static str {
        match self {
            Self::ConnectionSecret => "connection",
            Self::EndpointSecret => "endpoint",
        }
    }
}

/// A value where it is kept.
pub struct Value {
    pub id: Uuid,
    pub workspace: WorkspaceId,
    pub sealed: Vec<u8>,
}

struct Row {
    id: Uuid,
    workspace_id: Uuid,
    sealed: Vec<u8>,
}

/// Values in the order of their rows, `most` of them after `after`; all of them, or those that aren't sealed with the newest data key of
/// their workspace (a value's first five bytes name its key).
pub async fn page(pool: &PgPool, column: Column, all: bool, after: Uuid, most: i64) -> Result<Vec<Value>, Error> {
    let rows = match column {
        Column::ConnectionSecret => {
            sqlx::query_as!(
                Row,
                r#"select c.id, c.workspace_id, c.secret_sealed as "sealed!" from connection c
                   left join (select workspace_id, max(version) as version from data_key group by workspace_id) k using (workspace_id)
                   where c.secret_sealed is not null and c.id > $1
                     and ($2 or k.version is null or substring(c.secret_sealed from 1 for 5) <> '\x02'::bytea || int4send(k.version))
                   order by c.id limit $3"#,
                after,
                all,
                most
            )
            .fetch_all(pool)
            .await?
        }
        Column::EndpointSecret => {
            sqlx::query_as!(
                Row,
                r#"select e.id, e.workspace_id, e.secret_sealed as "sealed!" from endpoint e
                   left join (select workspace_id, max(version) as version from data_key group by workspace_id) k using (workspace_id)
                   where e.secret_sealed is not null and e.id > $1
                     and ($2 or k.version is null or substring(e.secret_sealed from 1 for 5) <> '\x02'::bytea || int4send(k.version))
                   order by e.id limit $3"#,
                after,
                all,
                most
            )
            .fetch_all(pool)
            .await?
        }
    };
    let values = rows.into_iter().map(|row| Value { id: row.id, workspace: WorkspaceId(row.workspace_id), sealed: row.sealed });
    Ok(values.collect())
}

/// Puts the same secret, sealed anew, in the place of `old`, unless somebody has put another there meanwhile.
pub async fn reseal(pool: &PgPool, column: Column, old: &Value, new: &[u8]) -> Result<bool, Error> {
    let changed = match column {
        Column::ConnectionSecret => {
            sqlx::query!(
                "update connection set secret_sealed = $4 where workspace_id = $1 and id = $2 and secret_sealed = $3",
                old.workspace.0,
                old.id,
                old.sealed,
                new
            )
            .execute(pool)
            .await?
        }
        Column::EndpointSecret => {
            sqlx::query!(
                "update endpoint set secret_sealed = $4 where workspace_id = $1 and id = $2 and secret_sealed = $3",
                old.workspace.0,
                old.id,
                old.sealed,
                new
            )
            .execute(pool)
            .await?
        }
    };
    Ok(changed.rows_affected() == 1)
}
