//! What stands still and is looked up when somebody asks: queues, waiting runs, connections to the database, the certificate.

use crate::{app::App, store::backlog};
use std::fmt::Write;

/// The gauges as text. What the database doesn't say within its time is left out, so that a scrape tells of an outage instead of failing
/// with it.
pub async fn text(app: &App) -> String {
    let mut page = String::new();
    let mut gauge = |name: &str, about: &str, value: f64| {
        let _ = writeln!(page, "# HELP {name} {about}\n# TYPE {name} gauge\n{name} {value}\n");
    };
    gauge("towpath_ready", "1 when events can be taken.", if app.readiness.why_not().await.is_none() { 1.0 } else { 0.0 });
    let queue = app.engine.queue();
    gauge("towpath_queue_depth", "Ready runs in memory that wait for their turn.", queue.queued as f64);
    gauge("towpath_active_runs", "Runs that are doing something at this moment.", queue.active as f64);
    gauge("towpath_pool_connections", "Open connections of the pool for pages and the API.", f64::from(app.pool.size()));
    gauge("towpath_pool_idle_connections", "Of these, the idle ones.", app.pool.num_idle() as f64);
    if let Some(tls) = &app.tls {
        gauge(
            "towpath_certificate_expires_seconds",
            "When the certificate in use expires, in Unix time.",
            tls.facts().until.timestamp() as f64,
        );
    }
    match backlog::now(&app.pool).await {
        Ok(backlog) => {
            gauge("towpath_runnable_runs", "Runs that have something to do, in memory or not.", backlog.runnable as f64);
            let age = backlog.oldest.map_or(0.0, |oldest| (app.clock.now() - oldest).as_seconds_f64().max(0.0));
            gauge("towpath_oldest_ready_run_seconds", "For how long the oldest of them has been due.", age);
            gauge("towpath_waiting_runs", "Runs that wait for a time, a retry or a person.", backlog.waiting as f64);
        }
        Err(error) => tracing::debug!(%error, "the backlog could not be counted for a scrape"),
    }
    page
}
