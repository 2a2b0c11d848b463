//! Plain HTTP: any service with a web address.

mod request;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![request::operation().into()]
}
