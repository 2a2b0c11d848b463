//! A backup is one file: everything in the database at one moment, taken while the server runs. Keys are not in it. It can be
//! loaded into any PostgreSQL that Towpath runs on, whatever its version: the schema is made by the migrations that the backup names,
//! and then brought up to date like any other.
//!
//! The file is a gzipped tar: `manifest.json` first, then the rows of each table as PostgreSQL's COPY writes them, in pieces, and
//! `end.json` last, which says how much there must be: a file that was cut off is refused before anything is written.

mod archive;
mod catalogue;
mod dump;
mod load;
mod manifest;
pub mod snapshots;

pub use dump::dump;
pub use load::{Loaded, load};
pub use manifest::{Applied, Manifest};

/// Tables whose rows mean nothing in another process: who runs at the moment, and what has been migrated (the manifest says it).
const LEFT_OUT: [&str; 3] = ["_sqlx_migrations", "node", "shard"];
