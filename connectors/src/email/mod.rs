//! E-mail, sent by the instance's own mail setting.

mod send;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![send::operation().into()]
}
