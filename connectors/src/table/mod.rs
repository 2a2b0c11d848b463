//! Steps over the workspace's data tables: insert, insert or change, find, change, delete.
//!
//! Every change carries the step's idempotency key and is made once for each, so a repeat after a crash is safe.

mod action;
mod operations;
mod pick;

use crate::sdk::Entry;
use action::Act;

pub fn entries() -> Vec<Entry> {
    let entry = |operation, act: Act| {
        let mut entry = Entry::action(operation, act);
        entry.picks.insert("table".into(), Box::new(pick::PickTable));
        if act == Act::Find {
            entry.picks.insert("sort".into(), Box::new(pick::PickColumn));
        }
        entry
    };
    vec![
        entry(operations::insert(), Act::Insert),
        entry(operations::upsert(), Act::Upsert),
        entry(operations::find(), Act::Find),
        entry(operations::update(), Act::Update),
        entry(operations::delete(), Act::Delete),
    ]
}
