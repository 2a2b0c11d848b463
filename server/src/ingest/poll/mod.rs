//! Polls: a trigger asks a service for news, and each new thing becomes one event, once. [`arrange`] keeps the row of a workflow in line
//! with what is published, [`look`] looks once, [`run`] looks when it is time. What news are and where a cursor stands is the
//! operation's business.

mod arrange;
mod desk;
mod look;
mod pace;
mod sample;

pub use arrange::{arrange, every};
pub use desk::{Busy, Desk, run};
pub use look::{Looked, look};
pub use pace::SHORTEST;
pub use sample::sample;
