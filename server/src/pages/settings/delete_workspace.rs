//! Giving a workspace up, after saying what that takes along: by its owner, or by the instance's.

use super::{instance::count, members::gone};
use crate::{
    app::App,
    auth::Actor,
    pages, people,
    problem::Problem,
    store::workspaces::{self, Consequences},
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_engine::ids::WorkspaceId;
use towpath_web::{form::Errors, layout::Area, settings::confirm::Confirm};

#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    name: String,
}

/// `GET /settings/workspace/delete`
pub async fn ask(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let workspace = actor.workspace;
    page(&app, &actor, workspace, Errors::default()).await
}

/// `POST /settings/workspace/delete`
pub async fn submit(State(app): State<App>, actor: Actor, Form(typed): Form<Typed>) -> Result<Response, Problem> {
    let workspace = actor.workspace;
    delete(&app, &actor, workspace, &typed.name).await
}

/// `GET /settings/instance/workspaces/{workspace}/delete`
pub async fn ask_any(State(app): State<App>, actor: Actor, Path(id): Path<WorkspaceId>) -> Result<Response, Problem> {
    page(&app, &actor, id, Errors::default()).await
}

/// `POST /settings/instance/workspaces/{workspace}/delete`
pub async fn submit_any(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    delete(&app, &actor, id, &typed.name).await
}

async fn delete(app: &App, actor: &Actor, id: WorkspaceId, typed: &str) -> Result<Response, Problem> {
    match people::workspaces::delete(app, actor, id, typed).await {
        // The session went with the workspace.
        Ok(()) if id == actor.workspace => Ok(gone(actor)),
        Ok(()) => Ok(Redirect::to("/settings/instance?done=workspace-deleted").into_response()),
        Err(problem) if !problem.fields.is_empty() => {
            let mut errors = Errors::default();
            errors.add("name", "This is not the workspace's name. Type it exactly as it is.");
            page(app, actor, id, errors).await
        }
        Err(problem) => Err(problem),
    }
}

async fn page(app: &App, actor: &Actor, id: WorkspaceId, errors: Errors) -> Result<Response, Problem> {
    let found = workspaces::consequences(&app.pool, id).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let here = id == actor.workspace;
    let action = if here { "/settings/workspace/delete".into() } else { format!("/settings/instance/workspaces/{id}/delete") };
    let view = Confirm {
        page: actor.page(format!("Delete {}", found.name), Area::Settings),
        question: format!("Delete the workspace “{}”?", found.name),
        consequences: in_words(&found),
        action,
        verb: "Delete the workspace",
        back: if here { "/settings/workspace" } else { "/settings/instance" },
        type_this: Some(found.name),
        errors,
    };
    Ok((status, pages::html(&view)?).into_response())
}

/// What is lost, a sentence each.
fn in_words(found: &Consequences) -> Vec<String> {
    let mut sentences = vec![format!("It is out of reach at once for everybody in it ({}).", count(found.members, "member"))];
    if found.workflows > 0 {
        let workflows = count(found.workflows, "workflow");
        let published = match found.published {
            0 => String::new(),
            published => format!(" ({published} published)"),
        };
        sentences.push(format!("Its {workflows}{published} will stop, and their addresses stop answering."));
    }
    if found.running > 0 {
        sentences.push(format!("{} under way will be cancelled.", count(found.running, "run")));
    }
    if found.parked > 0 {
        sentences.push(format!("{} waiting in inboxes can't be started any more.", count(found.parked, "event")));
    }
    sentences.push("Workflows, connections and all past runs are erased. Nothing brings them back but a backup.".into());
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_is_lost() {
        let mut found = Consequences { name: "Sales".into(), members: 1, workflows: 3, published: 2, running: 0, parked: 0 };
        assert_eq!(in_words(&found).len(), 3);
        (found.running, found.parked) = (1, 4);
        let said = in_words(&found).join(" ");
        assert!(
            said.contains("3 workflows (2 published) will stop") && said.contains("1 run under way") && said.contains("4 events"),
            "{said}"
        );
    }
}
