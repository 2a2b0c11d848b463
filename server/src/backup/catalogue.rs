//! What the database says about its own tables. Names come from its catalogue and are quoted; nothing here is a person's text.

use super::{
    LEFT_OUT,
    manifest::{Applied, Table},
};
use anyhow::{Context, ensure};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// The tables, each after those that it refers to. Partitions belong to their parents.
pub async fn tables(connection: &mut PgConnection) -> anyhow::Result<Vec<Table>> {
    let rows: Vec<(String, Vec<String>)> = sqlx::query_as(
        "select c.relname::text, array_agg(a.attname::text order by a.attnum) from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         group by c.relname order by c.relname",
    )
    .fetch_all(&mut *connection)
    .await?;
    let references: Vec<(String, String)> = sqlx::query_as(
        "select distinct a.relname::text, b.relname::text from pg_constraint k
         join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
         where k.contype = 'f' and not a.relispartition and a.oid <> b.oid",
    )
    .fetch_all(connection)
    .await?;
    let tables = rows.into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())).collect();
    in_order(tables, &references)
}

fn in_order(mut tables: BTreeMap<String, Vec<String>>, references: &[(String, String)]) -> anyhow::Result<Vec<Table>> {
    let mut ordered = Vec::new();
    while !tables.is_empty() {
        let free: BTreeSet<String> = tables
            .keys()
            .filter(|name| !references.iter().any(|(from, to)| from == *name && tables.contains_key(to)))
            .cloned()
            .collect();
        ensure!(!free.is_empty(), "the tables {:?} refer to each other in a circle", tables.keys());
        for name in free {
            let columns = tables.remove(&name).context("it was there")?;
            ordered.push(Table { name, columns });
        }
    }
    Ok(ordered)
}

/// What has been migrated; nothing in a database that Towpath has never seen.
pub async fn migrations(connection: &mut PgConnection) -> sqlx::Result<Vec<Applied>> {
    let known: bool =
        sqlx::query_scalar("select to_regclass('public._sqlx_migrations') is not null").fetch_one(&mut *connection).await?;
    if !known {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "select version, description, encode(checksum, 'hex') from _sqlx_migrations where success order by version",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(version, description, checksum)| Applied { version, description, checksum }).collect())
}

/// The names of the partitions by day; the default ones come with the schema.
pub async fn partitions(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relispartition and relkind = 'r'
         and relname not like '%\\_default' order by 1",
    )
    .fetch_all(connection)
    .await
}

/// The last number that each sequence gave.
pub async fn sequences(connection: &mut PgConnection) -> sqlx::Result<BTreeMap<String, Option<i64>>> {
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
        "select sequencename::text, last_value from pg_sequences where schemaname = 'public' and sequencename <> 'node_id_seq'",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// An identifier as SQL writes it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns of a table as SQL writes them.
pub fn column_list(table: &Table) -> String {
    table.columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_after_those_it_refers_to() {
        let tables = ["a", "b", "c", "d"].map(|name| (name.to_owned(), vec![])).into();
        let refer = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        let order = |tables: &BTreeMap<_, _>, pairs| {
            in_order(tables.clone(), &refer(pairs)).map(|tables| tables.into_iter().map(|table| table.name).collect::<String>())
        };
        // Referring to what is left out is no obstacle.
        assert_eq!(order(&tables, &[("a", "b"), ("b", "d"), ("c", "elsewhere")]).unwrap(), "cdba");
        assert!(order(&tables, &[("a", "b"), ("b", "a")]).is_err());
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
