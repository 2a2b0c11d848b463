//! Which run goes next: round robin over workspaces, then over their workflows. Pure data; it starts nothing and reads nothing.
//!
//! Each workflow has a window of ready runs in memory. What doesn't fit stays in the table and is loaded when the window empties,
//! so that a workflow with a million runs costs its neighbours neither memory nor time.

use super::signals::Ear;
use crate::{
    execute::Progress,
    journal::{RunRef, operation::AcceptRow},
};
use std::collections::{HashMap, HashSet, VecDeque};
use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

/// Ready runs of one workflow that are kept in memory.
pub const WINDOW: usize = 1_000;
/// Bytes of events that ready runs keep in memory; beyond it they are read again.
const MAX_EVENT_BYTES: usize = 64 << 20;

/// A run that can go on.
pub struct ReadyRun {
    pub run: RunRef,
    pub carried: Carried,
}

/// What a ready run brings along, to save reading it from the database.
pub enum Carried {
    /// Nothing: everything is read.
    Nothing,
    /// What was just accepted; nothing else happened to the run yet.
    Fresh(Box<AcceptRow>),
    /// It slept for a moment, in the middle.
    Nap(Box<(Progress, Ear)>),
}

impl Carried {
    fn bytes(&self) -> usize {
        match self {
            Self::Fresh(row) => row.payload.len(),
            Self::Nothing | Self::Nap(_) => 0,
        }
    }
}

/// How many runs may be active at once.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    pub total: usize,
    /// Of one workspace: the rest is for others, so that they never wait for its slow calls.
    pub workspace: usize,
    pub workflow: usize,
}

impl Slots {
    /// A workflow may take three quarters of the slots, a workspace seven eighths.
    pub fn new(total: usize) -> Self {
        let total = total.max(1);
        Self { total, workspace: (total * 7).div_ceil(8), workflow: (total * 3).div_ceil(4) }
    }
}

/// The ready runs of this process.
pub struct Ready {
    slots: Slots,
    active: usize,
    event_bytes: usize,
    turn: VecDeque<WorkspaceId>,
    workspaces: HashMap<WorkspaceId, Workspace>,
    lanes: HashMap<WorkflowId, Lane>,
}

#[derive(Default)]
struct Workspace {
    active: usize,
    turn: VecDeque<WorkflowId>,
}

struct Lane {
    shard: i16,
    workspace: WorkspaceId,
    queue: VecDeque<ReadyRun>,
    /// Everything of the workflow that is in memory: queued, active or asleep.
    known: HashSet<RunId>,
    /// Woken before their driver had let go of them: they are queued again as soon as it has.
    again: HashSet<RunId>,
    active: usize,
    /// Some of its jobs may be in the table only.
    overflow: bool,
    /// A load is under way.
    loading: bool,
}

/// A workflow whose window wants filling.
pub struct Refill {
    pub workflow: WorkflowId,
    pub shard: i16,
    /// What is in memory already.
    pub known: Vec<RunId>,
}

impl Ready {
    pub fn new(slots: Slots) -> Self {
        Self { slots, active: 0, event_bytes: 0, turn: VecDeque::new(), workspaces: HashMap::new(), lanes: HashMap::new() }
    }

    fn lane(&mut self, run: &RunRef) -> &mut Lane {
        self.lane_of(run.workspace, run.workflow, run.shard)
    }

    fn lane_of(&mut self, workspace: WorkspaceId, workflow: WorkflowId, shard: i16) -> &mut Lane {
        self.lanes.entry(workflow).or_insert_with(|| Lane {
            shard,
            workspace,
            queue: VecDeque::new(),
            known: HashSet::new(),
            again: HashSet::new(),
            active: 0,
            overflow: false,
            loading: false,
        })
    }

    /// Adds a run at the end of its workflow's queue. A run that is in memory already is not added twice: it is looked at again
    /// when it leaves.
    pub fn push(&mut self, mut ready: ReadyRun) {
        let run = ready.run;
        if self.event_bytes + ready.carried.bytes() > MAX_EVENT_BYTES {
            ready.carried = Carried::Nothing;
        }
        let lane = self.lane(&run);
        if lane.queue.len() >= WINDOW {
            lane.overflow = true;
            return;
        }
        if !lane.known.insert(run.run) {
            lane.again.insert(run.run);
            return;
        }
        self.event_bytes += ready.carried.bytes();
        self.enqueue(ready);
    }

    /// Puts a run that is known back into its queue: it napped in memory.
    pub fn again(&mut self, run: RunRef, carried: Carried) {
        self.lane(&run).known.insert(run.run);
        self.enqueue(ReadyRun { run, carried });
    }

    fn enqueue(&mut self, ready: ReadyRun) {
        let run = ready.run;
        let lane = self.lane(&run);
        lane.queue.push_back(ready);
        if lane.queue.len() == 1 {
            let workspace = self.workspaces.entry(run.workspace).or_default();
            workspace.turn.push_back(run.workflow);
            if workspace.turn.len() == 1 {
                self.turn.push_back(run.workspace);
            }
        }
    }

    /// There are jobs of this workflow in the table.
    pub fn backlog(&mut self, workspace: WorkspaceId, workflow: WorkflowId, shard: i16) {
        self.lane_of(workspace, workflow, shard).overflow = true;
    }

    /// Is the run in memory?
    #[cfg(test)]
    pub fn knows(&self, run: &RunRef) -> bool {
        self.lanes.get(&run.workflow).is_some_and(|lane| lane.known.contains(&run.run))
    }

    /// Keeps a run out of the queue, because somebody else runs it.
    pub fn hold(&mut self, run: &RunRef) {
        self.lane(run).known.insert(run.run);
    }

    /// Takes a run that nobody drives, wherever it is: in its queue or only in the table. False: somebody drives it.
    pub fn claim(&mut self, run: &RunRef) -> bool {
        let lane = self.lane(run);
        if lane.known.insert(run.run) {
            return true;
        }
        let Some(at) = lane.queue.iter().position(|queued| queued.run.run == run.run) else {
            lane.again.insert(run.run);
            return false;
        };
        let bytes = lane.queue.remove(at).map_or(0, |queued| queued.carried.bytes());
        self.event_bytes -= bytes;
        true
    }

    /// The run whose turn it is, if there is a slot for it. It is active until [`Ready::finished`].
    pub fn next(&mut self) -> Option<ReadyRun> {
        if self.active >= self.slots.total {
            return None;
        }
        for _ in 0..self.turn.len() {
            let id = self.turn.pop_front()?;
            let Some(workspace) = self.workspaces.get_mut(&id) else { continue };
            let mut found = None;
            if workspace.active < self.slots.workspace {
                for _ in 0..workspace.turn.len() {
                    let Some(workflow) = workspace.turn.pop_front() else { break };
                    let Some(lane) = self.lanes.get_mut(&workflow) else { continue };
                    if lane.active < self.slots.workflow {
                        found = lane.queue.pop_front();
                        lane.active += usize::from(found.is_some());
                    }
                    if !lane.queue.is_empty() {
                        workspace.turn.push_back(workflow);
                    }
                    if found.is_some() {
                        break;
                    }
                }
            }
            workspace.active += usize::from(found.is_some());
            if !workspace.turn.is_empty() {
                self.turn.push_back(id);
            }
            if let Some(ready) = found {
                self.active += 1;
                self.event_bytes -= ready.carried.bytes();
                return Some(ready);
            }
        }
        None
    }

    /// An active run gives its slot back. `gone`: it also leaves memory (it ended, or sleeps in the database).
    pub fn finished(&mut self, run: &RunRef, gone: bool) {
        self.active = self.active.saturating_sub(1);
        if let Some(workspace) = self.workspaces.get_mut(&run.workspace) {
            workspace.active = workspace.active.saturating_sub(1);
        }
        if let Some(lane) = self.lanes.get_mut(&run.workflow) {
            lane.active = lane.active.saturating_sub(1);
        }
        if gone {
            self.forget(run);
        }
        self.tidy(run.workspace, run.workflow);
    }

    /// The run left memory.
    pub fn forget(&mut self, run: &RunRef) {
        let woken = self.lanes.get_mut(&run.workflow).is_some_and(|lane| {
            lane.known.remove(&run.run);
            lane.again.remove(&run.run)
        });
        if woken {
            self.push(ReadyRun { run: *run, carried: Carried::Nothing });
        }
        self.tidy(run.workspace, run.workflow);
    }

    /// Lanes and workspaces that hold nothing cost nothing.
    fn tidy(&mut self, workspace: WorkspaceId, workflow: WorkflowId) {
        if self.lanes.get(&workflow).is_some_and(|lane| lane.known.is_empty() && lane.active == 0 && !lane.overflow) {
            self.lanes.remove(&workflow);
        }
        if self.workspaces.get(&workspace).is_some_and(|workspace| workspace.active == 0 && workspace.turn.is_empty()) {
            self.workspaces.remove(&workspace);
        }
    }

    /// A workflow whose window is half empty while more of it is in the table. One load at a time per workflow.
    pub fn refill(&mut self) -> Option<Refill> {
        let (workflow, lane) =
            self.lanes.iter_mut().find(|(_, lane)| lane.overflow && !lane.loading && lane.queue.len() <= WINDOW / 2)?;
        lane.loading = true;
        Some(Refill { workflow: *workflow, shard: lane.shard, known: lane.known.iter().copied().collect() })
    }

    /// A load came back. `more`: the table may hold further jobs.
    pub fn refilled(&mut self, workflow: WorkflowId, runs: Vec<ReadyRun>, more: bool) {
        let Some(lane) = self.lanes.get_mut(&workflow) else { return };
        lane.loading = false;
        lane.overflow = more;
        let workspace = lane.workspace;
        for run in runs {
            self.push(run);
        }
        self.tidy(workspace, workflow);
    }

    /// How many runs are active.
    pub fn active(&self) -> usize {
        self.active
    }

    /// How many runs wait in memory.
    pub fn queued(&self) -> usize {
        self.lanes.values().map(|lane| lane.queue.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(workspace: WorkspaceId, workflow: WorkflowId) -> RunRef {
        RunRef { run: RunId::new(), workspace, workflow, shard: 0 }
    }

    fn push(ready: &mut Ready, run: RunRef) {
        ready.push(ReadyRun { run, carried: Carried::Nothing });
    }

    #[test]
    fn workspaces_take_turns_and_so_do_their_workflows() {
        let (one, two) = (WorkspaceId::new(), WorkspaceId::new());
        let (busy, calm, other) = (WorkflowId::new(), WorkflowId::new(), WorkflowId::new());
        let mut ready = Ready::new(Slots { total: 100, workspace: 100, workflow: 100 });
        for _ in 0..10 {
            push(&mut ready, run(one, busy));
        }
        push(&mut ready, run(one, calm));
        push(&mut ready, run(two, other));
        let order: Vec<WorkflowId> = std::iter::from_fn(|| ready.next()).map(|next| next.run.workflow).collect();
        assert_eq!(order[..4], [busy, other, calm, busy]);
        assert_eq!(order.len(), 12);
    }

    #[test]
    fn a_workflow_with_slow_calls_leaves_slots_for_others() {
        let (workspace, slow, quick) = (WorkspaceId::new(), WorkflowId::new(), WorkflowId::new());
        let mut ready = Ready::new(Slots::new(8));
        for _ in 0..100 {
            push(&mut ready, run(workspace, slow));
        }
        assert_eq!(std::iter::from_fn(|| ready.next()).count(), 6, "three quarters");
        push(&mut ready, run(workspace, quick));
        let next = ready.next().expect("a slot is left");
        assert_eq!(next.run.workflow, quick);
        assert!(ready.next().is_none(), "the workspace has seven eighths");
        push(&mut ready, run(WorkspaceId::new(), WorkflowId::new()));
        assert!(ready.next().is_some(), "the last slot is for another workspace");
    }

    #[test]
    fn what_does_not_fit_the_window_stays_in_the_table_and_is_asked_for_later() {
        let (workspace, workflow) = (WorkspaceId::new(), WorkflowId::new());
        let mut ready = Ready::new(Slots { total: 10_000, workspace: 10_000, workflow: 10_000 });
        for _ in 0..WINDOW + 1 {
            push(&mut ready, run(workspace, workflow));
        }
        assert_eq!(ready.queued(), WINDOW);
        assert!(ready.refill().is_none(), "the window is full");
        let taken: Vec<ReadyRun> = (0..WINDOW / 2).map_while(|_| ready.next()).collect();
        let refill = ready.refill().expect("half of it is empty");
        assert_eq!(refill.known.len(), WINDOW, "active runs are not loaded again");
        assert!(ready.refill().is_none(), "one load at a time");
        for next in &taken {
            ready.finished(&next.run, true);
        }
        ready.refilled(workflow, vec![ReadyRun { run: run(workspace, workflow), carried: Carried::Nothing }], false);
        assert_eq!(ready.queued(), WINDOW / 2 + 1);
        assert!(ready.refill().is_none());
    }

    #[test]
    fn a_run_that_is_woken_before_its_driver_let_go_is_queued_again() {
        let mut ready = Ready::new(Slots::new(4));
        let only = run(WorkspaceId::new(), WorkflowId::new());
        push(&mut ready, only);
        assert!(ready.next().is_some());
        // It parked, and somebody decided at once.
        push(&mut ready, only);
        assert!(ready.next().is_none());
        ready.finished(&only, true);
        assert_eq!(ready.next().map(|next| next.run), Some(only));
        ready.finished(&only, true);
        assert!(ready.next().is_none() && ready.lanes.is_empty());
    }

    #[test]
    fn a_claimed_run_leaves_its_queue_and_an_active_one_is_not_claimed() {
        let (workspace, workflow) = (WorkspaceId::new(), WorkflowId::new());
        let mut ready = Ready::new(Slots { total: 1, workspace: 1, workflow: 1 });
        let (first, second, third) = (run(workspace, workflow), run(workspace, workflow), run(workspace, workflow));
        push(&mut ready, first);
        push(&mut ready, second);
        assert_eq!(ready.next().map(|next| next.run), Some(first));
        assert!(!ready.claim(&first), "it is driven");
        assert!(ready.claim(&second), "it was queued");
        assert!(ready.claim(&third), "it was only in the table");
        assert!(!ready.claim(&third), "whoever claimed it drives it");
        ready.finished(&first, true);
        assert_eq!(ready.next().map(|next| next.run), Some(first), "asked for meanwhile: it is looked at again");
        ready.finished(&first, true);
        ready.forget(&second);
        assert!(ready.next().is_none());
        push(&mut ready, run(workspace, workflow));
        assert!(ready.next().is_some());
    }

    #[test]
    fn a_run_is_in_memory_once_and_an_empty_workflow_costs_nothing() {
        let (workspace, workflow) = (WorkspaceId::new(), WorkflowId::new());
        let mut ready = Ready::new(Slots::new(4));
        let only = run(workspace, workflow);
        push(&mut ready, only);
        push(&mut ready, only);
        assert_eq!(ready.queued(), 1);
        let taken = ready.next().unwrap();
        assert!(ready.next().is_none());
        assert!(ready.knows(&only));
        ready.finished(&taken.run, true);
        // It was pushed twice: it is looked at once more, in case it was woken meanwhile.
        assert_eq!(ready.next().map(|next| next.run), Some(only));
        ready.finished(&only, true);
        assert!(ready.lanes.is_empty() && ready.workspaces.is_empty() && ready.turn.is_empty());
        assert_eq!(ready.active(), 0);
    }
}
