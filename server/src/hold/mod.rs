//! An instance that came from a backup starts nothing and sends nothing by itself: what the backup holds may have been done since. It takes
//! events (they are on disk and wait), shows what it would do, and goes on when a person says so: with everything, or after cancelling
//! the runs that were under way.
//!
//! [`generation`] notices a database that was put back under a data directory that knows better; `towpath restore` says so itself.

pub mod generation;

use crate::{
    app::App,
    dispatch::Refused,
    store::{instance, live_runs, partitions::first_id},
};
use chrono::{DateTime, Utc};
use std::time::Duration;
use towpath_engine::ids::RunId;
use uuid::Uuid;

/// How often the decision is looked for: it may be written by a command in another process.
const LOOK: Duration = Duration::from_secs(1);
/// Runs that are cancelled side by side.
const TOGETHER: i64 = 32;

/// Waits for a person's decision and carries it out. Returns at once where nothing is held.
pub async fn carry_out(app: App) {
    while app.engine.is_held() {
        match decided(&app).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::warn!("what was decided about the held runs could not be carried out yet: {error:#}"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.shutdown.begun() => return,
        }
    }
}

async fn decided(app: &App) -> anyhow::Result<bool> {
    let Some(hold) = instance::held(&app.pool).await? else {
        app.engine.release();
        return Ok(true);
    };
    match hold.decision.as_deref() {
        None => return Ok(false),
        Some("cancel") => {
            let cancelled = cancel_all(app, hold.since).await?;
            tracing::info!("{cancelled} runs of before the backup were cancelled");
        }
        Some(_) => {}
    }
    instance::release(&app.pool).await?;
    app.engine.release();
    tracing::info!("nothing is held any more: runs and triggers go on");
    Ok(true)
}

/// Cancels every run that had not ended when everything was held; what arrived since is new.
async fn cancel_all(app: &App, since: DateTime<Utc>) -> anyhow::Result<usize> {
    let since = first_id(since);
    let mut after = RunId(Uuid::nil());
    let mut cancelled = 0;
    loop {
        let page = live_runs::page(&app.pool, after, TOGETHER).await?;
        let Some((_, last)) = page.last() else { return Ok(cancelled) };
        after = *last;
        let old: Vec<_> = page.into_iter().filter(|(_, run)| run.0 < since).collect();
        cancelled += old.len();
        let asked = old.iter().map(|(workspace, run)| app.engine.cancel(*workspace, *run, "the restore of a backup"));
        futures_util::future::join_all(asked).await.into_iter().collect::<Result<Vec<_>, Refused>>()?;
    }
}
