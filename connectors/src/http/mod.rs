//! Plain HTTP: any service with a web address.

mod answer;
mod connector;
mod plan;
mod request;
mod send;

pub use connector::connector;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![Entry::action(request::operation(), send::Send)]
}
