//! What the engine's tasks share: the parts, the node, and everything that is only in memory.

use super::{
    callers::Callers,
    children::Awaited,
    disk::Disk,
    node::Node,
    parts::Parts,
    plans::Plans,
    ready::{Carried, Ready, ReadyRun, Slots},
    signals::Signals,
    timers::Timers,
};
use crate::{
    journal::{AcceptedRun, Heir, Journal, RunRef},
    live::Change,
};
use parking_lot::Mutex;
use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use towpath_engine::ids::RunId;

/// Pure runs that may be on their way between their two commits; more than that queue like all others.
const MAX_PURE: usize = 20_000;

pub struct Core {
    pub parts: Parts,
    pub node: Arc<Node>,
    pub journal: Journal,
    pub plans: Plans,
    pub callers: Callers,
    pub signals: Signals,
    pub timers: Timers,
    /// A run went to sleep that waits for a connection.
    pub refused: Notify,
    pub awaited: Awaited,
    pub disk: Disk,
    pub ready: Mutex<Ready>,
    /// Something became ready, or a slot became free.
    pub news: Notify,
    /// Calls that runs make beside their first one.
    pub shares: tokio::sync::Semaphore,
    /// Pure runs between their two commits.
    pub pure: AtomicUsize,
    draining: AtomicBool,
    /// Runs under way; drain waits for them.
    pub runs: TaskTracker,
    /// Runs may go on; until then everything that would act waits.
    pub released: CancellationToken,
    /// Everything stops at once, as in a crash.
    pub stop: CancellationToken,
    me: Weak<Self>,
}

fn released(settings: &super::Settings) -> CancellationToken {
    let released = CancellationToken::new();
    if !settings.held {
        released.cancel();
    }
    released
}

impl Core {
    pub fn new(parts: Parts, node: Arc<Node>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            plans: Plans::new(parts.pool.clone(), Arc::clone(&parts.registry)),
            disk: Disk::new(parts.settings.data.clone(), parts.settings.disk_reserve),
            ready: Mutex::new(Ready::new(Slots::new(parts.settings.effects))),
            journal: Journal::default(),
            callers: Callers::default(),
            signals: Signals::default(),
            timers: Timers::default(),
            refused: Notify::new(),
            awaited: Awaited::default(),
            news: Notify::new(),
            shares: tokio::sync::Semaphore::new(parts.settings.effects.max(1)),
            pure: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            runs: TaskTracker::new(),
            released: released(&parts.settings),
            stop: CancellationToken::new(),
            me: Weak::clone(me),
            parts,
            node,
        })
    }

    /// Runs `work` until it is done or the engine stops.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            // Being stopped is an end like any other.
            let _ = stop.run_until_cancelled_owned(work).await;
        });
    }

    /// As [`Core::spawn`], for work that drain waits for.
    pub fn spawn_run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.runs.spawn(async move {
            let _ = stop.run_until_cancelled_owned(work).await;
        });
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.news.notify_one();
    }

    /// Queues a run that has a job.
    pub fn enqueue(&self, run: RunRef) {
        self.ready.lock().push(ReadyRun { run, carried: Carried::Nothing });
        self.news.notify_one();
    }

    pub fn publish(&self, run: RunRef) {
        let RunRef { run, workspace, workflow, .. } = run;
        self.parts.live.publish(Change::Run { workspace, workflow, run });
    }
}

impl Heir for Core {
    fn accepted(&self, runs: Vec<AcceptedRun>) {
        let mut pure = Vec::new();
        let mut others = Vec::new();
        let room = MAX_PURE.saturating_sub(self.pure.load(Ordering::Relaxed));
        for accepted in runs {
            let version = u32::try_from(accepted.row.version).unwrap_or_default();
            match self.plans.cached(accepted.run.workflow, version) {
                Some(plan) if plan.is_pure() && pure.len() < room => pure.push((accepted, plan)),
                _ => others.push(accepted),
            }
        }
        if !others.is_empty() {
            let mut ready = self.ready.lock();
            for AcceptedRun { run, row } in others {
                ready.push(ReadyRun { run, carried: Carried::Fresh(Box::new(row)) });
            }
            drop(ready);
            self.news.notify_one();
        }
        if !pure.is_empty()
            && let Some(core) = self.me.upgrade()
        {
            self.pure.fetch_add(pure.len(), Ordering::Relaxed);
            self.spawn_run(super::batch::evaluate(core, pure));
        }
    }

    fn doubtful(&self, runs: Vec<RunId>) {
        if let Some(core) = self.me.upgrade() {
            self.spawn(super::recovery::look_for(core, runs));
        }
    }

    fn rejected(&self, run: RunRef) {
        self.enqueue(run);
    }

    fn moved(&self, run: RunRef) {
        self.awaited.moved(run.run);
        self.publish(run);
    }

    fn fenced(&self) {
        self.node.lose();
        self.stop.cancel();
    }
}
