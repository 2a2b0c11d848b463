//! What waits for the writer: one bounded list, filled by everybody and emptied by one.

use super::{
    change::Change,
    operation::{DeliveryRow, EventKey, Operation},
};
use parking_lot::Mutex;
use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use towpath_engine::ids::{EndpointId, WorkflowId};

/// Operations in one group at most.
pub const MAX_GROUP: usize = 1_024;
/// Bytes in one group, unless a single operation is larger.
pub const MAX_GROUP_BYTES: usize = 4 << 20;
/// Events that may wait at the door.
const MAX_ACCEPTS: usize = 20_000;
/// Bytes of events that may wait at the door.
const MAX_ACCEPT_BYTES: usize = 64 << 20;
/// How long an operation that nobody waits for may wait for company. A lone sender's next event then shares its commit.
const COMPANY: Duration = Duration::from_millis(2);
/// How long an event is held while the database is away.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Why an event is not taken at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Too much is pending.
    Overloaded,
    /// The database has been away for this long.
    Away(Duration),
    Closed,
}

/// An operation and when it came.
pub struct Queued {
    pub operation: Operation,
    pub since: Instant,
}

impl Queued {
    /// Is its caller at the door, to be told to come again rather than be kept waiting?
    pub fn is_accept(&self) -> bool {
        self.operation.accept.is_some()
    }
}

#[derive(Default)]
pub struct Pending {
    lists: Mutex<Lists>,
    news: Notify,
}

#[derive(Default)]
struct Lists {
    operations: VecDeque<Queued>,
    changes: VecDeque<Change>,
    accepts: usize,
    accept_bytes: usize,
    /// Operations that somebody waits for.
    awaited: usize,
    down_since: Option<Instant>,
    closed: bool,
}

/// What the writer does next.
#[derive(Default)]
pub struct Work {
    pub group: Vec<Queued>,
    pub changes: Vec<Change>,
}

impl Pending {
    pub fn push(&self, operations: impl IntoIterator<Item = Operation>) {
        let since = Instant::now();
        let mut lists = self.lists.lock();
        for operation in operations {
            lists.add(Queued { operation, since });
        }
        drop(lists);
        self.news.notify_one();
    }

    pub fn push_accept(&self, operation: Operation) -> Result<(), Full> {
        let mut lists = self.lists.lock();
        if lists.closed {
            return Err(Full::Closed);
        }
        if let Some(away) = lists.down_since.map(|since| since.elapsed()).filter(|away| *away > PATIENCE) {
            return Err(Full::Away(away));
        }
        if lists.accepts >= MAX_ACCEPTS || lists.accept_bytes >= MAX_ACCEPT_BYTES {
            return Err(Full::Overloaded);
        }
        lists.add(Queued { operation, since: Instant::now() });
        drop(lists);
        self.news.notify_one();
        Ok(())
    }

    pub fn push_change(&self, change: Change) {
        self.lists.lock().changes.push_back(change);
        self.news.notify_one();
    }

    pub fn close(&self) {
        self.lists.lock().closed = true;
        self.news.notify_one();
    }

    /// The database takes nothing, as of now or since it was marked first.
    pub fn mark_down(&self) {
        self.lists.lock().down_since.get_or_insert_with(Instant::now);
    }

    /// The database takes what is written again.
    pub fn mark_back(&self) {
        self.lists.lock().down_since = None;
    }

    /// Is nothing to be written, with the end not near?
    pub fn is_idle(&self) -> bool {
        let lists = self.lists.lock();
        lists.operations.is_empty() && lists.changes.is_empty() && !lists.closed
    }

    pub fn outage(&self) -> Option<Duration> {
        self.lists.lock().down_since.map(|since| since.elapsed())
    }

    /// The next group, as soon as there is one; `None` when the list is closed and empty.
    pub async fn take(&self) -> Option<Work> {
        loop {
            let news = self.news.notified();
            let patience = {
                let mut lists = self.lists.lock();
                match lists.patience() {
                    Some(Duration::ZERO) => return Some(lists.take()),
                    None if lists.closed => return None,
                    patience => patience,
                }
            };
            match patience {
                // Either way, look again.
                Some(patience) => drop(tokio::time::timeout(patience, news).await),
                None => news.await,
            }
        }
    }

    /// Takes out the events that have waited longer than a caller is kept.
    pub fn take_impatient(&self) -> Vec<Queued> {
        let mut lists = self.lists.lock();
        let mut out = Vec::new();
        let mut kept = VecDeque::with_capacity(lists.operations.len());
        for queued in std::mem::take(&mut lists.operations) {
            if queued.is_accept() && queued.since.elapsed() > PATIENCE {
                lists.let_go(&queued);
                out.push(queued);
            } else {
                kept.push_back(queued);
            }
        }
        lists.operations = kept;
        out
    }
}

impl Lists {
    fn add(&mut self, queued: Queued) {
        self.awaited += usize::from(queued.operation.reply.is_some());
        if queued.is_accept() {
            self.accepts += 1;
            self.accept_bytes += queued.operation.size();
        }
        self.operations.push_back(queued);
    }

    /// How long what is there may wait for more; `None` when there is nothing.
    fn patience(&self) -> Option<Duration> {
        let urgent = self.awaited > 0 || !self.changes.is_empty() || self.closed || self.operations.len() >= MAX_GROUP;
        match self.operations.front() {
            None if self.changes.is_empty() => None,
            Some(oldest) if !urgent => Some(COMPANY.saturating_sub(oldest.since.elapsed())),
            _ => Some(Duration::ZERO),
        }
    }

    fn let_go(&mut self, queued: &Queued) {
        self.awaited -= usize::from(queued.operation.reply.is_some());
        if queued.is_accept() {
            self.accepts -= 1;
            self.accept_bytes -= queued.operation.size();
        }
    }

    /// The longest run of operations that fits a group. The second of two same deliveries waits for the next group, in which
    /// the first is on disk, whatever the day is by then.
    fn take(&mut self) -> Work {
        let mut work =
            Work { group: Vec::with_capacity(self.operations.len().min(MAX_GROUP)), changes: self.changes.drain(..).collect() };
        let mut bytes = 0;
        let mut keys: HashSet<(EndpointId, Vec<u8>)> = HashSet::new();
        let mut events: HashSet<(WorkflowId, EventKey)> = HashSet::new();
        while let Some(next) = self.operations.front() {
            let size = next.operation.size();
            if work.group.len() >= MAX_GROUP || (bytes + size > MAX_GROUP_BYTES && !work.group.is_empty()) {
                break;
            }
            if let Some(DeliveryRow { endpoint, key, .. }) = next.operation.delivery()
                && !keys.insert((*endpoint, key.clone()))
            {
                break;
            }
            if let Some(key) = next.operation.event_key()
                && !events.insert((next.operation.run.workflow, key))
            {
                break;
            }
            bytes += size;
            let Some(queued) = self.operations.pop_front() else { break };
            self.let_go(&queued);
            work.group.push(queued);
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::operation::{AcceptRow, RunRef, Then};
    use chrono::{DateTime, NaiveDate, Utc};
    use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

    fn accept(bytes: usize, key: Option<&str>) -> Operation {
        let endpoint = EndpointId(uuid::Uuid::nil());
        Operation {
            run: RunRef { run: RunId::new(), workspace: WorkspaceId::new(), workflow: WorkflowId::new(), shard: 0 },
            accept: Some(AcceptRow {
                version: 1,
                trigger_kind: 1,
                replay_of: None,
                payload: vec![0; bytes],
                event: None,
                at: DateTime::<Utc>::UNIX_EPOCH,
                live: true,
                delivery: key.map(|key| DeliveryRow { bucket: NaiveDate::MIN, endpoint, key: key.into() }),
                event_key: None,
            }),
            records: Vec::new(),
            then: Then::GoOn,
            reply: None,
        }
    }

    async fn sizes(pending: &Pending) -> Vec<usize> {
        pending.close();
        let mut sizes = Vec::new();
        while let Some(work) = pending.take().await {
            sizes.push(work.group.len());
        }
        sizes
    }

    #[tokio::test]
    async fn a_group_holds_at_most_1024_operations() {
        let pending = Pending::default();
        pending.push((0..1_500).map(|_| accept(10, None)));
        assert_eq!(sizes(&pending).await, [1_024, 476]);
    }

    #[tokio::test]
    async fn a_group_holds_at_most_four_mebibytes_unless_one_operation_is_larger() {
        let pending = Pending::default();
        pending.push([accept(3 << 20, None), accept(3 << 20, None), accept(5 << 20, None), accept(1, None)]);
        assert_eq!(sizes(&pending).await, [1, 1, 1, 1]);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_shares_the_next_commit_and_waits_no_longer_than_two_milliseconds() {
        let pending = Pending::default();
        let (reply, _caller) = tokio::sync::oneshot::channel();
        pending.push([accept(1, None)]);
        pending.push([Operation { reply: Some(reply), ..accept(1, None) }]);
        assert_eq!(pending.take().await.unwrap().group.len(), 2, "somebody waits: at once, and with company");
        pending.push([accept(1, None)]);
        let alone = tokio::time::timeout(Duration::from_secs(5), pending.take()).await;
        assert_eq!(alone.expect("it goes alone in the end").unwrap().group.len(), 1);
        assert_eq!(pending.lists.lock().awaited, 0);
    }

    #[tokio::test]
    async fn the_same_delivery_twice_is_never_in_one_group() {
        let pending = Pending::default();
        pending.push([accept(1, Some("a")), accept(1, Some("b")), accept(1, Some("a")), accept(1, None)]);
        assert_eq!(sizes(&pending).await, [2, 2]);
    }

    #[tokio::test]
    async fn the_same_event_twice_is_never_in_one_group_and_workflows_do_not_share_events() {
        let pending = Pending::default();
        let workflow = WorkflowId::new();
        let event = |workflow, key: &str| {
            let mut operation = accept(1, None);
            operation.run.workflow = workflow;
            if let Some(row) = operation.accept.as_mut() {
                row.event_key = Some(EventKey::new("feed.new_item", key));
            }
            operation
        };
        pending.push([event(workflow, "a"), event(WorkflowId::new(), "a"), event(workflow, "b"), event(workflow, "a")]);
        assert_eq!(sizes(&pending).await, [3, 1]);
    }

    #[test]
    fn the_door_closes_when_too_many_bytes_wait() {
        let pending = Pending::default();
        for _ in 0..13 {
            assert_eq!(pending.push_accept(accept(5 << 20, None)), Ok(()));
        }
        assert_eq!(pending.push_accept(accept(1, None)), Err(Full::Overloaded));
    }

    #[test]
    fn the_door_closes_when_the_database_has_been_away_for_too_long() {
        let pending = Pending::default();
        pending.mark_down();
        assert_eq!(pending.push_accept(accept(1, None)), Ok(()));
        let long_ago = Instant::now().checked_sub(Duration::from_secs(5)).expect("the machine has been up for five seconds");
        pending.lists.lock().down_since = Some(long_ago);
        assert!(matches!(pending.push_accept(accept(1, None)), Err(Full::Away(_))));
    }
}
