//! May it be used here? The checks are made at the time of use, in one statement over what is true at that moment, and whatever is in
//! doubt is refused. Nothing else in the server opens a connection's secret.
//!
//! A workflow may use a connection of its workspace that it was *given* by somebody who had it. That holds as long as whoever gave it
//! is a member who may build and has it still, or the connection is everybody's. A person who tries a step out must have it herself.

use super::{Connections, hosts, hosts::Address, unavailable};
use crate::{
    dispatch::For,
    store::{self, connections as stored},
    vault::{Place, Secret, VaultError},
};
use towpath_connectors::sdk::connector::{Attach, Auth, Hosts};
use towpath_engine::{
    Json, Object,
    catalogue::FieldKind,
    error::{ErrorKind, StepError},
    ids::{ConnectionId, WorkspaceId},
};
use zeroize::Zeroize as _;

/// An opened connection, for one address. It has no `Debug` and no `Serialize`; its secrets are wiped when it goes.
pub struct Granted {
    pub name: String,
    pub connector: String,
    pub fields: Object,
    pub secrets: Object,
    pub apply: Vec<Attach>,
}

impl Drop for Granted {
    fn drop(&mut self) {
        for value in self.secrets.values_mut() {
            if let Json::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// What decides whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// A workflow asks, as opposed to a person alone.
    pub by_workflow: bool,
    pub bound: bool,
    pub vouched: bool,
    pub for_everybody: bool,
    pub person_may: bool,
}

impl Rights {
    /// # Errors
    /// Why not, and what to do, about the connection of this name.
    pub fn check(self, name: &str) -> Result<(), StepError> {
        let refuse = |message: String, hint: &str| Err(StepError::new(ErrorKind::Forbidden, message).hint(hint));
        if !self.person_may {
            return refuse(
                format!("The connection “{name}” isn't shared with you, so nothing was sent."),
                "Ask its owner to share it, or choose another connection.",
            );
        }
        if self.by_workflow && !self.bound {
            return refuse(
                format!("This workflow was never given the connection “{name}”, so nothing was sent."),
                "Somebody who may use the connection opens the workflow and chooses it in the step.",
            );
        }
        if self.by_workflow && !self.for_everybody && !self.vouched {
            return refuse(
                format!("Whoever gave this workflow the connection “{name}” may no longer use it, so nothing was sent."),
                "Somebody who may use the connection opens the workflow and chooses it in the step again.",
            );
        }
        Ok(())
    }
}

/// Looks a connection up and checks everything but the address.
pub(super) async fn allowed(parts: &Connections, whom: For, id: ConnectionId) -> Result<stored::ForUse, StepError> {
    let found = match stored::for_use(&parts.0.pool, whom.workspace, id, whom.workflow, whom.person).await {
        Ok(found) => found,
        Err(store::Error::NotFound) => {
            return Err(StepError::new(ErrorKind::Forbidden, "The connection of this step was deleted, so nothing was sent.")
                .hint("Open the step and choose another connection."));
        }
        Err(error) => return Err(unavailable(&error)),
    };
    if whom.workflow.is_none() && whom.person.is_none() {
        // Nobody asks: nobody is answered.
        return Err(StepError::new(ErrorKind::Forbidden, format!("Nobody may use the connection “{}” like this.", found.name)));
    }
    let rights = Rights {
        by_workflow: whom.workflow.is_some(),
        bound: found.bound,
        vouched: found.vouched,
        for_everybody: found.for_everybody,
        person_may: found.person_may,
    };
    rights.check(&found.name)?;
    Ok(found)
}

/// Opens a connection for one address.
///
/// # Errors
/// A sentence for the owner of the workflow: it is gone, may not be used here, or may not be used for this address.
pub async fn use_connection(parts: &Connections, whom: For, id: ConnectionId, address: &Address) -> Result<Granted, StepError> {
    let found = allowed(parts, whom, id).await?;
    let auth = auth_of(parts, &found)?;
    let connector = parts.0.registry.connector(&found.connector).map(|connector| &connector.hosts);
    let patterns = hosts::effective(connector.unwrap_or(&Hosts::Entered), &found.hosts, &found.fields)?;
    if !patterns.iter().any(|pattern| pattern.allows(address)) {
        let listed: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let only = if listed.is_empty() { "to no host at all".to_owned() } else { format!("to {}", listed.join(", ")) };
        return Err(StepError::new(
            ErrorKind::Forbidden,
            format!(
                "The connection “{}” may not be used for {address}: its secrets are sent {only}. Nothing was sent.",
                found.name
            ),
        )
        .hint("Check the address in the step. If it is right, the connection's owner can add the host to the connection."));
    }
    let secrets = match &found.secret_sealed {
        Some(sealed) => open(parts, whom.workspace, id, sealed).await?,
        None => Object::new(),
    };
    Ok(Granted { apply: auth.apply.clone(), name: found.name, connector: found.connector, fields: found.fields, secrets })
}

/// The named secrets of a connection, to verify what its service sends to a workflow that was given it. They are compared with and go
/// nowhere, so there is no address to check; those that aren't entered are left out.
///
/// # Errors
/// A sentence for the owner of the workflow: it is gone, or may not be used here.
pub(super) async fn verifying(
    parts: &Connections,
    whom: For,
    id: ConnectionId,
    names: &[String],
) -> Result<Vec<(String, Secret)>, StepError> {
    let found = allowed(parts, whom, id).await?;
    let Some(sealed) = &found.secret_sealed else { return Ok(Vec::new()) };
    let mut secrets = open(parts, whom.workspace, id, sealed).await?;
    let mut kept = Vec::new();
    for (name, value) in &mut secrets {
        let Json::String(text) = value else { continue };
        if names.contains(name) && !text.is_empty() {
            kept.push((name.clone(), Secret::new(text.as_bytes())));
        }
        text.zeroize();
    }
    Ok(kept)
}

fn auth_of<'a>(parts: &'a Connections, found: &stored::ForUse) -> Result<&'a Auth, StepError> {
    let connector = parts.0.registry.connector(&found.connector);
    connector.and_then(|connector| connector.auth.iter().find(|auth| auth.id == found.auth)).ok_or_else(|| {
        StepError::new(
            ErrorKind::Forbidden,
            format!("The connection “{}” belongs to a connector that this server doesn't have.", found.name),
        )
        .hint("Install the connector again, or choose another connection.")
    })
}

/// Where a connection's secrets are kept.
pub fn place(workspace: WorkspaceId, id: ConnectionId) -> Place {
    Place { table: "connection", column: "secret_sealed", workspace, row: id.0 }
}

async fn open(parts: &Connections, workspace: WorkspaceId, id: ConnectionId, sealed: &[u8]) -> Result<Object, StepError> {
    let opened = parts.0.vault.open(place(workspace, id), sealed).await.map_err(|error| match error {
        VaultError::Store(error) => unavailable(&error),
        VaultError::NotOpened(error) => {
            tracing::error!(%error, connection = %id, "a connection's secret can't be opened");
            StepError::new(ErrorKind::Internal, format!("The connection's secret can't be opened: {error}."))
                .hint("Whoever runs this server can mend that. Entering the secret again mends it, too.")
        }
    })?;
    serde_json::from_slice(opened.expose())
        .map_err(|_| StepError::new(ErrorKind::Internal, "The connection's secret is not readable. Enter it again."))
}

/// The secrets of a connection that is about to be changed, so that those which aren't entered again are kept. For
/// [`super::form`] alone: they go back into the vault and nowhere else.
pub(super) async fn open_to_keep(parts: &Connections, workspace: WorkspaceId, id: ConnectionId) -> Result<Object, VaultError> {
    match stored::sealed(&parts.0.pool, workspace, id).await? {
        Some(sealed) => {
            let opened = parts.0.vault.open(place(workspace, id), &sealed).await?;
            Ok(serde_json::from_slice(opened.expose()).unwrap_or_default())
        }
        None => Ok(Object::new()),
    }
}

/// The names of the secret fields of a way to authenticate.
pub fn secret_fields(auth: &Auth) -> impl Iterator<Item = &str> {
    auth.fields.iter().filter(|field| field.kind == FieldKind::Secret).map(|field| field.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_uses_what_it_was_given_as_long_as_somebody_vouches() {
        let all = Rights { by_workflow: true, bound: true, vouched: true, for_everybody: false, person_may: true };
        let table = [
            (all, true),
            (Rights { bound: false, ..all }, false),
            (Rights { vouched: false, ..all }, false),
            (Rights { vouched: false, for_everybody: true, ..all }, true),
            (Rights { bound: false, for_everybody: true, ..all }, false),
            (Rights { person_may: false, ..all }, false),
            (Rights { by_workflow: false, bound: false, vouched: false, ..all }, true),
            (Rights { by_workflow: false, person_may: false, ..all }, false),
        ];
        for (rights, allowed) in table {
            let checked = rights.check("CRM");
            assert_eq!(checked.is_ok(), allowed, "{rights:?}");
            if let Err(error) = checked {
                assert_eq!(error.kind, ErrorKind::Forbidden);
                assert!(error.message.contains("“CRM”") && error.hint.is_some());
            }
        }
    }
}
