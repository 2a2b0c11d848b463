//! The lines that one step opened: which of them are live, and how the others ended. It knows numbers and no outputs, so a loop
//! over a hundred thousand items is a handful of counters.

use crate::record::{FailedStep, LineEnd, LinesKind};
use std::collections::BTreeSet;

/// The lines of an open step.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    pub kind: LinesKind,
    /// How many there are; of a repeat, how many rounds there are at most.
    pub total: u32,
    /// The first number that was never opened; what is below is live, over, or a hole.
    fresh: u32,
    /// Numbers below `fresh` that have yet to be opened: lines of which a crash left nothing.
    holes: BTreeSet<u32>,
    live: BTreeSet<u32>,
    pub done: u32,
    pub filtered: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// The first line that failed, and how.
    pub failure: Option<Box<(u32, FailedStep)>>,
    /// The last round of a repeat said that another follows.
    pub again: bool,
}

impl Lines {
    pub(super) fn new(kind: LinesKind, total: u32) -> Self {
        Self {
            kind,
            total,
            fresh: 0,
            holes: BTreeSet::new(),
            live: BTreeSet::new(),
            done: 0,
            filtered: 0,
            failed: 0,
            cancelled: 0,
            failure: None,
            again: true,
        }
    }

    /// The lines that are under way.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.live.iter().copied()
    }

    /// How many lines are over.
    pub fn over(&self) -> u32 {
        self.done + self.filtered + self.failed + self.cancelled
    }

    /// The numbers that can be opened next, `at_once` lines being live at most.
    pub(crate) fn openable(&self, at_once: u32) -> impl Iterator<Item = u32> + '_ {
        let room = usize::try_from(at_once).unwrap_or(usize::MAX).saturating_sub(self.live.len());
        self.holes.iter().copied().chain(self.fresh..self.total).take(room)
    }

    /// Could a line of this number be live? Not when it is over, or there is none.
    pub(super) fn admits(&self, number: u32) -> bool {
        self.live.contains(&number) || self.holes.contains(&number) || (self.fresh..self.total).contains(&number)
    }

    pub(super) fn open(&mut self, number: u32) {
        if number >= self.fresh {
            self.holes.extend(self.fresh..number);
            self.fresh = number + 1;
        }
        self.holes.remove(&number);
        self.live.insert(number);
    }

    /// The line of this number is over. Asked only about lines that [`Lines::admits`] lets be live.
    pub(super) fn close(&mut self, number: u32, end: &LineEnd, again: bool) {
        self.open(number);
        self.live.remove(&number);
        self.again = again;
        match end {
            LineEnd::Done => self.done += 1,
            LineEnd::Filtered => self.filtered += 1,
            LineEnd::Cancelled => self.cancelled += 1,
            LineEnd::Failed { failed } => {
                self.failed += 1;
                self.failure.get_or_insert_with(|| Box::new((number, failed.clone())));
            }
        }
    }

    /// A line that was opened in memory only is as if it had never been.
    pub(super) fn forget(&mut self, number: u32) {
        if self.live.remove(&number) {
            self.holes.insert(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(total: u32) -> Lines {
        Lines::new(LinesKind::Each, total)
    }

    #[test]
    fn lines_open_in_order_as_far_as_there_is_room() {
        let mut lines = lines(5);
        assert_eq!(lines.openable(3).collect::<Vec<_>>(), [0, 1, 2]);
        (0..3).for_each(|number| lines.open(number));
        assert_eq!(lines.openable(3).count(), 0);
        lines.close(1, &LineEnd::Done, false);
        assert_eq!(lines.openable(3).collect::<Vec<_>>(), [3]);
        assert!(!lines.admits(1) && !lines.admits(5) && lines.admits(0) && lines.admits(4));
    }

    #[test]
    fn lines_of_which_a_crash_left_nothing_come_first() {
        let mut lines = lines(10);
        lines.open(3);
        lines.close(5, &LineEnd::Filtered, false);
        assert_eq!(lines.openable(4).collect::<Vec<_>>(), [0, 1, 2]);
        lines.open(0);
        lines.forget(0);
        assert_eq!(lines.openable(9).collect::<Vec<_>>(), [0, 1, 2, 4, 6, 7, 8, 9]);
    }
}
