//! Pure runs that were accepted together: evaluated one after the other in one task, their ends pushed at once.

use super::core::Core;
use crate::{
    dispatch::ready::{Carried, ReadyRun},
    execute::{Need, Progress, Start},
    journal::{AcceptedRun, Operation, operation::Then},
    metrics::figures,
};
use std::sync::{Arc, atomic::Ordering};
use towpath_engine::{event::Event, plan::Plan};

/// Runs that are evaluated before others get the processor.
const BREATH: usize = 64;

pub async fn evaluate(core: Arc<Core>, batch: Vec<(AcceptedRun, Arc<Plan>)>) {
    let count = batch.len();
    let mut ends = Vec::with_capacity(count.min(BREATH));
    for (accepted, plan) in batch {
        let AcceptedRun { run, mut row } = accepted;
        let event = row.event.take().or_else(|| Event::from_bytes(&row.payload).ok()).unwrap_or_default();
        figures().start_lag(core.parts.clock.now() - row.at);
        let Some(vars) = core.parts.variables.at_hand(run.workspace, event.head.variables) else {
            core.ready.lock().push(ReadyRun { run, carried: Carried::Nothing });
            core.news.notify_one();
            continue;
        };
        let mut progress = Progress::new(Start { run, plan, event, accepted_at: row.at, vars });
        match progress.advance(&*core.parts.registry, &core.parts.clock) {
            Need::End(end) => {
                let end = progress.end_row(&end, core.parts.clock.now());
                ends.push(Operation { run, accept: None, records: Vec::new(), then: Then::End(Box::new(end)), reply: None });
            }
            // It isn't as pure as it looked.
            _ => core.ready.lock().push(ReadyRun { run, carried: Carried::Nothing }),
        }
        if ends.len() >= BREATH {
            core.journal.push(std::mem::take(&mut ends));
            tokio::task::yield_now().await;
        }
    }
    core.journal.push(ends);
    core.pure.fetch_sub(count, Ordering::Relaxed);
}
