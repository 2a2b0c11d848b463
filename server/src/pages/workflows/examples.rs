//! How to call a workflow's webhook, for whoever writes the caller.

use crate::{api::triggers, app::App, auth::Actor, pages, problem::Problem};
use axum::{
    extract::{Path, State},
    response::Response,
};
use towpath_engine::ids::WorkflowId;
use towpath_web::{
    layout::Area,
    workflows::examples::{Examples, Program},
};

/// `GET /workflows/{id}/trigger/examples`
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Response, Problem> {
    let found = triggers::examples_of(&app, &actor, id).await?;
    let program = |it: crate::ingest::webhook::examples::Example| Program {
        id: it.id,
        title: it.title,
        file: it.file,
        run: it.run,
        code: it.code,
    };
    pages::html(&Examples {
        page: actor.page(format!("Call {}", found.workflow), Area::Workflows),
        id: id.to_string(),
        workflow: found.workflow,
        url: found.url,
        proof: found.proof,
        secret: found.secret,
        programs: found.examples.into_iter().map(program).collect(),
    })
}
