//! What operators count, in the text form that Prometheus reads. Labels are bounded: kinds, states, classes and connectors, never ids,
//! names or addresses. Counting costs the hot path a few atomic operations; what has to be looked up is looked up when somebody asks.
//!
//! [`Figures`] counts while things happen, [`gauges`] looks up what stands still, [`page`] hands both out.

mod figures;
pub mod gauges;
pub mod page;

pub use figures::{Figures, figures};
