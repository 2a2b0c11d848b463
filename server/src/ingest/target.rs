//! What an address leads to, prepared for verifying: the workflow, how it stands, the trigger's settings and its opened secret.

use super::{decide::Standing, form, webhook};
use crate::{
    store::{
        self,
        endpoints::{Destination, Kind},
    },
    vault::{Place, Secret, Vault, VaultError},
};
use std::sync::Arc;
use towpath_connectors::registry::Registry;
use towpath_engine::{
    Json, Object,
    catalogue::Catalogue,
    ids::{EndpointId, WorkflowId, WorkspaceId},
    plan::Plan,
    workflow::{Trigger, Workflow},
};

/// A trigger as a caller meets it.
#[derive(Debug)]
pub struct Target {
    pub endpoint: EndpointId,
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub standing: Standing,
    pub settings: Settings,
    /// What verifies callers; `None` when none is set, and when it can't be opened.
    pub secret: Option<Secret>,
}

/// The settings of a trigger that has an address. Those with a mistake let nobody in, and the sentence says why.
#[derive(Debug)]
pub enum Settings {
    Webhook(Box<Result<webhook::Settings, String>>),
    /// A service that a connector understands.
    Service(Service),
    Form(Box<form::Settings>),
}

/// An operation that understands a service's deliveries, and its input.
#[derive(Clone, Debug)]
pub struct Service {
    pub operation: String,
    pub input: Object,
}

/// Where an endpoint's sealed secret is kept.
pub fn secret_place(workspace: WorkspaceId, endpoint: EndpointId) -> Place {
    Place { table: "endpoint", column: "secret_sealed", workspace, row: endpoint.0 }
}

impl Target {
    /// Prepares what the store found; `None` when neither the published version nor the draft has a trigger of this kind.
    pub async fn prepare(
        found: Destination,
        kind: Kind,
        registry: &Registry,
        vault: &Vault,
    ) -> Result<Option<Self>, store::Error> {
        let Some((standing, trigger)) = stand(&found, kind, registry) else { return Ok(None) };
        let settings = match kind {
            Kind::Webhook if trigger.operation != "webhook" => {
                Settings::Service(Service { operation: trigger.operation, input: trigger.input })
            }
            Kind::Webhook => Settings::Webhook(Box::new(
                webhook::Settings::read(&trigger.input)
                    .map_err(|wrong| wrong.into_iter().map(|it| it.message).collect::<Vec<_>>().join(" ")),
            )),
            Kind::Form => Settings::Form(Box::new(form::Settings::read(&trigger.input))),
        };
        let secret = match &found.endpoint.secret_sealed {
            Some(sealed) => vault.open(secret_place(found.workspace, found.endpoint.id), sealed).await.map(Some),
            None => Ok(None),
        };
        let secret = match secret {
            Ok(secret) => secret,
            Err(VaultError::Store(error)) => return Err(error),
            Err(VaultError::NotOpened(error)) => {
                tracing::error!(workflow = %found.workflow, %error, "a trigger's secret can't be opened");
                None
            }
        };
        Ok(Some(Self {
            endpoint: found.endpoint.id,
            workspace: found.workspace,
            workflow: found.workflow,
            standing,
            settings,
            secret,
        }))
    }
}

/// How the workflow stands towards this address, and the trigger that counts: the published one, else the draft's.
fn stand(found: &Destination, kind: Kind, registry: &Registry) -> Option<(Standing, Trigger)> {
    let live = matches!(found.state.as_str(), "published" | "paused");
    if let Some((version, document)) = found.published.as_ref().filter(|_| live)
        && let Some(trigger) = trigger_of(document, kind, registry)
    {
        let standing = if found.state == "paused" { Standing::Paused } else { startable(*version, document, registry) };
        return Some((standing, trigger));
    }
    trigger_of(&found.draft, kind, registry).map(|trigger| (Standing::Unpublished, trigger))
}

fn trigger_of(document: &Json, kind: Kind, registry: &Registry) -> Option<Trigger> {
    let trigger: Trigger = serde_json::from_value(document.get("trigger")?.clone()).ok()?;
    (Kind::of_operation(&trigger.operation, registry) == Some(kind)).then_some(trigger)
}

/// Publishing checked that the version can run; an upgrade since may have taken something away that it needs.
fn startable(version: u32, document: &Json, catalogue: &dyn Catalogue) -> Standing {
    let plan = serde_json::from_value::<Workflow>(document.clone())
        .map_err(|error| error.to_string())
        .and_then(|workflow| Plan::new(version, workflow, catalogue).map_err(|error| error.to_string()));
    match plan {
        Ok(_) => Standing::Published { version },
        Err(why) => Standing::NotStartable { version, why },
    }
}

/// A found target or the lack of one.
pub type Found = Option<Arc<Target>>;
