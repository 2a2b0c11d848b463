//! A look for somebody who builds: before the workflow is published, what it finds are samples and nothing else. No cursor is kept.

use super::look::{Asked, Looked, ask, event, sample_of};
use crate::{
    app::App,
    auth::Actor,
    journal::EventKey,
    live::Change,
    store::{self, parked},
};
use towpath_engine::{ids::WorkflowId, workflow::Trigger};

/// Looks with the draft's trigger.
///
/// # Errors
/// When samples can't be stored. What the service says is part of the answer.
pub async fn sample(app: &App, actor: &Actor, workflow: WorkflowId, trigger: &Trigger) -> Result<Looked, store::Error> {
    let workspace = actor.workspace;
    let asked = Asked {
        workspace,
        workflow,
        operation: &trigger.operation,
        connection: trigger.connection.as_deref().and_then(|id| id.parse().ok()),
        person: Some(actor.person),
        input: &trigger.input,
    };
    let mut looked = Looked { first: true, ..Looked::default() };
    match ask(app, &asked, None).await {
        Ok(answer) => {
            let now = app.clock.now();
            let mut transaction = app.pool.begin().await?;
            for item in &answer.items {
                let key = EventKey::new(&trigger.operation, &item.key);
                let bytes = event(item).to_bytes();
                parked::insert(&mut transaction, &sample_of((workspace, workflow), key, &bytes, now)).await?;
            }
            transaction.commit().await?;
            looked.seen = answer.items.len();
        }
        Err(error) => {
            looked.error = Some(error.message);
            looked.hint = error.hint;
        }
    }
    app.live.publish(Change::Event { workspace, workflow });
    Ok(looked)
}
