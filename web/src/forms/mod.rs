//! Hosted forms: the pages that the public sees. They work without scripts, and carry nothing of the application around them.

pub mod message;
pub mod page;
