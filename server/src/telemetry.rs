//! Logs, to standard error: text for people on a terminal, JSON for programs. Nothing in them may be a secret.

use crate::config::log::{Format, LogConfig};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging for the whole process. A second call changes nothing.
pub fn start(config: &LogConfig) {
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let registry = tracing_subscriber::registry().with(filter);
    let json = match config.format {
        Format::Json => true,
        Format::Text => false,
        Format::Automatic => !stderr().is_terminal(),
    };
    let started = if json {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(stderr)).try_init()
    } else {
        registry.with(fmt::layer().with_target(false).with_ansi(stderr().is_terminal()).with_writer(stderr)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
