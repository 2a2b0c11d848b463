//! Waiting for what comes next: until a moment on the wall clock, until something about workflows changes, until the server stops.

use crate::{app::App, live::Watcher};
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What to wait for.
#[derive(Clone, Copy, Debug)]
pub enum Alarm {
    /// This moment; without one, something that changes.
    At(Option<DateTime<Utc>>),
    /// So long.
    After(Duration),
}

/// A clock that was set is noticed within this time.
const LOOK: Duration = Duration::from_secs(1);
/// What another process changed is noticed within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Changes that come together are one.
const GATHER: Duration = Duration::from_millis(20);

/// Waits, for `news` as well. False when the server is stopping.
pub async fn wait(app: &App, changes: &mut Watcher, news: &Notify, alarm: Alarm) -> bool {
    let begun = Instant::now();
    loop {
        let left = match alarm {
            Alarm::After(long) => long.saturating_sub(begun.elapsed()),
            Alarm::At(at) => {
                let again = LOOK_AGAIN.saturating_sub(begun.elapsed());
                at.map_or(again, |at| (at - app.clock.now()).to_std().unwrap_or_default().min(again))
            }
        };
        if left.is_zero() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LOOK)) => {}
            () = app.shutdown.begun() => return false,
            () = news.notified() => return true,
            heard = changes.next() => {
                if heard.is_none() {
                    return false;
                }
                tokio::time::sleep(GATHER).await;
                while changes.try_next().is_some() {}
                return true;
            }
        }
    }
}
