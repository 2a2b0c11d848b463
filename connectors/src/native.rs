//! The operations of manifests that are carried out by Rust in the connector's folder, where the manifest's language lacks something:
//! one line for each. It gives their entries what the manifest can't.

use crate::{feed, sdk::Entry};

/// What completes an entry.
type Complete = fn(&mut Entry);

/// By the operation's name.
const NATIVE: &[(&str, Complete)] = &[("feed.new_item", |entry| entry.poll = Some(Box::new(feed::NewItem)))];

/// Completes an entry whose manifest says `native: true`.
pub fn complete(entry: &mut Entry) {
    if let Some((_, complete)) = NATIVE.iter().find(|(name, _)| *name == entry.operation.name) {
        complete(entry);
    }
}
