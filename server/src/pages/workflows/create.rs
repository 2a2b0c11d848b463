//! Making a workflow: empty, or from a starter. It leads straight into the builder.

use crate::{
    app::App,
    auth::Actor,
    connections::bind,
    live::Change,
    problem::Problem,
    store::{endpoints, workflow_list},
};
use axum::{Form, extract::State, response::Redirect};
use serde::Deserialize;
use towpath_engine::{
    ids::WorkflowId,
    workflow::{FORMAT, Workflow},
};
use towpath_web::workflows::starters::Starter;

#[derive(Deserialize)]
pub struct Input {
    /// A starter's key; empty for none.
    #[serde(default)]
    starter: String,
}

/// `POST /workflows`
pub async fn submit(State(app): State<App>, actor: Actor, Form(input): Form<Input>) -> Result<Redirect, Problem> {
    let workflow = match input.starter.as_str() {
        "" => Workflow { towpath: FORMAT, name: "New workflow".into(), trigger: None, steps: Vec::new() },
        key => Starter::of_key(key).ok_or_else(Problem::not_found)?.workflow(),
    };
    let id = add(&app, &actor, &workflow).await?;
    Ok(Redirect::to(&format!("/workflows/{id}")))
}

/// Adds a workflow as a draft; a trigger with an address has it from this moment. Connections that aren't shared with the actor are
/// left out.
pub(crate) async fn add(app: &App, actor: &Actor, workflow: &Workflow) -> Result<WorkflowId, Problem> {
    let (id, now) = (WorkflowId::new(), app.clock.now());
    let mut transaction = app.pool.begin().await?;
    let workflow = &bind::without_others(&mut *transaction, actor, id, workflow.clone()).await?;
    let document = serde_json::to_value(workflow).map_err(Problem::internal)?;
    workflow_list::insert(&mut transaction, actor.workspace, id, &workflow.name, &document, actor.person, now).await?;
    bind::vouch(&mut transaction, actor, id, workflow, now).await?;
    if let Some(kind) =
        workflow.trigger.as_ref().and_then(|trigger| endpoints::Kind::of_operation(&trigger.operation, &app.registry))
    {
        endpoints::ensure(&mut transaction, actor.workspace, id, kind).await?;
    }
    transaction.commit().await?;
    app.live.publish(Change::Workflow { workspace: actor.workspace, workflow: id });
    Ok(id)
}
