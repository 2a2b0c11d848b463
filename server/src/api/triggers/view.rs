//! The trigger's card as data.

use super::{
    load,
    timed::{self, PollView, ScheduleView},
};
use crate::{
    api::workflows::WorkflowState,
    app::App,
    auth::Actor,
    dispatch::TriggerKind,
    ingest::{
        failure,
        form::token,
        samples,
        webhook::{
            Settings,
            settings::Auth,
            verify::{Algorithm, Encoding, List},
        },
    },
    problem::Problem,
    reachability::Reach,
    store::{
        endpoints::{self, Endpoint, Kind},
        parked::{self, Fill},
        refusals::{self, Refused},
        samples as stored,
    },
};
use axum::http::Method;
use chrono::{DateTime, Utc};
use serde::Serialize;
use towpath_connectors::sdk::receive::Address;
use towpath_engine::{
    Json,
    catalogue::Catalogue as _,
    ids::{EndpointId, WorkflowId},
    plan::CALLED,
    workflow::Trigger,
};
use uuid::Uuid;

/// How many samples there are.
const SAMPLES: i64 = 5;

/// What the card shows.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "TriggerState")]
pub struct TriggerView {
    /// `webhook`, `form`, `manual`, or null before one was picked.
    kind: Option<String>,
    /// A webhook's address.
    url: Option<String>,
    /// A line to paste into a terminal that sends a first event.
    curl: Option<String>,
    /// The address of all workflows of a connector, for services that know only one.
    app_url: Option<String>,
    /// Where to enter the address and the secret at the service.
    setup: Option<String>,
    /// A form's page for the public.
    form_url: Option<String>,
    /// The form's page before it is published, for a day.
    preview_url: Option<String>,
    /// Does the trigger verify its callers by a secret?
    needs_secret: bool,
    secret: Option<SecretView>,
    /// The workflow's.
    #[schemars(with = "WorkflowState")]
    state: String,
    /// Do callers from outside get through to a webhook's or form's address, as far as this server could see?
    reachable: Option<Reach>,
    /// What happens to what arrives now, in a sentence.
    now: &'static str,
    /// Does the trigger ask a service for news?
    polls: bool,
    /// What is published, when a schedule starts it.
    schedule: Option<ScheduleView>,
    /// What is published, when a poll starts it.
    poll: Option<PollView>,
    samples: Vec<SampleView>,
    parked: Fill,
    refusals: Vec<Refused>,
}

/// A secret that is set.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "SecretHint")]
struct SecretView {
    /// Its last four characters, or nothing when it is short.
    hint: String,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "TriggerSample")]
struct SampleView {
    id: Uuid,
    at: DateTime<Utc>,
    /// `parked` or `run`.
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Uuid>,
    /// The event as expressions see it, cut.
    value: Json,
    /// What had to be changed to parse it.
    notes: Vec<String>,
}

impl TriggerView {
    /// Is this run among the samples?
    pub fn knows(&self, run: Uuid) -> bool {
        self.samples.iter().any(|sample| sample.run == Some(run))
    }
}

/// Collects it.
pub async fn of(app: &App, actor: &Actor, workflow: WorkflowId) -> Result<TriggerView, Problem> {
    let loaded = load(app, actor.workspace, workflow).await?;
    let trigger = loaded.draft.as_ref();
    let operation = trigger.map(|trigger| trigger.operation.as_str());
    let kind = operation.and_then(|operation| Kind::of_operation(operation, &app.registry));
    let endpoint = match kind {
        Some(kind) => Some(endpoint_of(app, actor, workflow, kind).await?),
        None => None,
    };
    let settings =
        trigger.filter(|trigger| trigger.operation == "webhook").and_then(|trigger| Settings::read(&trigger.input).ok());
    let at = |of: Kind| endpoint.as_ref().filter(|_| kind == Some(of)).map(|it| (it.id, address(app, actor, of, it.id)));
    let url = at(Kind::Webhook).map(|(_, url)| url);
    let receive = operation.and_then(|operation| app.registry.receive(operation));
    let form = at(Kind::Form);
    let preview = form
        .as_ref()
        .filter(|_| loaded.state == "draft")
        .map(|(id, url)| format!("{url}?preview={}", token::issue_preview(&app.vault, *id, app.clock.now())));
    let kinds = match operation {
        Some("form") => [TriggerKind::Form as i16; 2],
        Some("manual") => [TriggerKind::Manual as i16; 2],
        Some("schedule") => [TriggerKind::Schedule as i16; 2],
        Some(failure::OPERATION) => [TriggerKind::Failure as i16; 2],
        Some(CALLED) => [TriggerKind::Call as i16; 2],
        // A service's news may be found and brought.
        _ => [TriggerKind::Webhook as i16, TriggerKind::Poll as i16],
    };
    let samples = stored::newest(&app.pool, actor.workspace, workflow, &kinds, SAMPLES).await?;
    let polls = operation.is_some_and(|operation| app.registry.poll(operation).is_some());
    Ok(TriggerView {
        polls,
        schedule: timed::schedule_of(app, actor.workspace, workflow).await?,
        poll: timed::poll_of(app, actor.workspace, workflow).await?,
        kind: operation.map(str::to_owned),
        curl: url.as_deref().zip(settings.as_ref()).and_then(|(url, settings)| curl(url, settings)),
        url,
        form_url: form.map(|(_, url)| url),
        preview_url: preview,
        reachable: kind.map(|_| app.reachability.of_webhooks()),
        needs_secret: settings.as_ref().is_some_and(|settings| settings.auth.needs_secret())
            || receive.is_some_and(|it| it.address() == Address::Workflow && !it.secrets().is_empty()),
        setup: receive.map(|it| it.setup().to_owned()).filter(|text| !text.is_empty()),
        app_url: receive
            .filter(|it| it.address() == Address::App)
            .and(operation)
            .and_then(|operation| app.registry.operation(operation))
            .map(|operation| format!("{}/hooks/app/{}", base(app, actor), operation.connector)),
        secret: endpoint
            .filter(|endpoint| endpoint.secret_sealed.is_some())
            .map(|endpoint| SecretView { hint: endpoint.secret_hint.unwrap_or_default() }),
        now: now(&loaded.state, loaded.published.as_ref().map(|(_, document)| document), trigger, polls),
        state: loaded.state,
        samples: samples.into_iter().filter_map(sample).collect(),
        parked: parked::fill(&app.pool, actor.workspace, workflow).await?,
        refusals: refusals::list(&app.pool, actor.workspace, workflow).await?,
    })
}

async fn endpoint_of(app: &App, actor: &Actor, workflow: WorkflowId, kind: Kind) -> Result<Endpoint, Problem> {
    match endpoints::current(&app.pool, actor.workspace, workflow, kind).await {
        Ok(endpoint) => Ok(endpoint),
        Err(crate::store::Error::NotFound) => {
            let mut connection = app.pool.acquire().await?;
            endpoints::ensure(&mut connection, actor.workspace, workflow, kind).await?;
            Ok(endpoints::current(&mut *connection, actor.workspace, workflow, kind).await?)
        }
        Err(error) => Err(error.into()),
    }
}

fn sample(sample: stored::Sample) -> Option<SampleView> {
    let (value, notes) = samples::value(&sample.event).ok()?;
    Some(SampleView {
        id: sample.id,
        at: sample.at,
        source: if sample.is_run { "run" } else { "parked" },
        run: sample.is_run.then_some(sample.id),
        value: samples::preview(&value),
        notes,
    })
}

fn now(state: &str, published: Option<&Json>, draft: Option<&Trigger>, polls: bool) -> &'static str {
    let operation = |document: &Json| document["trigger"]["use"].as_str().map(str::to_owned);
    let same = published.and_then(operation) == draft.map(|trigger| trigger.operation.clone());
    if draft.is_some_and(|trigger| trigger.operation == "schedule") {
        return match state {
            "published" if same => "Each time starts a run.",
            "paused" if same => "The workflow is paused: its times pass and start nothing.",
            _ => "It starts nothing until the workflow is published.",
        };
    }
    if draft.is_some_and(|trigger| trigger.operation == failure::OPERATION) {
        return match state {
            "published" if same => "Each run that fails in this workspace starts a run, but for those that a failure started.",
            "paused" if same => "The workflow is paused: what fails now starts nothing.",
            _ => "It starts nothing until the workflow is published.",
        };
    }
    if polls {
        return match state {
            "published" if same => "What is new starts a run. What was there before the first look doesn't.",
            "paused" if same => "The workflow is paused: when it resumes, it goes on where it stopped.",
            _ => "Nothing is looked for until the workflow is published; check now to see what there is.",
        };
    }
    match state {
        "published" if same => "What arrives now starts a run.",
        "paused" if same => "The workflow is paused: what arrives now is kept and can be started later.",
        _ => "What arrives now is kept as a sample; it starts nothing until the workflow is published.",
    }
}

/// An address as callers write it.
pub fn address(app: &App, actor: &Actor, kind: Kind, id: EndpointId) -> String {
    let base = base(app, actor);
    match kind {
        Kind::Webhook => format!("{base}/hooks/{id}"),
        Kind::Form => format!("{base}/forms/{id}"),
    }
}

fn base(app: &App, actor: &Actor) -> String {
    match &app.config.server.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => actor.visit.origin(),
    }
}

/// A command that sends a first event; none where signing takes more than a line.
fn curl(url: &str, settings: &Settings) -> Option<String> {
    let method = settings.methods.first()?;
    if *method == Method::GET {
        return matches!(settings.auth, Auth::None).then(|| format!("curl '{url}?name=Ada'"));
    }
    let body = r#"{"name":"Ada","total":120}"#;
    let send = format!("curl -X {method} '{url}' -H 'Content-Type: application/json'");
    match &settings.auth {
        Auth::None => Some(format!("{send} -d '{body}'")),
        Auth::Basic { user } => Some(format!("{send} -u '{}:PASSWORD' -d '{body}'", user.replace('\'', r"'\''"))),
        Auth::Header { name } => Some(format!("{send} -H '{name}: TOKEN' -d '{body}'")),
        Auth::Signed(scheme) => {
            let List::One { prefix } = &scheme.list else { return None };
            if scheme.message != "{body}" {
                return None;
            }
            let hash = match scheme.algorithm {
                Algorithm::Sha1 => "sha1",
                Algorithm::Sha256 => "sha256",
                Algorithm::Sha512 => "sha512",
            };
            let encode = match scheme.encoding {
                Encoding::Hex => "od -An -tx1 | tr -d ' \\n'",
                Encoding::Base64 => "base64 -w0",
            };
            let sign = format!("$(printf %s '{body}' | openssl dgst -{hash} -hmac 'SECRET' -binary | {encode})");
            Some(format!("{send} -H \"{}: {}{sign}\" -d '{body}'", scheme.header, prefix.replace(['"', '$', '`', '\\'], "")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_line_to_paste_sends_what_the_trigger_asks_for() {
        let line = |input: Json| curl("http://x/hooks/1", &Settings::read(input.as_object().unwrap()).unwrap());
        assert!(
            line(json!({})).unwrap().starts_with("curl -X POST 'http://x/hooks/1' -H 'Content-Type: application/json' -d '{")
        );
        assert_eq!(line(json!({ "methods": ["GET"] })).unwrap(), "curl 'http://x/hooks/1?name=Ada'");
        assert!(line(json!({ "auth": "basic", "basic_user": "a'b" })).unwrap().contains(r"-u 'a'\''b:PASSWORD'"));
        assert!(line(json!({ "auth": "hmac", "preset": "github" })).unwrap().contains("x-hub-signature-256: sha256=$(printf"));
        assert_eq!(line(json!({ "auth": "standard_webhooks" })), None);
    }
}
