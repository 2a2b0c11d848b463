//! Who goes next when more want to than may: one after the other over the keys that wait, in the order of arrival within a key, so
//! that a thousand of one workspace don't keep another one waiting.

use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};
use tokio::sync::oneshot;

/// A bounded number of turns at the same time.
pub struct Turns<K: Clone + Eq + Hash>(Arc<Mutex<Queue<K>>>);

struct Queue<K: Clone + Eq + Hash> {
    free: usize,
    /// Keys with somebody waiting, the next one first.
    order: VecDeque<K>,
    waiting: HashMap<K, VecDeque<oneshot::Sender<Turn<K>>>>,
}

/// A turn; dropping it lets the next one go.
pub struct Turn<K: Clone + Eq + Hash>(Option<Arc<Mutex<Queue<K>>>>);

impl<K: Clone + Eq + Hash> Turns<K> {
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free: at_once, order: VecDeque::new(), waiting: HashMap::new() })))
    }

    /// Waits for a turn. One who stops waiting loses his place and nobody else's.
    pub async fn next(&self, key: K) -> Turn<K> {
        let receive = {
            let mut queue = self.0.lock();
            if queue.free > 0 {
                queue.free -= 1;
                return Turn(Some(Arc::clone(&self.0)));
            }
            let (send, receive) = oneshot::channel();
            let line = queue.waiting.entry(key.clone()).or_default();
            line.push_back(send);
            if line.len() == 1 {
                queue.order.push_back(key);
            }
            receive
        };
        match receive.await {
            Ok(turn) => turn,
            // The senders are in the queue, which `self` keeps.
            Err(_) => std::future::pending().await,
        }
    }
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// The next one in order, if anybody waits.
    fn pop(&mut self) -> Option<oneshot::Sender<Turn<K>>> {
        while let Some(key) = self.order.pop_front() {
            let Some(line) = self.waiting.get_mut(&key) else { continue };
            let next = line.pop_front();
            if line.is_empty() {
                self.waiting.remove(&key);
            } else {
                self.order.push_back(key);
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }
}

impl<K: Clone + Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        loop {
            let next = turns.lock().pop();
            let Some(next) = next else {
                let mut queue = turns.lock();
                // Somebody may have come since.
                if queue.order.is_empty() {
                    queue.free += 1;
                    return;
                }
                continue;
            };
            match next.send(Turn(Some(Arc::clone(&turns)))) {
                Ok(()) => return,
                // Nobody waits there any more. This one must not let another go when it is dropped: this loop does.
                Err(mut unwanted) => unwanted.0 = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn keys_take_turns_and_one_keeps_the_order_of_its_own() {
        let turns = Turns::new(1);
        let first = turns.next("busy").await;
        let mut waiting = Vec::new();
        for (key, name) in [("busy", "b1"), ("busy", "b2"), ("busy", "b3"), ("calm", "c1"), ("other", "o1")] {
            let mut next = Box::pin(turns.next(key));
            assert!((&mut next).now_or_never().is_none());
            waiting.push((name, next));
        }
        let mut order = Vec::new();
        let mut held = Some(first);
        while !waiting.is_empty() {
            drop(held.take());
            let position = (0..waiting.len()).find(|at| {
                held = (&mut waiting[*at].1).now_or_never();
                held.is_some()
            });
            order.push(waiting.remove(position.unwrap()).0);
        }
        assert_eq!(order, ["b1", "c1", "o1", "b2", "b3"]);
    }

    #[tokio::test]
    async fn one_who_stops_waiting_gives_his_turn_on_and_none_is_lost() {
        let turns = Turns::new(2);
        let (one, two) = (turns.next(1).await, turns.next(1).await);
        let mut gone = Box::pin(turns.next(2));
        let mut last = Box::pin(turns.next(3));
        assert!((&mut gone).now_or_never().is_none() && (&mut last).now_or_never().is_none());
        drop(gone);
        drop(one);
        let third = (&mut last).now_or_never().unwrap();
        assert!(turns.next(1).now_or_never().is_none());
        drop((two, third));
        let _both = (turns.next(1).now_or_never().unwrap(), turns.next(1).now_or_never().unwrap());
        assert!(turns.next(1).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_turn_that_was_given_and_never_taken_goes_on() {
        let turns = Turns::new(1);
        let first = turns.next(1).await;
        let mut given = Box::pin(turns.next(1));
        assert!((&mut given).now_or_never().is_none());
        drop(first);
        // Its turn lies in the channel, and nobody looks there.
        drop(given);
        assert!(turns.next(2).now_or_never().is_some());
    }
}
