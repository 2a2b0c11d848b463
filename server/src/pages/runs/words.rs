//! How runs are put into words: states, durations, sizes, texts cut to a length.

use towpath_engine::record::{SkipReason, WaitOn};
use towpath_web::runs::show::Badge;

/// Payloads on a page are cut here; the whole is a download.
pub const PAYLOAD_CUT: usize = 16 * 1024;

pub fn badge(tone: &'static str, label: impl Into<String>) -> Badge {
    Badge { tone, label: label.into(), at: None }
}

/// The state of a run from what a list has at hand: how it ended as `run_end` has it (none while it goes on), and whether a lane
/// sleeps. The word and the badge's tone.
pub fn brief(ended: Option<i16>, waits: bool) -> (&'static str, &'static str) {
    match ended {
        Some(1) => ("succeeded", "ok"),
        Some(2) => ("failed", "bad"),
        Some(3) => ("cancelled", ""),
        Some(_) => ("dead-lettered", "bad"),
        None if waits => ("waiting", "wait"),
        None => ("running", "info"),
    }
}

/// `840 µs`, `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 2 min`, `12 d 4 h`.
pub fn duration(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ if seconds < 60 => format!("{}.{} s", seconds, micros / 100_000 % 10),
        _ if seconds < 3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds < 86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `312 bytes`, `4.2 kB`, `1.3 MB`.
pub fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".into(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// The first [`PAYLOAD_CUT`] bytes at a character's edge, and whether anything is missing.
pub fn cut(text: &str) -> (&str, bool) {
    let end = text.floor_char_boundary(PAYLOAD_CUT);
    (&text[..end], end < text.len())
}

pub fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::OtherCase => "another case ran",
        SkipReason::Filtered => "filtered out",
        SkipReason::Stopped => "stopped before",
        SkipReason::Cancelled => "cancelled before",
        SkipReason::NotNeeded => "nothing failed",
    }
}

pub fn waiting(on: &WaitOn) -> Badge {
    match on {
        WaitOn::Timer { until } => badge("wait", "waits until").at(until.to_rfc3339()),
        WaitOn::Retry { until } => badge("wait", "tries again at").at(until.to_rfc3339()),
        WaitOn::Decision => badge("wait", "needs a decision"),
        WaitOn::Connection { .. } => badge("wait", "waits for its connection"),
        WaitOn::Run { .. } => badge("wait", "waits for the workflow that it called"),
    }
}

/// What started a run, from its stored trigger kind.
pub fn started_by(trigger_kind: i16) -> &'static str {
    match trigger_kind {
        1 => "a request",
        2 => "a form",
        3 => "a person",
        5 => "the schedule",
        6 => "something new",
        7 => "a failed run",
        8 => "another workflow",
        _ => "a replay",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let said: Vec<String> =
            [840, 12_345, 3_450_000, 125_000_000, 10_920_000_000, 1_051_200_000_000].into_iter().map(duration).collect();
        assert_eq!(said, ["840 µs", "12 ms", "3.4 s", "2 min 5 s", "3 h 2 min", "12 d 4 h"]);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let text = "é".repeat(PAYLOAD_CUT);
        let (shown, missing) = cut(&text);
        assert!(missing && shown.len() <= PAYLOAD_CUT && shown.chars().all(|c| c == 'é'));
        assert_eq!(cut("short"), ("short", false));
    }
}
