//! Webhooks: a request to `/hooks/{id}` becomes an event.

pub mod settings;
pub mod verify;
