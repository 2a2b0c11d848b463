//! Expressions over earlier outputs: total, bounded, no I/O.
