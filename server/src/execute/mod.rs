//! The run loop: plan, call, record.
//!
//! [`Progress`] holds one run in memory and decides nothing itself: the engine's planner says what comes next, and pure steps are
//! evaluated on the spot. [`attempt`] and [`act`] do a single step. Nothing here knows SQL; what has to be on disk is handed to
//! the journal by the dispatcher's driver.

mod attempt;
mod progress;
mod resolve;
mod trace;

pub use attempt::{Attempt, Attempted, act, attempt, evaluate};
pub use progress::{Acting, Need, Progress, Start, broken};
pub use resolve::resolve;
