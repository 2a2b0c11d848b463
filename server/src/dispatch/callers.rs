//! Who waits for what a run says: synchronous callers for its answer, others for its end. In memory only; what they are told is on
//! disk already.

use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::sync::oneshot;
use towpath_engine::{
    ids::RunId,
    record::{Answer, End},
};

/// What somebody waited for.
#[derive(Clone, Debug)]
pub enum News {
    Answer(Answer),
    Ended(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// The answer, or the end if there is none.
    Answer,
    End,
}

struct Caller {
    what: For,
    tell: oneshot::Sender<News>,
}

#[derive(Default)]
pub struct Callers {
    waiting: Mutex<HashMap<RunId, Vec<Caller>>>,
    count: AtomicUsize,
}

impl Callers {
    /// Waits for news of a run. Register before looking whether it is there already.
    pub fn wait(&self, run: RunId, what: For) -> oneshot::Receiver<News> {
        let (tell, news) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        let callers = waiting.entry(run).or_default();
        callers.retain(|caller| !caller.tell.is_closed());
        callers.push(Caller { what, tell });
        self.count.store(waiting.len(), Ordering::Relaxed);
        news
    }

    /// Nobody waits for this run any more, as far as this caller knows: lets go of those who left.
    pub fn leave(&self, run: RunId) {
        let mut waiting = self.waiting.lock();
        if let Some(callers) = waiting.get_mut(&run) {
            callers.retain(|caller| !caller.tell.is_closed());
            if callers.is_empty() {
                waiting.remove(&run);
            }
        }
        self.count.store(waiting.len(), Ordering::Relaxed);
    }

    /// Does somebody wait for the run's answer?
    pub fn expects_answer(&self, run: RunId) -> bool {
        self.count.load(Ordering::Relaxed) > 0
            && self.waiting.lock().get(&run).is_some_and(|callers| callers.iter().any(|caller| caller.what == For::Answer))
    }

    pub fn answered(&self, run: RunId, answer: &Answer) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut waiting = self.waiting.lock();
        let Some(callers) = waiting.remove(&run) else { return };
        let (answers, ends): (Vec<_>, Vec<_>) = callers.into_iter().partition(|caller| caller.what == For::Answer);
        if !ends.is_empty() {
            waiting.insert(run, ends);
        }
        self.count.store(waiting.len(), Ordering::Relaxed);
        drop(waiting);
        for caller in answers {
            // An error means that the caller is gone.
            let _ = caller.tell.send(News::Answer(answer.clone()));
        }
    }

    pub fn ended(&self, run: RunId, end: &End) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut waiting = self.waiting.lock();
        let callers = waiting.remove(&run);
        self.count.store(waiting.len(), Ordering::Relaxed);
        drop(waiting);
        for caller in callers.into_iter().flatten() {
            let _ = caller.tell.send(News::Ended(end.clone()));
        }
    }
}
