//! Partitions by day: which ones there should be (pure), and the statements that make and drop them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A partitioned table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// The column it is partitioned by.
    pub key: &'static str,
    by: By,
    /// Rows of live and waiting runs outlive their partition.
    pub keeps_live: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// UUIDv7: the first 48 bits are milliseconds.
    Time,
    Date,
}

/// Every partitioned table.
pub const TABLES: [Table; 5] = [
    Table { name: "run", key: "id", by: By::Time, keeps_live: true },
    Table { name: "record", key: "run_id", by: By::Time, keeps_live: true },
    Table { name: "run_end", key: "id", by: By::Time, keeps_live: false },
    Table { name: "file", key: "id", by: By::Time, keeps_live: false },
    Table { name: "delivery", key: "bucket", by: By::Date, keeps_live: false },
];

/// Days that are made ahead.
const AHEAD: u64 = 3;
/// Days after which a delivery is no longer recognised; two would do.
const DELIVERY_DAYS: u64 = 3;

/// A partition to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Make {
    pub table: Table,
    pub name: String,
    /// Inclusive.
    pub lower: String,
    /// Exclusive.
    pub upper: String,
}

/// A partition to be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    pub table: Table,
    pub name: String,
    /// The day after the one it holds.
    pub until: NaiveDate,
}

/// The partitions of a table that `today` asks for and that are not there.
pub fn to_make(table: Table, today: NaiveDate, existing: &[String]) -> Vec<Make> {
    (0..=AHEAD)
        .filter_map(|ahead| today.checked_add_days(Days::new(ahead)))
        .map(|day| Make { table, name: name(table, day), lower: table.by.bound(day), upper: table.by.bound(after(day)) })
        .filter(|make| !existing.contains(&make.name))
        .collect()
}

/// The partitions of a table that are older than `retention_days`.
pub fn to_drop(table: Table, today: NaiveDate, retention_days: u32, existing: &[String]) -> Vec<Drop> {
    let days = match table.by {
        By::Time => u64::from(retention_days),
        By::Date => DELIVERY_DAYS,
    };
    let Some(oldest) = today.checked_sub_days(Days::new(days)) else { return Vec::new() };
    existing
        .iter()
        .filter_map(|name| Some((name, day_of(table, name)?)))
        .filter(|(_, day)| *day < oldest)
        .map(|(name, day)| Drop { table, name: name.clone(), until: after(day) })
        .collect()
}

/// The partition with this name, if it is one by day of ours.
pub fn by_name(name: &str) -> Option<Make> {
    TABLES.into_iter().find_map(|table| {
        let day = day_of(table, name)?;
        Some(Make { table, name: name.to_owned(), lower: table.by.bound(day), upper: table.by.bound(after(day)) })
    })
}

fn name(table: Table, day: NaiveDate) -> String {
    format!("{}_{}", table.name, day.format("%Y%m%d"))
}

fn day_of(table: Table, name: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(name.strip_prefix(table.name)?.strip_prefix('_')?, "%Y%m%d").ok()
}

fn after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

impl By {
    /// Where a day begins.
    fn bound(self, day: NaiveDate) -> String {
        match self {
            Self::Time => first_id(day.and_time(NaiveTime::MIN).and_utc()).to_string(),
            Self::Date => day.to_string(),
        }
    }
}

/// The smallest UUIDv7 of a moment, its version left out: smaller than any that is made then, larger than any made before.
pub fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(u128::from(millis) << 80)
}

/// The names of a table's partitions.
pub async fn existing(executor: impl PgExecutor<'_>, table: Table) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select c.relname::text as "name!" from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = to_regclass($1) order by 1"#,
        table.name
    )
    .fetch_all(executor)
    .await
}

/// Makes a partition; rows of its range that the default partition caught move in. Waits at most 200 ms for a lock.
pub async fn make(executor: impl PgExecutor<'_>, make: &Make) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        "select make_partition($1, $2, $3, $4, $5)",
        make.table.name,
        make.name,
        make.table.key,
        make.lower,
        make.upper
    )
    .fetch_one(executor)
    .await
    .map(|_| ())
}

/// Drops a partition; rows of live and waiting runs go to the default partition first. Waits at most 200 ms for a lock.
pub async fn drop(executor: impl PgExecutor<'_>, drop: &Drop) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        r#"select drop_partition($1, $2, $3, $4)::text as "nothing""#,
        drop.table.name,
        drop.name,
        drop.table.key,
        drop.table.keeps_live
    )
    .fetch_one(executor)
    .await
    .map(|_| ())
}

/// Is some run that was accepted before `until` still live or waiting? Its files are kept.
pub async fn is_needed_by_a_live_run(executor: impl PgExecutor<'_>, until: NaiveDate) -> sqlx::Result<bool> {
    let bound = first_id(until.and_time(NaiveTime::MIN).and_utc());
    sqlx::query_scalar!(
        r#"select exists (select 1 from job where run_id < $1) or exists (select 1 from wait where run_id < $1) as "needed!""#,
        bound
    )
    .fetch_one(executor)
    .await
}

/// Rows in the default partitions: of live runs older than the retention, or caught because no partition was there.
pub async fn rows_in_default(executor: impl PgExecutor<'_>, since: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from run_default where id >= $1"#, first_id(since))
        .fetch_one(executor)
        .await
}

/// Lets go of what outlived its partition and is over since `before`.
pub async fn sweep_default(pool: &sqlx::PgPool, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let bound = first_id(before);
    let mut gone = sqlx::query!("delete from run_end_default where id < $1 and finished_at < $2", bound, before)
        .execute(pool)
        .await?
        .rows_affected();
    gone += sqlx::query!(
        "delete from run_default d where d.id < $1
           and not exists (select 1 from job where run_id = d.id) and not exists (select 1 from wait where run_id = d.id)
           and not exists (select 1 from run_end e where e.id = d.id)",
        bound
    )
    .execute(pool)
    .await?
    .rows_affected();
    gone += sqlx::query!(
        "delete from record_default d where d.run_id < $1 and not exists (select 1 from run r where r.id = d.run_id)",
        bound
    )
    .execute(pool)
    .await?
    .rows_affected();
    gone +=
        sqlx::query!("delete from delivery_default where bucket < $1", before.date_naive()).execute(pool).await?.rows_affected();
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn today_and_three_days_ahead_are_made_unless_they_are_there() {
        let made = to_make(TABLES[0], day("2026-12-30"), &["run_20261231".into(), "run_default".into()]);
        let names: Vec<&str> = made.iter().map(|make| make.name.as_str()).collect();
        assert_eq!(names, ["run_20261230", "run_20270101", "run_20270102"]);
        assert_eq!(made[1].lower, "01a2ce8b-d400-0000-0000-000000000000");
        let days = to_make(TABLES[4], day("2026-02-28"), &[]);
        assert_eq!((days[0].lower.as_str(), days[0].upper.as_str()), ("2026-02-28", "2026-03-01"));
    }

    #[test]
    fn bounds_meet_without_a_gap_and_hold_the_ids_of_their_day() {
        let made = to_make(TABLES[1], day("2026-11-20"), &[]);
        assert!(made.windows(2).all(|pair| pair[0].upper == pair[1].lower));
        let noon = day("2026-11-20").and_hms_opt(12, 0, 0).unwrap().and_utc();
        let stamp = uuid::Timestamp::from_unix(uuid::NoContext, u64::try_from(noon.timestamp()).unwrap(), 0);
        let id = Uuid::new_v7(stamp).to_string();
        assert!(made[0].lower < id && id < made[0].upper);
        assert!(id > first_id(noon).to_string());
    }

    #[test]
    fn what_is_older_than_the_retention_is_dropped_and_nothing_else() {
        let existing: Vec<String> =
            ["run_20261020", "run_20261021", "run_20261120", "run_default", "run_end_20200101"].map(String::from).to_vec();
        let dropped = to_drop(TABLES[0], day("2026-11-20"), 30, &existing);
        assert_eq!(dropped.len(), 1);
        assert_eq!((dropped[0].name.as_str(), dropped[0].until), ("run_20261020", day("2026-10-21")));
        let deliveries = to_drop(TABLES[4], day("2026-11-20"), 30, &["delivery_20261116".into(), "delivery_20261117".into()]);
        assert_eq!(deliveries.len(), 1, "deliveries are known for three days");
    }
}
