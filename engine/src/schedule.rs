//! Schedules: when a workflow starts by itself, and what becomes of times that were missed. Pure: it is told what time it is.
//!
//! What people pick (a time of day, days of the week) happens once per day on the clock of its zone: a time that falls into the gap of
//! spring happens right after it, one that comes twice in autumn happens the first time. Real intervals (every 15 minutes, every two
//! hours, a cron line with `*` hours) go on at the same pace through both.

mod read;
mod walk;
mod words;

#[cfg(test)]
mod tests;

pub use read::{Wrong, time_of_day, zone};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use croner::Cron;

/// A slot that is at most this late counts as on time, whatever the policy about missed ones is.
pub const ON_TIME: TimeDelta = TimeDelta::seconds(60);
/// The most missed times that can be made up for.
pub const MOST_MISSED: u32 = 1_000;

/// When a workflow starts by itself.
#[derive(Clone, Debug)]
pub struct Schedule {
    repeat: Repeat,
    zone: Tz,
    missed: Missed,
    missed_while_paused: bool,
}

/// The times themselves.
#[derive(Clone, Debug)]
enum Repeat {
    /// Every so many real minutes, counted from midnight of the zone's first day of 2000.
    Minutes(u32),
    /// Every so many real hours, counted likewise, this many minutes past.
    Hours {
        every: u32,
        minute: u32,
    },
    Days {
        at: NaiveTime,
        cron: Box<Cron>,
    },
    Weeks {
        on: Vec<Weekday>,
        at: NaiveTime,
        cron: Box<Cron>,
    },
    Months {
        day: MonthDay,
        at: NaiveTime,
        cron: Box<Cron>,
    },
    Cron {
        cron: Box<Cron>,
        pace: Pace,
    },
}

/// How a pattern goes through a change of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Each time on the clock once.
    Clock,
    /// At the same real distance.
    Real,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MonthDay {
    /// Months without it are left out.
    Day(u32),
    Last,
}

/// What becomes of times at which nobody was there to start anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// They are gone.
    Skip,
    /// The last of them is made up for.
    Last,
    /// So many of the last ones are made up for, oldest first.
    All(u32),
}

/// What a schedule asks for at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The slots to start now, oldest first.
    pub slots: Vec<DateTime<Utc>>,
    /// When to look again; `None`: never.
    pub next: Option<DateTime<Utc>>,
}

impl Schedule {
    /// The zone whose clock counts.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Are times that passed while the workflow was paused treated as missed ones? Otherwise they never were.
    pub fn counts_pauses(&self) -> bool {
        self.missed_while_paused
    }

    /// The first slot after this moment; `None` when there is none for ever.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.repeat {
            Repeat::Minutes(every) => walk::interval(self.zone, i64::from(*every), 0, after),
            Repeat::Hours { every, minute } => walk::interval(self.zone, i64::from(*every) * 60, i64::from(*minute), after),
            Repeat::Days { cron, .. } | Repeat::Weeks { cron, .. } | Repeat::Months { cron, .. } => {
                walk::clock(cron, self.zone, after)
            }
            Repeat::Cron { cron, pace: Pace::Clock } => walk::clock(cron, self.zone, after),
            Repeat::Cron { cron, pace: Pace::Real } => walk::real(cron, self.zone, after),
        }
    }

    /// The next slots after this moment, at most `count`.
    pub fn upcoming(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next(after), |slot| self.next(*slot)).take(count).collect()
    }

    /// What to start now, given the slot that was waited for, and what to wait for then. Nothing when its time has not come.
    pub fn due(&self, waited_for: DateTime<Utc>, now: DateTime<Utc>) -> Due {
        if waited_for > now {
            return Due { slots: Vec::new(), next: Some(waited_for) };
        }
        let mut slots = match self.missed {
            Missed::Skip => self.last(1, waited_for, now).into_iter().filter(|slot| now - *slot <= ON_TIME).collect(),
            Missed::Last => self.last(1, waited_for, now),
            Missed::All(most) => self.last(most.clamp(1, MOST_MISSED) as usize, waited_for, now),
        };
        slots.sort_unstable();
        Due { slots, next: self.next(now) }
    }

    /// The last `count` slots from `from` (which is one, unless the schedule was changed meanwhile) to `now`.
    fn last(&self, count: usize, from: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let first = from - TimeDelta::nanoseconds(1);
        let mut span = TimeDelta::hours(1);
        loop {
            let whole = now - first <= span;
            let start = if whole { first } else { now - span };
            let mut slots = std::collections::VecDeque::with_capacity(count + 1);
            for slot in std::iter::successors(self.next(start), |slot| self.next(*slot)).take_while(|slot| *slot <= now) {
                slots.push_back(slot);
                if slots.len() > count {
                    slots.pop_front();
                }
            }
            if whole || slots.len() >= count {
                return slots.into();
            }
            span = span * 8;
        }
    }
}
