//! The cache of addresses: a published hook costs no SQL per request. What changes in this process is forgotten at once; what
//! another process changed, within half a minute. Unknown ids are remembered for a moment, and only so many.

use super::target::{Found, Target};
use crate::{
    app::App,
    live::{Change, Heard, Live, Watcher},
    store::{
        self,
        endpoints::{self, Kind},
    },
};
use parking_lot::{Mutex, RwLock};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use towpath_engine::ids::{EndpointId, WorkflowId};

/// How long a known address may be used without asking again.
const KNOWN: Duration = Duration::from_secs(30);
/// How long an unknown one is taken for unknown.
const UNKNOWN: Duration = Duration::from_secs(5);
/// The most of each that are kept.
const MOST_KNOWN: usize = 20_000;
const MOST_UNKNOWN: usize = 4_096;
/// Look-ups at the same time: callers of unknown addresses can't take the whole pool.
const LOOKUPS: usize = 4;

pub struct Targets {
    slots: RwLock<Slots>,
    changes: Mutex<Watcher>,
    lookups: Semaphore,
}

#[derive(Default)]
struct Slots {
    known: HashMap<EndpointId, (Arc<Target>, Instant)>,
    unknown: HashMap<EndpointId, Instant>,
    /// Counts what was forgotten: a look-up that began before isn't kept.
    generation: u64,
}

impl Slots {
    fn forget(&mut self, workflow: WorkflowId) {
        self.known.retain(|_, (target, _)| target.workflow != workflow);
        self.unknown.clear();
        self.generation += 1;
    }

    fn forget_all(&mut self) {
        self.known.clear();
        self.unknown.clear();
        self.generation += 1;
    }

    fn get(&self, id: EndpointId, now: Instant) -> Option<Found> {
        match self.known.get(&id) {
            Some((target, since)) if now.duration_since(*since) < KNOWN => Some(Some(Arc::clone(target))),
            Some(_) => None,
            None => self.unknown.get(&id).filter(|since| now.duration_since(**since) < UNKNOWN).map(|_| None),
        }
    }

    fn keep(&mut self, id: EndpointId, found: &Found, now: Instant, generation: u64) {
        if generation != self.generation {
            return;
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        if self.unknown.len() >= MOST_UNKNOWN {
            self.unknown.clear();
        }
        match found {
            Some(target) => {
                self.known.insert(id, (Arc::clone(target), now));
            }
            None => {
                self.known.remove(&id);
                self.unknown.insert(id, now);
            }
        }
    }
}

impl Targets {
    pub fn new(live: &Live) -> Self {
        Self { slots: RwLock::default(), changes: Mutex::new(live.subscribe_workflows()), lookups: Semaphore::new(LOOKUPS) }
    }

    /// Where an address leads; `None` for unknown and revoked ones. An error only when the store had to be asked and didn't answer.
    pub async fn find(&self, app: &App, id: EndpointId, kind: Kind) -> Result<Found, store::Error> {
        self.catch_up();
        if let Some(found) = self.slots.read().get(id, Instant::now()) {
            return Ok(found.filter(|target| target.is(kind)));
        }
        let _turn = self.lookups.acquire().await;
        // Somebody before us in the queue may have asked the same.
        let generation = {
            let slots = self.slots.read();
            if let Some(found) = slots.get(id, Instant::now()) {
                return Ok(found.filter(|target| target.is(kind)));
            }
            slots.generation
        };
        let found = match endpoints::follow(&app.pool, id, kind).await {
            Ok(found) => Target::prepare(found, kind, &app.registry, &app.vault).await?.map(Arc::new),
            Err(store::Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        self.slots.write().keep(id, &found, Instant::now(), generation);
        Ok(found)
    }

    /// Forgets what a workflow's triggers were. For changes that aren't published as [`Change::Workflow`].
    pub fn forget(&self, workflow: WorkflowId) {
        self.slots.write().forget(workflow);
    }

    /// Applies the changes that were published before this call; whoever published one and then calls an address meets the new state.
    fn catch_up(&self) {
        let mut changes = self.changes.lock();
        if changes.is_empty() {
            return;
        }
        let mut slots = self.slots.write();
        while let Some(heard) = changes.try_next() {
            match heard {
                Heard::Change(Change::Workflow { workflow, .. }) => slots.forget(workflow),
                Heard::Change(_) => {}
                Heard::Missed => slots.forget_all(),
            }
        }
    }
}

impl Target {
    fn is(&self, kind: Kind) -> bool {
        matches!(
            (&self.settings, kind),
            (super::target::Settings::Webhook(_) | super::target::Settings::Service(_), Kind::Webhook)
                | (super::target::Settings::Form(_), Kind::Form)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_addresses_are_remembered_briefly_and_only_so_many() {
        let (mut slots, now) = (Slots::default(), Instant::now());
        let id = EndpointId::random();
        slots.keep(id, &None, now, 0);
        assert!(matches!(slots.get(id, now), Some(None)));
        assert!(slots.get(id, now + UNKNOWN).is_none());
        for _ in 0..MOST_UNKNOWN + 10 {
            slots.keep(EndpointId::random(), &None, now, 0);
        }
        assert!(slots.unknown.len() <= MOST_UNKNOWN);
    }

    #[test]
    fn a_look_up_that_began_before_a_change_is_not_kept() {
        let (mut slots, now) = (Slots::default(), Instant::now());
        let (id, generation) = (EndpointId::random(), slots.generation);
        slots.forget(WorkflowId::new());
        slots.keep(id, &None, now, generation);
        assert!(slots.get(id, now).is_none());
    }
}
