//! Outside becomes an event: webhook, form, manual. Verified, parsed once, deduplicated; accepted or parked, never lost.

pub mod body;
pub mod decide;
pub mod scan;
pub mod webhook;
