//! What a workflow may name that isn't in its document: connections, variables and tables of its workspace. What nobody can look up is taken to
//! be there.

use super::{Connections, KnownTable, OnTrust};

/// What is known of a workflow's workspace.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub connections: &'a dyn Connections,
    /// The names of the variables; `None`: whatever is named is taken to be there.
    pub variables: Option<&'a [String]>,
    /// The data tables; `None` as above.
    pub tables: Option<&'a [KnownTable]>,
}

impl Default for Surroundings<'_> {
    fn default() -> Self {
        Self { connections: &OnTrust, variables: None, tables: None }
    }
}
