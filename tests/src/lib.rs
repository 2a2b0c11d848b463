//! The harness: a real PostgreSQL, a real server process, a person who signs in, and receivers that count what reaches them.
//!
//! `let app = TestApp::start().await; let alice = app.owner().await;` On drop the server is ended and its log is searched for
//! errors that no test asked for.

pub mod app;
pub mod authority;
pub mod daemon;
pub mod mailbox;
pub mod person;
pub mod postgres;
pub mod receiver;
pub mod small_disk;
pub mod tls;
pub mod until;

pub use app::{Ended, Settings, TestApp};
pub use authority::Authority;
pub use daemon::{Daemon, Folder, free_port};
pub use person::{Draft, Person};
pub use receiver::{Receiver, Reply};
pub use until::until;
