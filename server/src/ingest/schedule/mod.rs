//! Schedules: each slot becomes one event, once, whatever is killed around it. [`arrange`] keeps the row of a workflow in line with
//! what is published, [`fire`] starts what is due. When that is, the engine says; here is only the clock.

mod arrange;
mod fire;

pub use arrange::arrange;
pub use fire::{fire_due, run};
