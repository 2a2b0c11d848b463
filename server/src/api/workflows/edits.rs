//! Edits of the draft by operations. An edit names the revision it was made on; a stale one is answered with what was missed, so
//! that two tabs or two people don't overwrite each other.

use super::{WorkflowView, announce, issues, read_document, view, write_document};
use crate::{
    api::extract::{Sent, read_value},
    app::App,
    auth::Actor,
    connections::bind,
    problem::{Code, FieldProblem, Problem},
    store::{edits, endpoints, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::{Json, edit, ids::WorkflowId, validate::Issue};

/// More operations than a person makes between two saves.
const MOST: usize = 500;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The revision that the operations were made on.
    base: i32,
    /// Each with its name under `op`.
    #[schemars(with = "Vec<edit::Operation>", length(min = 1, max = MOST))]
    operations: Vec<Json>,
}

/// What an edit did.
#[derive(Serialize, JsonSchema)]
pub struct Edited {
    revision: i32,
    /// The operations as they were carried out, with the ids that were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<edit::Operation>>,
    /// What takes them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    inverse: Option<Vec<edit::Operation>>,
    /// What is wrong with the draft now.
    issues: Vec<Issue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unpublished_changes: Option<bool>,
    /// The very same edit was there already; it counted once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
}

/// The refusal of an edit that was made on an older draft: a problem with what was missed.
#[derive(Serialize, JsonSchema)]
pub struct Stale {
    r#type: &'static str,
    code: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    fields: [FieldProblem; 0],
    missed: Vec<Missed>,
    /// The draft already holds this very edit; it must not be made again.
    includes_yours: bool,
    workflow: WorkflowView,
}

/// An edit that came in between.
#[derive(Serialize, JsonSchema)]
pub struct Missed {
    revision: i32,
    /// A list of operations, as they were sent.
    operations: Json,
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
    for (index, operation) in edit.operations.iter().enumerate() {
        operations.push(read_value::<edit::Operation>(&format!("operations[{index}]"), operation.clone())?);
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
            let issues = issues(&app, &actor, id, &workflow).await?;
            let revision = stored.revision;
            let answer = Edited { revision, operations: None, inverse: None, issues, unpublished_changes: None, repeated: true };
            return Ok(Body(answer).into_response());
        }
        let missed: Vec<_> = missed
            .into_iter()
            .skip(usize::from(repeated))
            .map(|it| Missed { revision: it.revision, operations: it.operations })
            .collect();
        let answer = Stale {
            r#type: "/help/errors/stale-revision",
            code: Code::StaleRevision.name(),
            title: Code::StaleRevision.title(),
            status: StatusCode::CONFLICT.as_u16(),
            detail: "The draft was edited elsewhere since. Put your edits on top of the current one and send them again.",
            fields: [],
            missed,
            includes_yours: repeated,
            workflow: view(&app, &actor, &stored, &workflow).await?,
        };
        return Ok((StatusCode::CONFLICT, [(header::CONTENT_TYPE, "application/problem+json")], Body(answer)).into_response());
    }

    let before = workflow.clone();
    let mut done = Vec::with_capacity(operations.len());
    let mut undo = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let applied = edit::apply(&mut workflow, operation)
            .map_err(|error| Problem::clash(format!("operations[{index}]"), error.to_string()))?;
        done.push(applied.done);
        undo.insert(0, applied.undo);
    }
    let undo_json = serde_json::to_value(&undo).map_err(Problem::internal)?;
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
    let answer = Edited {
        revision,
        operations: Some(done),
        inverse: Some(undo),
        issues: issues(&app, &actor, id, &workflow).await?,
        unpublished_changes: Some(stored.has_unpublished_changes()),
        repeated: false,
    };
    Ok(Body(answer).into_response())
}
