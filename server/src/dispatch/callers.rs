//! Who waits for what a run says: synchronous callers for its answer, others for its end. In memory only; what they are told is on
//! disk already.

use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
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

/// A place among those who wait; dropping it leaves.
pub struct Waiting<'a> {
    callers: &'a Callers,
    run: RunId,
    news: oneshot::Receiver<News>,
}

impl Waiting<'_> {
    /// The news, or `None` when there is none until then.
    pub async fn until(&mut self, deadline: Instant) -> Option<News> {
        match tokio::time::timeout_at(deadline.into(), &mut self.news).await {
            Ok(Ok(news)) => Some(news),
            // The other end is gone with the news told, or the time is up.
            Ok(Err(_)) => {
                tokio::time::sleep_until(deadline.into()).await;
                None
            }
            Err(_) => None,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.news.close();
        self.callers.leave(self.run);
    }
}

#[derive(Default)]
pub struct Callers {
    waiting: Mutex<HashMap<RunId, Vec<Caller>>>,
    count: AtomicUsize,
}

impl Callers {
    /// Waits for news of a run. Register before looking whether it is there already.
    pub fn wait(&self, run: RunId, what: For) -> Waiting<'_> {
        let (tell, news) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        let callers = waiting.entry(run).or_default();
        callers.retain(|caller| !caller.tell.is_closed());
        callers.push(Caller { what, tell });
        self.count.store(waiting.len(), Ordering::Relaxed);
        Waiting { callers: self, run, news }
    }

    /// Lets go of those who left.
    fn leave(&self, run: RunId) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use towpath_engine::record::EndState;

    #[tokio::test]
    async fn whoever_waits_hears_once_and_whoever_leaves_costs_nothing() {
        let callers = Callers::default();
        let run = RunId::new();
        let soon = Instant::now() + Duration::from_secs(5);
        let mut first = callers.wait(run, For::Answer);
        let mut second = callers.wait(run, For::End);
        assert!(callers.expects_answer(run));
        let answer = Answer { status: 200, headers: Vec::new(), body: towpath_engine::record::AnswerBody::Empty };
        callers.answered(run, &answer);
        assert!(matches!(first.until(soon).await, Some(News::Answer(_))));
        assert!(!callers.expects_answer(run));
        callers.ended(run, &End { state: EndState::Succeeded, reason: None, error: None });
        assert!(matches!(second.until(soon).await, Some(News::Ended(_))));
        drop(callers.wait(run, For::Answer));
        assert!(callers.waiting.lock().is_empty());
    }
}
