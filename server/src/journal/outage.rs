//! Which errors of the database pass by themselves, and how long to wait before the next try.

use rand::RngExt;
use std::time::Duration;

/// What an error means for the group that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The connection is gone, or the server is going or coming: connect again and repeat the same group.
    Reconnect,
    /// A full disk, a deadlock, a time-out: repeat the same group on the same connection.
    Repeat,
    /// The database refuses these rows.
    Refused,
}

pub fn verdict(error: &sqlx::Error) -> Verdict {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            match code.get(..2).unwrap_or_default() {
                // Connection exceptions; shutdown, crash, starting up, a dropped database.
                "08" => Verdict::Reconnect,
                "57" if code != "57014" => Verdict::Reconnect,
                // 57014 cancelled by a time-out, 53 out of disk, memory or connections, 40 serialization and deadlock, 55 locks.
                "57" | "53" | "40" | "55" => Verdict::Repeat,
                // The file system said no: not of the rows' making.
                "58" => Verdict::Repeat,
                // A read-only standby right after a fail-over.
                "25" if code == "25006" => Verdict::Reconnect,
                _ => Verdict::Refused,
            }
        }
        sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Verdict::Refused,
        _ => Verdict::Reconnect,
    }
}

/// Doubling waits from 50 ms to 2 s, with jitter, so that a restarted database isn't met by everybody at once.
pub fn pause(attempt: u32) -> Duration {
    let bound = Duration::from_millis(50) * (1 << attempt.min(5));
    bound.mul_f64(rand::rng().random_range(0.5..=1.0))
}
