//! The tables `person` and `instance`: who can sign in. People belong to the instance; what they may do is in `member`.

use super::{Error, resets};
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
    pub id: PersonId,
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
    // The database takes no NUL, and nobody has one in an address.
    let email = email.replace('\0', " ");
    let row = sqlx::query!("select id, password_hash from person where email = $1 and disabled_at is null", email)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| Credentials { person: PersonId(row.id), password_hash: row.password_hash }))
}

pub async fn password_hash(db: impl PgExecutor<'_>, person: PersonId) -> Result<String, Error> {
    Ok(sqlx::query_scalar!("select password_hash from person where id = $1", person.0).fetch_one(db).await?)
}

/// Sets a new password. A link to set one has done its work, or must not undo this one: it is removed.
pub async fn set_password(connection: &mut PgConnection, person: PersonId, password_hash: &str) -> Result<(), Error> {
    sqlx::query!("update person set password_hash = $2 where id = $1", person.0, password_hash).execute(&mut *connection).await?;
    resets::remove(connection, person).await
}

pub async fn rename(db: impl PgExecutor<'_>, person: PersonId, name: &str) -> Result<(), Error> {
    sqlx::query!("update person set name = $2 where id = $1", person.0, name).execute(db).await?;
    Ok(())
}

/// Everybody, oldest first, from after a person; at most `limit`.
pub async fn list(db: impl PgExecutor<'_>, after: Option<PersonId>, limit: i64) -> Result<Vec<ListedPerson>, Error> {
    let rows = sqlx::query!(
        r#"select p.id, p.email, p.name, p.instance_owner, p.created_at, p.disabled_at,
               coalesce(string_agg(w.name || ' (' || m.role || ')', ', ' order by w.created_at), '') as "workspaces!"
           from person p
           left join (member m join workspace w on w.id = m.workspace_id and w.deleted_at is null) on m.person_id = p.id
           where $1::uuid is null or (p.created_at, p.id) > (select q.created_at, q.id from person q where q.id = $1)
           group by p.id order by p.created_at, p.id limit $2"#,
        after.map(|id| id.0),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ListedPerson {
            id: PersonId(row.id),
            email: row.email,
            name: row.name,
            instance_owner: row.instance_owner,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            workspaces: row.workspaces,
        })
        .collect())
}

/// A person as the instance's owner sees them.
pub struct Account {
    pub email: String,
    pub name: String,
    pub instance_owner: bool,
    pub disabled: bool,
    /// Owners of the instance who can sign in, without this one.
    pub other_instance_owners: i64,
}

/// One account, and the owners of the instance kept as they are until the transaction ends.
pub async fn lock(connection: &mut PgConnection, person: PersonId) -> Result<Account, Error> {
    // One lock for all such changes: they are rare, and the count below must stay true.
    sqlx::query!("select from instance for update").fetch_one(&mut *connection).await?;
    let row = sqlx::query!(
        r#"select email, name, instance_owner, disabled_at is not null as "disabled!",
               (select count(*) from person where instance_owner and disabled_at is null and id <> $1) as "other_instance_owners!"
           from person where id = $1"#,
        person.0,
    )
    .fetch_one(connection)
    .await?;
    Ok(Account {
        email: row.email,
        name: row.name,
        instance_owner: row.instance_owner,
        disabled: row.disabled,
        other_instance_owners: row.other_instance_owners,
    })
}

/// `NotFound` unless there is such a person.
pub async fn exists(db: impl PgExecutor<'_>, person: PersonId) -> Result<(), Error> {
    sqlx::query!("select from person where id = $1", person.0).fetch_one(db).await?;
    Ok(())
}

/// Whose address this is, disabled or not.
pub async fn by_address(db: impl PgExecutor<'_>, email: &str) -> Result<Option<PersonId>, Error> {
    Ok(sqlx::query_scalar!("select id from person where email = $1", email).fetch_optional(db).await?.map(PersonId))
}

/// Lets nobody sign in with the account from `at` on; none lets them in again.
pub async fn set_disabled(connection: &mut PgConnection, person: PersonId, at: Option<DateTime<Utc>>) -> Result<(), Error> {
    sqlx::query!("update person set disabled_at = $2 where id = $1", person.0, at).execute(connection).await?;
    Ok(())
}

pub async fn set_instance_owner(connection: &mut PgConnection, person: PersonId, owner: bool) -> Result<(), Error> {
    sqlx::query!("update person set instance_owner = $2 where id = $1", person.0, owner).execute(connection).await?;
    Ok(())
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
