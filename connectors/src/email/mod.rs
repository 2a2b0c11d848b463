//! E-mail, sent by a connection's mail server or by the instance's own.

mod action;
mod address;
mod connector;
mod send;

pub use connector::connector;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![Entry::action(send::operation(), action::SendMail)]
}
