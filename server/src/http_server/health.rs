//! `/livez` and `/readyz`. Alive says that the process answers; ready says that it can take work: it isn't stopping, the database
//! takes writes, and the schema is this build's.

use crate::{app::App, database::migrate, dispatch::Engine, shutdown::Shutdown};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long an answer about the database holds: many probes cost one query.
const FRESH: Duration = Duration::from_secs(1);
/// How many checks in a row must fail before a ready server says that it isn't: one slow second is not an outage.
const FAILURES: u32 = 2;

/// What `/readyz` knows.
pub struct Readiness {
    pool: PgPool,
    engine: Engine,
    shutdown: Shutdown,
    state: Mutex<Checked>,
}

#[derive(Default)]
struct Checked {
    hysteresis: Hysteresis,
    at: Option<Instant>,
    reason: String,
}

impl Readiness {
    pub fn new(pool: PgPool, engine: Engine, shutdown: Shutdown) -> Self {
        Self { pool, engine, shutdown, state: Mutex::default() }
    }

    /// Nothing if the server is ready, or the sentence that says why not.
    pub async fn why_not(&self) -> Option<String> {
        if self.shutdown.has_begun() {
            return Some("The server is stopping.".to_owned());
        }
        let mut state = self.state.lock().await;
        if state.at.is_none_or(|at| at.elapsed() >= FRESH) {
            let outcome = check(&self.pool).await.and_then(|()| self.engine.ready());
            state.hysteresis.observe(outcome.is_ok());
            state.reason = outcome.err().unwrap_or_default();
            state.at = Some(Instant::now());
        }
        if state.hysteresis.ready { None } else { Some(state.reason.clone()) }
    }
}

/// Turns ready at the first success, and unready after [`FAILURES`] failures in a row.
#[derive(Default)]
struct Hysteresis {
    ready: bool,
    failures: u32,
}

impl Hysteresis {
    fn observe(&mut self, success: bool) {
        self.failures = if success { 0 } else { self.failures + 1 };
        self.ready = success || (self.ready && self.failures < FAILURES);
    }
}

async fn check(pool: &PgPool) -> Result<(), String> {
    let checks = async {
        // Taking a transaction id and committing writes to the log of the database: a standby, a read-only server and a full disk
        // fail here.
        let read_only: String =
            sqlx::query_scalar("select current_setting('transaction_read_only') from (select pg_current_xact_id()) as write")
                .fetch_one(pool)
                .await?;
        Ok::<_, sqlx::Error>((read_only == "off", migrate::is_current(pool).await?))
    };
    match tokio::time::timeout(Duration::from_secs(2), checks).await {
        Ok(Ok((true, true))) => Ok(()),
        Ok(Ok((false, _))) => Err("The database takes no writes.".to_owned()),
        Ok(Ok((true, false))) => Err("The database's schema is not this version's.".to_owned()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the readiness check failed");
            Err("The database does not answer.".to_owned())
        }
        Err(_) => Err("The database did not answer within 2 seconds.".to_owned()),
    }
}

/// `GET /livez`
pub async fn livez() -> Response {
    plain(StatusCode::OK, "alive")
}

/// `GET /readyz`
pub async fn readyz(State(app): State<App>) -> Response {
    match app.readiness.why_not().await {
        None => plain(StatusCode::OK, "ready"),
        Some(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, &reason),
    }
}

fn plain(status: StatusCode, text: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, format!("{text}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::Hysteresis;

    #[test]
    fn one_failure_is_forgiven_and_two_in_a_row_are_not() {
        let mut hysteresis = Hysteresis::default();
        let mut seen = Vec::new();
        for success in [false, true, false, true, false, false, false, true] {
            hysteresis.observe(success);
            seen.push(hysteresis.ready);
        }
        assert_eq!(seen, [false, true, true, true, true, false, false, true]);
    }
}
