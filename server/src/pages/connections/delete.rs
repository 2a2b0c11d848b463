//! Deleting a connection, after saying which workflows that stops.

use crate::{
    api::connections::{manages, remove, used_by},
    app::App,
    auth::Actor,
    pages,
    problem::{Code, Problem},
    store::connections,
};
use axum::{
    extract::{Path, State},
    response::{Redirect, Response},
};
use towpath_engine::ids::ConnectionId;
use towpath_web::{connections::delete::Delete, layout::Area};

/// `GET /connections/{connection}/delete`
pub async fn ask(State(app): State<App>, actor: Actor, Path(id): Path<ConnectionId>) -> Result<Response, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    if !manages(&actor, &found) {
        return Err(Problem::new(Code::Forbidden, "Its owner and admins can delete a connection."));
    }
    let used = used_by(&app, &actor, &[id]).await?.remove(&id).unwrap_or_default();
    pages::html(&Delete {
        page: actor.page(format!("Delete {}", found.name), Area::Connections),
        id: id.to_string(),
        name: found.name,
        used_by: used.into_iter().map(|it| (it.workflow.to_string(), it.name, it.published)).collect(),
    })
}

/// `POST /connections/{connection}/delete`
pub async fn submit(State(app): State<App>, actor: Actor, Path(id): Path<ConnectionId>) -> Result<Redirect, Problem> {
    remove(&app, &actor, id).await?;
    Ok(Redirect::to("/connections?done=deleted"))
}
