//! Who is asking, and may they.

pub mod permission;

use permission::Role;
use towpath_engine::ids::{PersonId, WorkspaceId};

/// The signed-in person behind a request, in the workspace that the session is in. An extractor on every route whose rule is
/// not public; the route's rule was checked before the handler runs.
#[derive(Clone, Debug)]
pub struct Actor {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub workspace: WorkspaceId,
    pub role: Role,
    pub instance_owner: bool,
    /// What forms and scripts send back with every change (`csrf` field, or header `x-csrf-token`).
    pub csrf: String,
}
