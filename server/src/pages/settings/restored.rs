//! What an instance that came from a backup would take up again, and the choice.

use crate::{
    app::App,
    auth::Actor,
    pages,
    problem::{Code, Problem},
    store::{instance, live_runs},
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use towpath_web::{
    layout::{Area, Page},
    settings::restored::{LiveRow, Restored},
};

/// Workflows that are listed.
const MOST: i64 = 200;

#[derive(Deserialize)]
pub struct Choice {
    #[serde(default)]
    decision: String,
}

/// `GET /settings/restored`
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let hold = instance::held(&app.pool).await?;
    let runs = match hold {
        Some(_) => live_runs::by_workflow(&app.pool, MOST).await?,
        None => Vec::new(),
    };
    pages::html(&Restored {
        // The page itself says what its banner would say.
        page: Page { held: false, ..actor.page("Restored from a backup", Area::Settings) },
        deciding: hold.as_ref().is_some_and(|hold| hold.decision.is_some()),
        because: hold.map(|hold| hold.because),
        runs: runs
            .into_iter()
            .map(|live| LiveRow { words: in_words(&live), workspace: live.workspace, workflow: live.workflow })
            .collect(),
        triggers: live_runs::triggers(&app.pool).await?,
    })
}

/// `POST /settings/restored`
pub async fn decide(State(app): State<App>, actor: Actor, Form(choice): Form<Choice>) -> Result<Response, Problem> {
    decided(&app, &actor, &choice.decision).await?;
    Ok(Redirect::to("/settings/restored").into_response())
}

/// Writes the decision down; the server carries it out.
pub async fn decided(app: &App, actor: &Actor, decision: &str) -> Result<(), Problem> {
    if !matches!(decision, "run" | "cancel") {
        return Err(Problem::new(Code::InvalidInput, "Say whether the runs go on (run) or are cancelled (cancel)."));
    }
    if instance::decide(&app.pool, decision).await? {
        tracing::info!(person = %actor.person, decision, "it was decided what becomes of the restored runs");
    }
    Ok(())
}

/// "3 go on at once, 2 wait for a time"
pub fn in_words(live: &live_runs::Live) -> String {
    let parts = [
        (live.runnable, "to go on at once"),
        (live.timed, "waiting for a time"),
        (live.undecided, "waiting for a person"),
        (live.refused, "waiting for a connection"),
    ];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
}
