//! What others say about the runs of this process: cancel requests and decisions, on their way to whoever drives the run. They are on
//! disk before they get here; this only makes them quick.

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

/// Everything that was said to a run since it became active.
#[derive(Clone, Debug, Default)]
struct Said {
    cancel: Option<Arc<CancelRequest>>,
    decisions: Vec<Arc<Entry>>,
    /// How often a connection that it waited for was renewed, or a run that it called ended.
    renewed: usize,
}

/// An active run's ear.
pub struct Ear {
    said: watch::Receiver<Said>,
    /// How many decisions were taken in.
    decisions: usize,
    /// The cancel request was taken in.
    cancelled: bool,
    /// How many renewals were taken in.
    renewed: usize,
}

impl Ear {
    /// Waits until something was said that [`Ear::is_cancelled`], [`Ear::decisions`] and [`Ear::is_renewed`] have not told.
    pub async fn news(&mut self) {
        let (decisions, cancelled, renewed) = (self.decisions, self.cancelled, self.renewed);
        let new =
            |said: &Said| said.decisions.len() > decisions || said.renewed > renewed || (said.cancel.is_some() && !cancelled);
        if self.said.wait_for(new).await.is_err() {
            // The other end lives as long as the run is active.
            std::future::pending().await
        }
    }

    pub fn is_cancelled(&mut self) -> Option<Arc<CancelRequest>> {
        let request = self.said.borrow().cancel.clone();
        self.cancelled |= request.is_some();
        request
    }

    /// Was a connection renewed that the run waits for, or did a run end, since this was last asked?
    pub fn is_renewed(&mut self) -> bool {
        let renewed = self.said.borrow().renewed;
        std::mem::replace(&mut self.renewed, renewed) < renewed
    }

    /// The decisions that were not told yet.
    pub fn decisions(&mut self) -> Vec<Arc<Entry>> {
        let said = self.said.borrow();
        let new = said.decisions[self.decisions..].to_vec();
        self.decisions += new.len();
        new
    }
}

#[derive(Default)]
pub struct Signals(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    active: HashMap<RunId, watch::Sender<Said>>,
    /// Requests for runs that are not active yet.
    early: HashMap<RunId, Arc<CancelRequest>>,
}

impl Signals {
    /// The run becomes active. It hears a cancel request that was made before, too.
    pub fn listen(&self, run: RunId) -> Ear {
        let mut lists = self.0.lock();
        let (sender, said) = watch::channel(Said { cancel: lists.early.remove(&run), ..Said::default() });
        lists.active.insert(run, sender);
        Ear { said, decisions: 0, cancelled: false, renewed: 0 }
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
            Some(sender) => sender.send_modify(|said| said.cancel = Some(request)),
            None => drop(lists.early.insert(run, request)),
        }
    }

    /// Tells the run of a decision, if it is active; else it reads it from disk.
    pub fn decided(&self, run: RunId, entry: Entry) {
        if let Some(sender) = self.0.lock().active.get(&run) {
            sender.send_modify(|said| said.decisions.push(Arc::new(entry)));
        }
    }

    /// Tells the run that a connection may be used again or that a run ended, if it is active; else it looks when it becomes that.
    pub fn renewed(&self, run: RunId) {
        if let Some(sender) = self.0.lock().active.get(&run) {
            sender.send_modify(|said| said.renewed += 1);
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
        ear.news().await;
        assert_eq!(ear.is_cancelled().map(|request| request.by.clone()), Some("Ann".into()));
        assert!(signals.is_active(run));
        signals.hang_up(run);
        assert!(!signals.is_active(run) && signals.listen(run).is_cancelled().is_none());
    }

    #[tokio::test]
    async fn each_decision_is_told_once_and_only_to_a_run_that_is_active() {
        let signals = Signals::default();
        let run = RunId::new();
        let entry = || Entry { at: DateTime::UNIX_EPOCH, record: Record::CancelRequested { by: "Ann".into() } };
        signals.decided(run, entry());
        let mut ear = signals.listen(run);
        assert!(ear.decisions().is_empty(), "it reads from disk what was said before");
        signals.decided(run, entry());
        ear.news().await;
        assert_eq!((ear.decisions().len(), ear.decisions().len()), (1, 0));
    }
}
