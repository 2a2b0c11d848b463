//! The words and tones of a run's state, the same on every page.

/// The word and the badge's tone. `ended` is as `run_end` has it, none while the run goes on.
pub fn of_state(ended: Option<i16>, waits: bool) -> (&'static str, &'static str) {
    match ended {
        Some(1) => ("Succeeded", "ok"),
        Some(2) => ("Failed", "bad"),
        Some(3) => ("Cancelled", ""),
        Some(_) => ("Gave up", "bad"),
        None if waits => ("Waiting", "wait"),
        None => ("Running", "info"),
    }
}
