//! E-mail, sent by the instance's own mail setting.

mod action;
mod address;
mod send;

use crate::sdk::Entry;

pub fn entries() -> Vec<Entry> {
    vec![Entry::action(send::operation(), action::SendMail)]
}
