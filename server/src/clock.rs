//! The time, as an argument: the system's in a server, any in a test.

use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Where the server reads the wall clock. Nothing else calls `Utc::now`.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "the one reader of the wall clock")]
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// A clock that says whatever `now` says, for tests.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}
