//! The tables `person` and `instance`: who can sign in. People belong to the instance; what they may do is in `member`.

use super::Error;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use towpath_engine::ids::PersonId;

pub struct NewPerson<'a> {
    pub id: PersonId,
    /// Lower case.
    pub email: &'a str,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub instance_owner: bool,
}

/// What sign-in needs to know.
pub struct Credentials {
    pub person: PersonId,
    pub password_hash: String,
}

pub struct ListedPerson {
    pub email: String,
    pub name: String,
    pub instance_owner: bool,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
    /// `Home (owner), Sales (viewer)`.
    pub workspaces: String,
}

/// Adds a person. A second one with the same address is `Conflict("person_email")`.
pub async fn insert(connection: &mut PgConnection, new: NewPerson<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into person (id, email, name, password_hash, instance_owner) values ($1, $2, $3, $4, $5)",
        new.id.0,
        new.email,
        new.name,
        new.password_hash,
        new.instance_owner,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has the instance an owner yet?
pub async fn any(db: impl PgExecutor<'_>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!("select exists (select from person) as \"any!\"").fetch_one(db).await?)
}

/// By address, unless disabled.
pub async fn credentials(db: impl PgExecutor<'_>, email: &str) -> Result<Option<Credentials>, Error> {
    let row = sqlx::query!("select id, password_hash from person where email = $1 and disabled_at is null", email)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| Credentials { person: PersonId(row.id), password_hash: row.password_hash }))
}

pub async fn password_hash(db: impl PgExecutor<'_>, person: PersonId) -> Result<String, Error> {
    Ok(sqlx::query_scalar!("select password_hash from person where id = $1", person.0).fetch_one(db).await?)
}

pub async fn set_password(connection: &mut PgConnection, person: PersonId, password_hash: &str) -> Result<(), Error> {
    sqlx::query!("update person set password_hash = $2 where id = $1", person.0, password_hash).execute(connection).await?;
    Ok(())
}

pub async fn rename(db: impl PgExecutor<'_>, person: PersonId, name: &str) -> Result<(), Error> {
    sqlx::query!("update person set name = $2 where id = $1", person.0, name).execute(db).await?;
    Ok(())
}

/// Everybody, oldest first.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<ListedPerson>, Error> {
    let rows = sqlx::query_as!(
        ListedPerson,
        "select p.email, p.name, p.instance_owner, p.created_at, p.disabled_at,
                coalesce(string_agg(w.name || ' (' || m.role || ')', ', ' order by w.created_at), '') as \"workspaces!\"
         from person p
         left join member m on m.person_id = p.id
         left join workspace w on w.id = m.workspace_id
         group by p.id order by p.created_at, p.id",
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Stores what the next use of the first-start page must show. The last one counts.
pub async fn set_setup_token(db: impl PgExecutor<'_>, hash: &[u8; 32]) -> Result<(), Error> {
    sqlx::query!("update instance set setup_token_hash = $1", hash.as_slice()).execute(db).await?;
    Ok(())
}

pub async fn setup_token(db: impl PgExecutor<'_>) -> Result<Option<Vec<u8>>, Error> {
    Ok(sqlx::query_scalar!("select setup_token_hash from instance").fetch_one(db).await?)
}

/// Takes the token, and keeps others from taking it until the transaction ends.
pub async fn take_setup_token(connection: &mut PgConnection) -> Result<Option<Vec<u8>>, Error> {
    let hash = sqlx::query_scalar!("select setup_token_hash from instance for update").fetch_one(&mut *connection).await?;
    sqlx::query!("update instance set setup_token_hash = null").execute(connection).await?;
    Ok(hash)
}
