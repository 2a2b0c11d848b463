//! HTTP: takes connections, holds them to time and size, and answers under this server's own names only. It knows nothing about
//! workflows.

pub mod body;
pub mod connection;
pub mod front_door;
pub mod gate;
pub mod health;
pub mod host;
pub mod listen;
pub mod redirect;

pub use listen::Listening;
