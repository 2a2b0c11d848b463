//! A workflow's trigger, for its card in the builder: the address, who may call, what arrived, what was refused; and starts by hand.

mod examples;
mod secret;
mod timed;
mod view;

pub use examples::{Examples, get as get_examples, of as examples_of};
pub use secret::{Change as SecretChange, Changed, Rotated, put as put_secret, rotate};
pub use timed::{Checked, Preview, Previewed, check, preview};

use crate::{
    api::extract::MaybeSent,
    app::App,
    auth::Actor,
    ingest::{
        Taken,
        decide::Standing,
        manual::{self, Start},
        replay::{self, Replayed},
        samples,
    },
    live::{Change, Heard},
    problem::{Code, Problem},
    store::{self, samples as stored, versions, workflows},
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
    response::sse::{Event, KeepAlive, Sse},
};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, convert::Infallible, time::Duration};
use towpath_engine::{
    Json, Object,
    ids::{RunId, WorkflowId, WorkspaceId},
    plan::Plan,
    workflow::{Trigger, Workflow},
};
use uuid::Uuid;
pub use view::TriggerView;

/// How long changes are gathered before the card is told.
const GATHER: Duration = Duration::from_millis(100);

/// A workflow and the trigger that counts: the published version's, else the draft's.
struct Loaded {
    state: String,
    /// The draft's trigger: what the card shows.
    draft: Option<Trigger>,
    published: Option<(u32, Json)>,
}

async fn load(app: &App, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Loaded, Problem> {
    let found = workflows::find(&app.pool, workspace, workflow).await?;
    let published = match found.published_version {
        Some(version) => {
            let document = versions::document(&app.pool, workspace, workflow, version).await?;
            u32::try_from(version).ok().map(|version| (version, document))
        }
        None => None,
    };
    let draft = found.draft.get("trigger").and_then(|trigger| serde_json::from_value(trigger.clone()).ok());
    Ok(Loaded { state: found.state, draft, published })
}

/// `GET /api/v1/workflows/{id}/trigger`
pub async fn get(State(app): State<App>, actor: Actor, Path(workflow): Path<WorkflowId>) -> Result<Body<TriggerView>, Problem> {
    view::of(&app, &actor, workflow).await.map(Body)
}

/// `GET /api/v1/workflows/{id}/trigger/events`: an event `trigger` with the whole view, now and whenever something arrives or
/// is refused.
pub async fn events(
    State(app): State<App>,
    actor: Actor,
    Path(workflow): Path<WorkflowId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut watcher = app.live.subscribe();
    let mut view = view::of(&app, &actor, workflow).await?;
    let stream = async_stream::stream! {
        loop {
            if let Ok(event) = Event::default().event("trigger").json_data(&view) {
                yield Ok(event);
            }
            // Until something about this trigger changes.
            loop {
                let heard = tokio::select! {
                    heard = watcher.next() => heard,
                    () = app.shutdown.begun() => return,
                };
                match heard {
                    None => return,
                    Some(Heard::Missed) => break,
                    Some(Heard::Change(change)) if change.workspace() != actor.workspace || change.workflow() != workflow => {}
                    // A run that the card knows moved on: the run page's business.
                    Some(Heard::Change(Change::Run { run, .. })) if view.knows(run.0) => {}
                    Some(Heard::Change(_)) => break,
                }
            }
            tokio::time::sleep(GATHER).await;
            match view::of(&app, &actor, workflow).await {
                Ok(next) => view = next,
                Err(_) => return,
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// A whole event.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ArrivedEvent")]
pub struct Sample {
    id: Uuid,
    at: DateTime<Utc>,
    /// The run that it started, if it did.
    run: Option<Uuid>,
    /// As expressions see it.
    value: Json,
    /// What had to be changed to parse it.
    notes: Vec<String>,
}

/// `GET /api/v1/workflows/{id}/trigger/samples/{sample}`: the whole event as expressions see it.
pub async fn sample(
    State(app): State<App>,
    actor: Actor,
    Path((workflow, sample)): Path<(WorkflowId, Uuid)>,
) -> Result<Body<Sample>, Problem> {
    let sample = stored::get(&app.pool, actor.workspace, workflow, sample).await?;
    let (value, notes) = samples::value(&sample.event).map_err(Problem::internal)?;
    let run = sample.is_run.then_some(sample.id);
    Ok(Body(Sample { id: sample.id, at: sample.at, run, value, notes }))
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChosenEvents")]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Which events; absent: all.
    ids: Option<Vec<Uuid>>,
}

/// `POST /api/v1/workflows/{id}/trigger/parked/replay`
pub async fn replay(
    State(app): State<App>,
    actor: Actor,
    Path(workflow): Path<WorkflowId>,
    MaybeSent(chosen): MaybeSent<Chosen>,
) -> Result<Body<Replayed>, Problem> {
    let loaded = load(&app, actor.workspace, workflow).await?;
    let Some((version, _)) = loaded.published.filter(|_| loaded.state == "published") else {
        let detail = if loaded.state == "paused" {
            "The workflow is paused. Resume it first; then what was kept can be started."
        } else {
            "The workflow is not published. Publish it first; then what was kept can be started."
        };
        return Err(Problem::new(Code::Conflict, detail));
    };
    Ok(Body(replay::replay(&app, actor.workspace, workflow, version, chosen.ids.map(HashSet::from_iter).as_ref()).await?))
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ManualInputs")]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// What the trigger asks for.
    #[serde(default)]
    inputs: Object,
}

/// What a start by hand began: a run, or a sample where nothing is published.
#[derive(Default, Serialize, JsonSchema)]
pub struct Begun {
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    /// `parked`
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why no run was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Uuid>,
}

/// `POST /api/v1/workflows/{id}/run`: starts by hand, with the typed inputs that the trigger asks for. Of a workflow that isn't
/// published the inputs are kept as a sample.
pub async fn run(
    State(app): State<App>,
    actor: Actor,
    Path(workflow): Path<WorkflowId>,
    MaybeSent(Inputs { inputs }): MaybeSent<Inputs>,
) -> Result<(StatusCode, Body<Begun>), Problem> {
    let loaded = load(&app, actor.workspace, workflow).await?;
    let (standing, trigger) = manual_standing(&app, &loaded)?;
    let start = Start { workspace: actor.workspace, workflow, standing, trigger: &trigger, by: &actor.name, inputs: &inputs };
    let begun = match manual::start(&app, start).await? {
        Taken::Parked { id, reason, .. } => {
            Begun { status: Some("parked"), reason: Some(reason.as_str()), sample: Some(id), ..Begun::default() }
        }
        Taken::Started { run, .. } => Begun { run: Some(run), ..Begun::default() },
        Taken::Refused(refusal) => return Err(Problem::new(Code::Conflict, refusal.detail)),
        Taken::Answered(_) => return Err(Problem::internal(anyhow::anyhow!("a manual start waits for no answer"))),
    };
    Ok((StatusCode::ACCEPTED, Body(begun)))
}

fn manual_standing(app: &App, loaded: &Loaded) -> Result<(Standing, Trigger), Problem> {
    let is_manual = |trigger: &Trigger| trigger.operation == "manual";
    let published = loaded.published.as_ref().and_then(|(version, document)| {
        let workflow: Workflow = serde_json::from_value(document.clone()).ok()?;
        Some((*version, workflow.trigger.clone().filter(is_manual)?, workflow))
    });
    match (loaded.state.as_str(), published) {
        ("paused", Some(_)) => Err(Problem::new(Code::Conflict, "The workflow is paused. Resume it, then run it.")),
        ("published", Some((version, trigger, workflow))) => {
            let standing = match Plan::new(version, workflow, &*app.registry) {
                Ok(_) => Standing::Published { version },
                Err(why) => return Err(Problem::new(Code::Conflict, format!("Version {version} can't be started: {why}"))),
            };
            Ok((standing, trigger))
        }
        _ => match loaded.draft.clone().filter(is_manual) {
            Some(trigger) => Ok((Standing::Unpublished, trigger)),
            None => Err(Problem::new(
                Code::Conflict,
                "This workflow is not started by hand. Pick the trigger “When somebody presses Run” for that.",
            )),
        },
    }
}

impl From<towpath_engine::event::NotAnEvent> for Problem {
    fn from(error: towpath_engine::event::NotAnEvent) -> Self {
        Self::internal(error)
    }
}

/// After a change of the address or its secret: whoever calls next meets the new state.
fn changed(app: &App, workspace: WorkspaceId, workflow: WorkflowId) {
    app.live.publish(Change::Workflow { workspace, workflow });
}

/// The store's error for a trigger that has no address.
fn no_address(error: store::Error) -> Problem {
    match error {
        store::Error::NotFound => {
            Problem::new(Code::Conflict, "This trigger has no address. Pick a webhook or a form as the trigger first.")
        }
        other => other.into(),
    }
}
