//! Testing a connection from its page.

use super::edit::shown;
use crate::{api::connections::refused, app::App, auth::Actor, connections::probe, problem::Problem, store::connections};
use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_engine::ids::ConnectionId;

#[derive(Deserialize)]
pub struct Input {
    #[serde(default)]
    url: Option<String>,
}

/// `POST /connections/{connection}/test`: the page then says what was found out.
pub async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConnectionId>,
    Form(input): Form<Input>,
) -> Result<Response, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    match probe::test(&app.connections, actor.workspace, actor.person, &found, input.url.as_deref()).await {
        Ok(_) => Ok(Redirect::to(&format!("/connections/{id}?done=tested")).into_response()),
        Err(error) => {
            let mut problem = refused(error);
            if problem.fields.is_empty() {
                problem = Problem::invalid("", problem.detail.to_string());
            }
            shown(&app, &actor, &found, None, Some(problem)).await
        }
    }
}
