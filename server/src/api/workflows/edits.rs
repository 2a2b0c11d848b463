//! Edits of the draft by operations. An edit names the revision it was made on; a stale one is answered with what was missed, so
//! that two tabs or two people don't overwrite each other.

use super::{announce, invalid_body, issues, read_document, view, write_document};
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    connections::bind,
    problem::{Code, Problem},
    store::{edits, endpoints, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{Json, edit, ids::WorkflowId};

/// More operations than a person makes between two saves.
const MOST: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The revision that the operations were made on.
    base: i32,
    operations: Vec<Json>,
}

/// `POST /api/v1/workflows/{id}/edits`: all of the operations or none of them.
///
/// Answers with the new revision, the operations as they were carried out, what takes them back, and what is wrong with the draft
/// now. A stale base is answered with 409, the current workflow and the operations that were missed; sending the very same edit
/// twice, as a cut connection makes a client do, counts once.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    Sent(edit): Sent<Edit>,
) -> Result<Response, Problem> {
    if edit.operations.is_empty() || edit.operations.len() > MOST {
        return Err(Problem::invalid("operations", format!("Send 1 to {MOST} operations at a time.")));
    }
    let mut operations = Vec::with_capacity(edit.operations.len());
    for operation in &edit.operations {
        operations.push(edit::Operation::deserialize(operation).map_err(invalid_body)?);
    }

    let mut transaction = app.pool.begin().await?;
    let mut stored = workflows::lock(&mut transaction, actor.workspace, id).await?;
    let mut workflow = read_document(stored.draft.clone())?;
    if edit.base != stored.revision {
        let missed = edits::since(&mut *transaction, actor.workspace, id, edit.base).await?;
        let repeated = missed.first().is_some_and(|first| {
            first.revision == edit.base + 1
                && first.by == Some(actor.person)
                && first.operations == Json::Array(edit.operations.clone())
        });
        if repeated && missed.len() == 1 {
            let answer =
                json!({ "revision": stored.revision, "issues": issues(&app, &actor, id, &workflow).await?, "repeated": true });
            return Ok(Body(answer).into_response());
        }
        let missed: Vec<_> = missed
            .into_iter()
            .skip(usize::from(repeated))
            .map(|it| json!({ "revision": it.revision, "operations": it.operations }))
            .collect();
        let answer = json!({
            "code": Code::StaleRevision,
            "title": Code::StaleRevision.title(),
            "status": 409,
            "detail": "The draft was edited elsewhere since. Put your edits on top of the current one and send them again.",
            "missed": missed,
            // The draft already holds this very edit; it must not be made again.
            "includes_yours": repeated,
            "workflow": view(&app, &actor, &stored, &workflow).await?,
        });
        return Ok((StatusCode::CONFLICT, Body(answer)).into_response());
    }

    let before = workflow.clone();
    let mut done = Vec::with_capacity(operations.len());
    let mut undo = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let applied = edit::apply(&mut workflow, operation)
            .map_err(|error| Problem::invalid(format!("operations[{index}]"), error.to_string()))?;
        done.push(applied.done);
        undo.insert(0, applied.undo);
    }
    let (done_json, undo_json) =
        (serde_json::to_value(&done).map_err(Problem::internal)?, serde_json::to_value(&undo).map_err(Problem::internal)?);
    let now = app.clock.now();
    bind::save(&mut transaction, &actor, id, (&before, &workflow), &operations, now).await?;
    let revision = stored.revision + 1;
    let document = write_document(&workflow)?;
    workflows::set_draft(&mut *transaction, actor.workspace, id, &workflow.name, &document, revision, now).await?;
    // As they were sent, so that the same edit is recognised when it comes again.
    let sent = Json::Array(edit.operations);
    edits::insert(&mut transaction, actor.workspace, id, revision, &sent, &undo_json, actor.person, now).await?;
    if let Some(kind) =
        workflow.trigger.as_ref().and_then(|trigger| endpoints::Kind::of_operation(&trigger.operation, &app.registry))
    {
        endpoints::ensure(&mut transaction, actor.workspace, id, kind).await?;
    }
    transaction.commit().await?;
    announce(&app, actor.workspace, id);

    stored.revision = revision;
    let answer = json!({
        "revision": revision,
        "operations": done_json,
        "inverse": undo_json,
        "issues": issues(&app, &actor, id, &workflow).await?,
        "unpublished_changes": stored.has_unpublished_changes(),
    });
    Ok(Body(answer).into_response())
}
