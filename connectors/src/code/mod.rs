//! Steps that run the user's own code. What they say about themselves lives here; the code runs behind a door, in a process of its own.

mod javascript;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![Entry::action(javascript::operation(), javascript::JavaScript)]
}
