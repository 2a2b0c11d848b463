//! Webhooks: a request to `/hooks/{id}` becomes an event. [`settings`] is what the trigger says, [`verify`] who may call, [`request`]
//! what the event is, [`answer`] what the caller hears; [`service`] is for those that a connector understands.

pub mod answer;
pub mod app;
pub mod examples;
pub mod request;
pub mod service;
pub mod settings;
pub mod verify;

pub use settings::Settings;

use super::{
    body,
    decide::{Reason, Refusal},
    take::{Addressee, Arrival, Taken, take},
    target::{self, Target},
};
use crate::{app::App, auth::visit::Visit, dispatch::TriggerKind, problem::Problem, store::endpoints::Kind};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use request::{NoEvent, Request};
use settings::Respond;
use std::net::IpAddr;
use towpath_engine::{event::Event, ids::EndpointId};

/// `/hooks/{id}`, any method.
pub async fn receive(State(app): State<App>, Path(id): Path<String>, request: axum::extract::Request) -> Response {
    respond(&app, &id, "", request).await
}

/// `/hooks/{id}/…`: the same hook; the rest of the path is `trigger.path`.
pub async fn receive_below(
    State(app): State<App>,
    Path((id, rest)): Path<(String, String)>,
    request: axum::extract::Request,
) -> Response {
    respond(&app, &id, &format!("/{rest}"), request).await
}

async fn respond(app: &App, id: &str, path: &str, request: axum::extract::Request) -> Response {
    let Ok(id) = id.parse::<EndpointId>() else { return answer::nowhere() };
    let target = match app.ingest.targets.find(app, id, Kind::Webhook).await {
        Ok(Some(target)) => target,
        Ok(None) => return answer::nowhere(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let (parts, body) = request.into_parts();
    let address = address_of(&parts);
    let settings = match &target.settings {
        target::Settings::Webhook(settings) => match &**settings {
            Ok(settings) => settings,
            Err(wrong) => {
                let refusal = Refusal::new(Reason::NotSetUp, format!("The trigger's settings have a mistake: {wrong}"));
                app.ingest.refusals.note(target.workspace, target.workflow, &refusal, address, 0);
                return answer::nowhere();
            }
        },
        target::Settings::Service(service) => return service::respond(app, &target, service, &parts, body).await,
        target::Settings::Form(_) => return answer::nowhere(),
    };
    if parts.method == Method::OPTIONS {
        return answer::preflight(settings, &parts.headers);
    }
    let request = Request { method: &parts.method, path, query: parts.uri.query(), headers: &parts.headers, address };
    let mut response = match handle(app, &target, settings, &request, body).await {
        Ok(Heard::Head) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            answer::allow(&mut response, settings);
            response
        }
        Ok(Heard::Taken(taken)) => answer::to(taken, settings, request::is_form_post(&parts.method, &parts.headers)),
        Err(problem) => problem.into_response(),
    };
    answer::cors(&mut response, settings, &parts.headers);
    response
}

enum Heard {
    Taken(Taken),
    /// HEAD asks whether somebody is there, and starts nothing.
    Head,
}

/// In this order: what costs nothing first, and nothing is read from whom we don't talk to.
async fn handle(app: &App, target: &Target, settings: &Settings, request: &Request<'_>, body: Body) -> Result<Heard, Problem> {
    let refuse = |refusal: Refusal, size: usize| arrive(app, target, request.address, Err(refusal), size);
    if let Err(refusal) = admit(target, settings, request) {
        return refuse(refusal, 0).await;
    }
    if *request.method == Method::HEAD {
        return Ok(Heard::Head);
    }
    if !settings.methods.contains(request.method) {
        let names: Vec<&str> = settings.methods.iter().map(Method::as_str).collect();
        let detail = format!("This hook takes {} and not {}.", names.join(", "), request.method);
        return refuse(Refusal::new(Reason::Method, detail), 0).await;
    }
    let body = match body::read(request.headers, body, app.ingest.max_body).await {
        Ok(body) => body,
        Err(refusal) => return refuse(refusal, 0).await,
    };
    let size = body.len();
    let secret = target.secret.as_ref();
    if let Err(refusal) = verify::signature(&settings.auth, secret, request.headers, &body, app.clock.now()) {
        return refuse(refusal, size).await;
    }
    match event_of(app, target, settings, request, body).await? {
        Ok(event) => {
            let arrival = Arrival {
                kind: TriggerKind::Webhook,
                event,
                verified: Ok(()),
                delivery: request.delivery(settings),
                event_key: None,
                wait: match settings.respond {
                    Respond::AtOnce => None,
                    Respond::WhenDone(within) => Some(within),
                },
                address: request.address,
                size,
            };
            Ok(Heard::Taken(take(app, &Addressee::from(target), arrival).await?))
        }
        Err(refusal) => refuse(refusal, size).await,
    }
}

/// Address, password and token: all that can be said before the body.
fn admit(target: &Target, settings: &Settings, request: &Request<'_>) -> Result<(), Refusal> {
    if !settings.allows(request.address) {
        return Err(Refusal::new(Reason::Address, "The caller's address is not among those that may call."));
    }
    verify::credentials(&settings.auth, target.secret.as_ref(), request.headers)
}

async fn event_of(
    app: &App,
    target: &Target,
    settings: &Settings,
    request: &Request<'_>,
    body: Bytes,
) -> Result<Result<Event, Refusal>, Problem> {
    match request.event(app, target.workspace, settings, body).await {
        Ok(event) => Ok(Ok(event)),
        Err(NoEvent::Refused(refusal)) => Ok(Err(refusal)),
        Err(NoEvent::Store(error)) => Err(error.into()),
    }
}

async fn arrive(
    app: &App,
    target: &Target,
    address: Option<IpAddr>,
    verified: Result<(), Refusal>,
    size: usize,
) -> Result<Heard, Problem> {
    let arrival = Arrival {
        kind: TriggerKind::Webhook,
        event: Event::default(),
        verified,
        delivery: None,
        event_key: None,
        wait: None,
        address,
        size,
    };
    Ok(Heard::Taken(take(app, &Addressee::from(target), arrival).await?))
}

/// The caller's own address, behind trusted proxies too.
pub fn address_of(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<Visit>().map(|visit| visit.address)
}
