//! Waiting on a condition with a bound, in place of sleeping and hoping.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Asks `probe` until it answers with something, at most for `within`; panics with `what` when it never does.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, within: Duration, mut probe: impl FnMut() -> F) -> T {
    let end = Instant::now() + within;
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < end, "not within {within:?}: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}
