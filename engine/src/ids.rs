//! Ids: newtypes over UUIDs, so that a run's id can't be passed where a workflow's is meant.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that sorts after the ones made before it on this machine (UUIDv7).
            #[allow(clippy::new_without_default, reason = "two defaults would differ")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// A tenant: its members, workflows and connections.
    WorkspaceId
);
id!(
    /// A person who can sign in.
    PersonId
);
id!(
    /// A workflow, over all its versions.
    WorkflowId
);
id!(
    /// A named link to an account at a service, owned by a workspace.
    ConnectionId
);
id!(
    /// One execution of one version of a workflow.
    RunId
);
id!(
    /// A data table of a workspace.
    TableId
);
id!(
    /// A row of a data table.
    RowId
);
id!(
    /// A file's bytes, stored once and passed between steps by reference.
    FileId
);
id!(
    /// The public address of a trigger: a webhook's URL or a form's page. Random (UUIDv4), because knowing it is a right.
    EndpointId
);

impl EndpointId {
    /// A new address that can't be guessed from another.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}
