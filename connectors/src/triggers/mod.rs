//! What starts a run: a request, a submitted form, the clock, a person, a failure, another workflow. Only their descriptions live here; the server's `ingest` turns what
//! arrives into events.

mod called;
mod form;
mod manual;
pub mod question;
mod run_failed;
mod schedule;
mod webhook;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![
        webhook::operation().into(),
        form::operation().into(),
        schedule::operation().into(),
        manual::operation().into(),
        run_failed::operation().into(),
        called::operation().into(),
    ]
}
