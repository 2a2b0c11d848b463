//! Sleeping runs whose time comes: a heap of the next alarms in memory, the rest in the table.

use super::core::Core;
use crate::{
    journal::{Change, Failure},
    store::waits::{self, Alarm},
};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};
use tokio::sync::{Notify, oneshot};

/// How far ahead alarms are loaded.
const AHEAD: TimeDelta = TimeDelta::seconds(60);
/// How often the table is read. Well within [`AHEAD`].
const RELOAD: Duration = Duration::from_secs(20);
/// Alarms in memory.
const MOST: i64 = 10_000;
/// Runs woken by one statement.
const BATCH: usize = 500;
/// A clock that was set is noticed within this time.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Default)]
pub struct Timers {
    alarms: Mutex<Alarms>,
    news: Notify,
}

/// The next alarms, earliest first.
#[derive(Default)]
struct Alarms {
    heap: BinaryHeap<Reverse<Alarm>>,
    /// Everything before this moment is in the heap.
    horizon: DateTime<Utc>,
}

impl Alarms {
    /// Takes an alarm, unless it lies beyond what is in memory: the table keeps it.
    fn add(&mut self, alarm: Alarm) -> bool {
        let near = alarm.at < self.horizon;
        if near {
            self.heap.push(Reverse(alarm));
        }
        near
    }

    fn load(&mut self, alarms: Vec<Alarm>, horizon: DateTime<Utc>) {
        self.heap = alarms.into_iter().map(Reverse).collect();
        self.horizon = horizon;
    }

    /// Takes out what is due, at most `most`.
    fn due(&mut self, now: DateTime<Utc>, most: usize) -> Vec<Alarm> {
        let mut due = Vec::new();
        while due.len() < most
            && let Some(Reverse(next)) = self.heap.peek()
            && next.at <= now
        {
            due.push(*next);
            self.heap.pop();
        }
        due
    }

    fn next(&self) -> Option<DateTime<Utc>> {
        self.heap.peek().map(|Reverse(alarm)| alarm.at)
    }
}

impl Timers {
    /// A run went to sleep; the row is on disk.
    pub fn add(&self, alarm: Alarm) {
        if self.alarms.lock().add(alarm) {
            self.news.notify_one();
        }
    }
}

/// Wakes runs until the engine stops.
pub async fn run(core: Arc<Core>) {
    core.released.cancelled().await;
    let mut loaded: Option<tokio::time::Instant> = None;
    loop {
        let now = core.parts.clock.now();
        if loaded.is_none_or(|at| at.elapsed() >= RELOAD) || core.timers.alarms.lock().horizon < now {
            match load(&core, now).await {
                Ok(()) => loaded = Some(tokio::time::Instant::now()),
                Err(error) => tracing::warn!(%error, "the next alarms could not be read"),
            }
        }
        loop {
            let due = core.timers.alarms.lock().due(core.parts.clock.now(), BATCH);
            if due.is_empty() {
                break;
            }
            wake(&core, due).await;
        }
        let pause =
            core.timers.alarms.lock().next().map_or(LOOK, |at| (at - core.parts.clock.now()).to_std().unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(pause.min(LOOK)) => {}
            () = core.timers.news.notified() => {}
        }
    }
}

async fn load(core: &Core, now: DateTime<Utc>) -> sqlx::Result<()> {
    let until = now + AHEAD;
    // Whoever goes to sleep from here on adds itself: set the horizon before reading, so that none falls between.
    core.timers.alarms.lock().horizon = until;
    let alarms = waits::due(&core.parts.pool, core.node.id, until, MOST).await?;
    let full = i64::try_from(alarms.len()).unwrap_or(i64::MAX) >= MOST;
    let horizon = alarms.last().filter(|_| full).map_or(until, |last| last.at);
    let mut held = core.timers.alarms.lock();
    let added: Vec<Alarm> = held.heap.drain().map(|Reverse(alarm)| alarm).collect();
    let mut all = alarms;
    all.extend(added);
    all.sort_unstable();
    all.dedup();
    held.load(all, horizon);
    Ok(())
}

async fn wake(core: &Arc<Core>, due: Vec<Alarm>) {
    let (reply, answer) = oneshot::channel();
    let runs = due.iter().map(|alarm| alarm.run).collect();
    core.journal.change(Change::Wake { runs, now: core.parts.clock.now(), reply });
    match answer.await {
        Ok(Ok(woken)) => {
            for woken in woken {
                core.publish(woken.run);
                core.enqueue(woken.run);
            }
        }
        Ok(Err(Failure::Fenced)) | Err(_) => {}
        // The rows are still there: the next load brings the alarms back.
        Ok(Err(error)) => tracing::error!(%error, "runs could not be woken"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_engine::ids::RunId;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn alarms_ring_in_order_and_far_ones_stay_in_the_table() {
        let mut alarms = Alarms::default();
        let (first, second) = (Alarm { at: at(5), run: RunId::new() }, Alarm { at: at(9), run: RunId::new() });
        alarms.load(vec![second, first], at(60));
        assert!(!alarms.add(Alarm { at: at(60), run: RunId::new() }), "beyond the horizon");
        let soon = Alarm { at: at(1), run: RunId::new() };
        assert!(alarms.add(soon));
        assert_eq!(alarms.next(), Some(at(1)));
        assert_eq!(alarms.due(at(4), 10), [soon]);
        assert_eq!(alarms.due(at(100), 1), [first]);
        assert_eq!(alarms.due(at(100), 10), [second]);
        assert_eq!(alarms.next(), None);
    }
}
