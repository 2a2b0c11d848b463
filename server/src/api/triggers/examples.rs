//! How to call a workflow's webhook, as data and for its page.

use super::load;
use crate::{
    app::App,
    auth::Actor,
    ingest::webhook::{
        Settings,
        examples::{self, Example, SECRET},
        settings::Auth,
    },
    problem::{Code, Problem},
    store::{
        endpoints::{self, Kind},
        workflows,
    },
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use serde::Serialize;
use towpath_engine::ids::WorkflowId;

/// Everything that a caller needs, apart from the secret.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "WebhookExamples")]
pub struct Examples {
    pub workflow: String,
    pub url: String,
    /// How callers prove who they are, in a sentence.
    pub proof: &'static str,
    /// The environment variable that the programs read the secret from.
    pub secret: Option<&'static str>,
    pub examples: Vec<Example>,
}

/// `GET /api/v1/workflows/{id}/trigger/examples`
pub async fn get(State(app): State<App>, actor: Actor, Path(workflow): Path<WorkflowId>) -> Result<Body<Examples>, Problem> {
    of(&app, &actor, workflow).await.map(Body)
}

/// Collects them for the draft's webhook, as its card shows it.
pub async fn of(app: &App, actor: &Actor, workflow: WorkflowId) -> Result<Examples, Problem> {
    let name = workflows::find(&app.pool, actor.workspace, workflow).await?.name;
    let trigger = load(app, actor.workspace, workflow).await?.draft.filter(|trigger| trigger.operation == "webhook");
    let Some(trigger) = trigger else {
        return Err(Problem::new(
            Code::Conflict,
            "This workflow isn't started by a webhook of its own, so there is nothing to call.",
        ));
    };
    let settings = Settings::read(&trigger.input).map_err(|wrong| {
        let first = wrong.first().map(|it| it.message.as_str()).unwrap_or_default();
        Problem::new(Code::Conflict, format!("The webhook's settings have a mistake: {first}"))
    })?;
    let endpoint = endpoints::current(&app.pool, actor.workspace, workflow, Kind::Webhook).await?;
    let url = super::view::address(app, actor, Kind::Webhook, endpoint.id);
    let proof = match settings.auth {
        Auth::None => "Whoever knows the address may call.",
        Auth::Basic { .. } => "Callers send a user name and a password.",
        Auth::Header { .. } => "Callers send a secret in a header.",
        Auth::Signed(_) => "Callers sign what they send with a secret, so that nobody can change it on the way.",
    };
    let secret = settings.auth.needs_secret().then_some(SECRET);
    Ok(Examples { workflow: name, examples: examples::examples(&settings, &url), url, proof, secret })
}
