//! Children that are kept for the next job, and how a job gets to one of them. A child that broke a limit, or said what makes no
//! sense, is ended and not used again.

use super::{
    GRACE,
    child::{Child, SharedSpawner},
    turns::{Turn, Turns},
    wire::{Failure, Job, Said},
};
use parking_lot::Mutex;
use std::{
    hash::Hash,
    time::{Duration, Instant},
};

/// After so many jobs a child is replaced, so that whatever it may have gathered goes.
const JOBS: usize = 1_000;

/// Why there is no answer of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It could not be started.
    NotStarted,
    /// No child was free.
    NoTurn,
    /// The input doesn't fit through the door.
    TooMuchInput,
    /// It did not answer in time and was ended.
    Silent,
    /// It ended by itself, or somebody ended it.
    Died { signal: Option<i32> },
    /// It said what no child of ours says, and was ended.
    Garbled,
}

/// Children for jobs, at most so many at the same time; `K` is whom a job is for.
pub struct Pool<K: Clone + Eq + Hash> {
    spawner: SharedSpawner,
    turns: Turns<K>,
    idle: Mutex<Vec<Child>>,
}

impl<K: Clone + Eq + Hash> Pool<K> {
    /// Starts nothing yet.
    pub fn new(spawner: SharedSpawner, children: usize) -> Self {
        Self { spawner, turns: Turns::new(children), idle: Mutex::default() }
    }

    /// Waits until it may ask a child.
    pub async fn turn(&self, key: K) -> Turn<K> {
        self.turns.next(key).await
    }

    /// Waits for a turn until `deadline`, then asks.
    ///
    /// # Errors
    /// See [`Ended`].
    pub async fn ask(
        &self,
        key: K,
        job: &Job,
        limit: Duration,
        deadline: Instant,
        log: &mut (dyn FnMut(String) + Send),
    ) -> Result<Said, Ended> {
        match tokio::time::timeout_at(deadline.into(), self.turn(key)).await {
            Ok(turn) => self.ask_in(turn, job, limit, log).await,
            Err(_) => Err(Ended::NoTurn),
        }
    }

    /// Gives a job to a child; `limit` is what the child itself holds to.
    ///
    /// # Errors
    /// See [`Ended`].
    pub async fn ask_in(
        &self,
        turn: Turn<K>,
        job: &Job,
        limit: Duration,
        log: &mut (dyn FnMut(String) + Send),
    ) -> Result<Said, Ended> {
        // Whoever stops waiting drops the child with this future, and the turn after it.
        let _turn = turn;
        let mut child = match self.idle() {
            Some(child) => child,
            None => self.spawner.start().await?,
        };
        let said = child.ask(job, limit + GRACE, log).await;
        match &said {
            Ok(Said::Failed { failure: Failure::TookTooLong | Failure::NeededTooMuch | Failure::GaveTooMuch }) | Err(_) => {
                crate::metrics::figures().code_ended();
            }
            Ok(_) if child.jobs() < JOBS => self.idle.lock().push(child),
            Ok(_) => {}
        }
        said
    }

    fn idle(&self) -> Option<Child> {
        loop {
            let mut child = self.idle.lock().pop()?;
            if !child.is_gone() {
                return Some(child);
            }
        }
    }
}
