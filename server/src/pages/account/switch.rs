//! Going on in another workspace: the session takes a new id, as at sign-in.

use super::with_cookie;
use crate::{
    app::App,
    auth::{Actor, session},
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use towpath_engine::ids::WorkspaceId;

/// `POST /workspaces/{workspace}/switch`
pub async fn submit(State(app): State<App>, actor: Actor, Path(workspace): Path<WorkspaceId>) -> Result<Response, Problem> {
    let session = session::switch(&app, &actor, workspace).await?.ok_or_else(Problem::not_found)?;
    Ok(with_cookie(Redirect::to("/").into_response(), &session.cookie(actor.visit.https)))
}
