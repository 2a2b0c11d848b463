//! What a backup says about itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The only format so far.
pub const FORMAT: u32 = 1;

/// The first entry of a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version of Towpath that wrote it.
    pub towpath: String,
    pub postgresql: String,
    pub made_at: DateTime<Utc>,
    /// What had been migrated, in order.
    pub migrations: Vec<Applied>,
    /// In an order in which no row refers to one that comes later.
    pub tables: Vec<Table>,
    /// Partitions by day that were there, by name.
    pub partitions: Vec<String>,
    /// The last number that each sequence gave; none if it gave none.
    pub sequences: BTreeMap<String, Option<i64>>,
    /// The settings of the server that wrote it, secrets excluded: for people, who set them again.
    pub settings: BTreeMap<String, String>,
    /// For people who look into the file.
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub version: i64,
    pub description: String,
    /// SHA-384 of its text, hexadecimal.
    pub checksum: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
}

/// The last entry: how much there must be of each table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub tables: BTreeMap<String, Size>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub rows: u64,
    pub bytes: u64,
}
