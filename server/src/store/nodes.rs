//! Processes and the shards they own. `alive` is the fence: it only ever turns false, and who has lost it commits nothing.

use sqlx::PgConnection;

/// A process that has not been declared dead.
pub struct Node {
    pub id: i64,
    /// Its lease ran out, by the database's clock.
    pub expired: bool,
    pub deaths: i16,
}

/// Registers a process start and returns its id.
pub async fn register(connection: &mut PgConnection, build: &str, address: &str, lease_seconds: f64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "insert into node (lease_until, build, address) values (now() + make_interval(secs => $1), $2, $3) returning id",
        lease_seconds,
        build,
        address
    )
    .fetch_one(connection)
    .await
}

/// Every other process that may be running.
pub async fn others(connection: &mut PgConnection, me: i64) -> sqlx::Result<Vec<Node>> {
    sqlx::query_as!(
        Node,
        r#"select id, lease_until < now() as "expired!", deaths from node where alive and id <> $1 order by id"#,
        me
    )
    .fetch_all(connection)
    .await
}

/// Takes the lock that a process holds for as long as its session lives. True: nobody else held it.
pub async fn try_lock(connection: &mut PgConnection, node: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended('towpath node ' || $1::bigint, 0)) as "locked!""#, node)
        .fetch_one(connection)
        .await
}

pub async fn unlock(connection: &mut PgConnection, node: i64) -> sqlx::Result<()> {
    sqlx::query_scalar!("select pg_advisory_unlock(hashtextextended('towpath node ' || $1::bigint, 0))", node)
        .fetch_one(connection)
        .await
        .map(|_| ())
}

/// Declares a process dead. From here on it commits nothing.
pub async fn declare_dead(connection: &mut PgConnection, node: i64) -> sqlx::Result<()> {
    sqlx::query!("update node set alive = false where id = $1", node).execute(connection).await.map(|_| ())
}

/// Takes every shard whose owner is dead or absent; returns how many of them this process owns now.
pub async fn take_shards(connection: &mut PgConnection, me: i64, deaths: i16) -> sqlx::Result<i64> {
    sqlx::query!("update node set deaths = $2 where id = $1", me, deaths).execute(&mut *connection).await?;
    sqlx::query!(
        "update shard set owner = $1, epoch = epoch + 1
         where owner is null or not exists (select 1 from node n where n.id = shard.owner and n.alive)",
        me
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(r#"select count(*) as "count!" from shard where owner = $1"#, me).fetch_one(connection).await
}

/// Prolongs the lease. False: this process was declared dead.
pub async fn renew(connection: &mut PgConnection, me: i64, lease_seconds: f64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update node set lease_until = now() + make_interval(secs => $2) where id = $1 and alive",
        me,
        lease_seconds
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The process has shown that it lives: deaths before it no longer count.
pub async fn forget_deaths(connection: &mut PgConnection, me: i64) -> sqlx::Result<()> {
    sqlx::query!("update node set deaths = 0 where id = $1", me).execute(connection).await.map(|_| ())
}

/// The process ends in order: its shards are free, and its end is no death.
pub async fn release(connection: &mut PgConnection, me: i64) -> sqlx::Result<()> {
    sqlx::query!("update shard set owner = null, epoch = epoch + 1 where owner = $1", me).execute(&mut *connection).await?;
    declare_dead(connection, me).await
}
