//! Partitions are made ahead and dropped after the retention. A lock that isn't free within 200 ms is tried for again: nobody
//! waits behind housekeeping.

use super::core::Core;
use crate::store::{
    data_writes, event_keys,
    partitions::{self, Drop, TABLES},
};
use chrono::{Days, TimeDelta};
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_secs(15 * 60);
const TRIES: u32 = 20;
/// How long an event is known by its key after it was last seen. A feed may list an item for months: seeing it counts.
const EVENTS: TimeDelta = TimeDelta::days(60);
/// How many of them are forgotten by one statement.
const MOST_EVENTS: u64 = 10_000;

/// Keeps house until the engine stops.
pub async fn run(core: Arc<Core>) {
    loop {
        tokio::time::sleep(EVERY).await;
        make_partitions(&core).await;
        drop_partitions(&core).await;
    }
}

/// Makes the partitions of today and the days ahead.
pub async fn make_partitions(core: &Core) {
    let today = core.parts.clock.now().date_naive();
    for table in TABLES {
        let existing = match partitions::existing(&core.parts.pool, table).await {
            Ok(existing) => existing,
            Err(error) => {
                tracing::warn!(%error, table = table.name, "its partitions could not be listed");
                continue;
            }
        };
        for make in partitions::to_make(table, today, &existing) {
            let done = persist(|| partitions::make(&core.parts.pool, &make)).await;
            if let Err(error) = done {
                tracing::warn!(%error, partition = make.name, "a partition could not be made; its rows go to the default one");
            }
        }
    }
    let yesterday = core.parts.clock.now() - TimeDelta::days(1);
    match partitions::rows_in_default(&core.parts.pool, yesterday).await {
        Ok(0) => {}
        Ok(rows) => tracing::warn!(rows, "new runs are in the default partition: the partitions ahead are missing"),
        Err(error) => tracing::warn!(%error, "the default partition could not be read"),
    }
}

/// Drops what is older than the retention.
pub async fn drop_partitions(core: &Core) {
    let today = core.parts.clock.now().date_naive();
    let days = core.parts.settings.retention_days;
    for table in TABLES {
        let existing = match partitions::existing(&core.parts.pool, table).await {
            Ok(existing) => existing,
            Err(error) => {
                tracing::warn!(%error, table = table.name, "its partitions could not be listed");
                continue;
            }
        };
        for old in partitions::to_drop(table, today, days, &existing) {
            if is_needed(core, &old).await {
                continue;
            }
            match persist(|| partitions::drop(&core.parts.pool, &old)).await {
                Ok(()) => tracing::info!(partition = old.name, "dropped: older than the retention"),
                Err(error) => tracing::warn!(%error, partition = old.name, "an old partition could not be dropped yet"),
            }
        }
    }
    let seen_before = core.parts.clock.now() - EVENTS;
    while let Ok(MOST_EVENTS) = event_keys::forget(&core.parts.pool, seen_before, MOST_EVENTS.cast_signed()).await {}
    let Some(before) = core.parts.clock.now().checked_sub_days(Days::new(u64::from(days))) else { return };
    if let Err(error) = partitions::sweep_default(&core.parts.pool, before).await {
        tracing::warn!(%error, "the default partitions could not be swept");
    }
    if let Err(error) = data_writes::forget(&core.parts.pool, before).await {
        tracing::warn!(%error, "old changes of data tables could not be forgotten");
    }
}

/// Files name no run: those of a day stay as long as a run of that day or an earlier one is live.
async fn is_needed(core: &Core, old: &Drop) -> bool {
    old.table.name == "file" && partitions::is_needed_by_a_live_run(&core.parts.pool, old.until).await.unwrap_or(true)
}

async fn persist<F: Future<Output = sqlx::Result<()>>>(mut work: impl FnMut() -> F) -> sqlx::Result<()> {
    let mut tries = 0;
    loop {
        match work().await {
            // 55P03: the lock was not free.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55P03") && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(50 * u64::from(tries))).await;
            }
            done => return done,
        }
    }
}
