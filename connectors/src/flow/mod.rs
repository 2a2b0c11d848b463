//! Steps that shape a run: work on its data, decide where it goes, wait, answer, end. The engine does them itself; only their
//! descriptions live here.

mod branch;
mod call_workflow;
mod delay;
mod filter;
mod for_each;
mod parallel;
mod repeat;
mod respond;
mod set;
mod stop;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![
        branch::operation().into(),
        filter::operation().into(),
        for_each::operation().into(),
        parallel::operation().into(),
        repeat::operation().into(),
        call_workflow::operation().into(),
        set::operation().into(),
        delay::operation().into(),
        respond::operation().into(),
        stop::operation().into(),
    ]
}
