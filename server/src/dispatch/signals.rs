//! Cancel requests on their way to the runs of this process. The request is on disk before it gets here; this only makes it quick.

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;
use towpath_engine::{
    ids::RunId,
    record::{Entry, Record},
};

/// A committed cancel request.
#[derive(Clone, Debug)]
pub struct CancelRequest {
    pub by: String,
    pub at: DateTime<Utc>,
}

impl CancelRequest {
    pub fn entry(&self) -> Entry {
        Entry { at: self.at, record: Record::CancelRequested { by: self.by.clone() } }
    }
}

/// An active run's ear.
pub struct Ear(watch::Receiver<Option<Arc<CancelRequest>>>);

impl Ear {
    /// The request, as soon as there is one.
    pub async fn cancelled(&mut self) -> Arc<CancelRequest> {
        let heard = self.0.wait_for(Option::is_some).await.ok().and_then(|request| request.clone());
        match heard {
            Some(request) => request,
            // The other end lives as long as the run is active.
            None => std::future::pending().await,
        }
    }

    pub fn is_cancelled(&self) -> Option<Arc<CancelRequest>> {
        self.0.borrow().clone()
    }
}

#[derive(Default)]
pub struct Signals(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    active: HashMap<RunId, watch::Sender<Option<Arc<CancelRequest>>>>,
    /// Requests for runs that are not active yet.
    early: HashMap<RunId, Arc<CancelRequest>>,
}

impl Signals {
    /// The run becomes active. It hears what was said before, too.
    pub fn listen(&self, run: RunId) -> Ear {
        let mut lists = self.0.lock();
        let (sender, receiver) = watch::channel(lists.early.remove(&run));
        lists.active.insert(run, sender);
        Ear(receiver)
    }

    /// The run is active no more.
    pub fn hang_up(&self, run: RunId) {
        self.0.lock().active.remove(&run);
    }

    /// Tells the run, now or when it becomes active.
    pub fn cancel(&self, run: RunId, request: CancelRequest) {
        let mut lists = self.0.lock();
        let request = Arc::new(request);
        match lists.active.get(&run) {
            Some(sender) => drop(sender.send_replace(Some(request))),
            None => drop(lists.early.insert(run, request)),
        }
    }

    /// Nobody waits for the request to be heard any more; the run reads it from disk.
    pub fn forget(&self, run: RunId) {
        self.0.lock().early.remove(&run);
    }

    pub fn is_active(&self, run: RunId) -> bool {
        self.0.lock().active.contains_key(&run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_reaches_a_run_that_becomes_active_after_it() {
        let signals = Signals::default();
        let run = RunId::new();
        signals.cancel(run, CancelRequest { by: "Ann".into(), at: DateTime::UNIX_EPOCH });
        let mut ear = signals.listen(run);
        assert_eq!(ear.cancelled().await.by, "Ann");
        assert!(signals.is_active(run));
        signals.hang_up(run);
        assert!(!signals.is_active(run) && signals.listen(run).is_cancelled().is_none());
    }
}
