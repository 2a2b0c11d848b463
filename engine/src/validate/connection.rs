//! Does a step, or the trigger, name the connection that its operation works through? Who knows connections says what they are; nothing
//! is looked up here.

use super::Check;
use crate::catalogue::Operation;

/// What validation may ask about connections.
pub trait Connections {
    /// The connection of this id; `None` when there is none that the workflow's workspace has.
    fn known(&self, id: &str) -> Option<Known>;
    /// What people call a connector.
    fn service(&self, connector: &str) -> String;
}

/// A connection, as far as a workflow's well-formedness goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    /// Whose connection it is; `None`: of whatever connector is asked for.
    pub connector: Option<String>,
    /// Why the workflow may not use it, as a sentence.
    pub refused: Option<String>,
    /// What is wrong with it at the moment, as a sentence.
    pub ailing: Option<String>,
}

/// Takes every connection to be there and to fit: for documents that are looked at away from their workspace.
pub struct OnTrust;

impl Connections for OnTrust {
    fn known(&self, id: &str) -> Option<Known> {
        Some(Known { name: id.to_owned(), connector: None, refused: None, ailing: None })
    }

    fn service(&self, connector: &str) -> String {
        connector.to_owned()
    }
}

/// What stands in the document, as the issues name it.
const FIELD: Option<&str> = Some("connection");

pub(super) fn check(check: &mut Check<'_>, operation: &Operation, named: Option<&str>) {
    let (need, id) = match (&operation.connection, named) {
        (None, None) => return,
        (None, Some(_)) => {
            return check.blocks(FIELD, format!("“{}” works without a connection. Take it out.", operation.title));
        }
        (Some(need), None) => {
            if need.required {
                let service = check.connections.service(&need.connector);
                check.blocks(FIELD, format!("Choose a connection for {service}."));
            }
            return;
        }
        (Some(need), Some(id)) => (need, id),
    };
    let service = check.connections.service(&need.connector);
    let Some(known) = check.connections.known(id) else {
        return check.blocks(FIELD, format!("The connection of this step is gone. Choose another one for {service}."));
    };
    if let Some(connector) = known.connector.as_deref().filter(|connector| *connector != need.connector) {
        let other = check.connections.service(connector);
        return check.blocks(FIELD, format!("“{}” is a connection for {other}. Choose one for {service}.", known.name));
    }
    if let Some(refused) = known.refused {
        return check.blocks(FIELD, refused);
    }
    if let Some(ailing) = known.ailing {
        check.warns(FIELD, ailing);
    }
}
