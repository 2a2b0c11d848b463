//! Deliveries of a service that a connector understands: verified and read by the operation, then taken like everything else. One
//! delivery may hold several events; each is known by its own key, also when a poll finds it.

use super::{address_of, answer};
use crate::{
    app::App,
    dispatch::TriggerKind,
    ingest::{
        body,
        decide::{Reason, Refusal},
        take::{Addressee, Arrival, NotNow, Taken, take},
        target::{Service, Target},
    },
    journal::EventKey,
    problem::{Code, Problem},
};
use axum::{
    Json as JsonBody,
    body::{Body, Bytes},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use std::net::IpAddr;
use towpath_connectors::sdk::receive::{HookSecrets, Inbound, NewEvent, NotReceived, Receive, Received};
use towpath_engine::{
    Object,
    event::{Event, Head},
};

/// A delivery to a workflow's own address.
pub async fn respond(app: &App, target: &Target, service: &Service, parts: &Parts, body: Body) -> Response {
    // Whether somebody is there may be asked.
    if matches!(parts.method, Method::HEAD | Method::OPTIONS) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let (to, address) = (Addressee::from(target), address_of(parts));
    let refuse = |refusal: &Refusal, size| app.ingest.refusals.note(to.workspace, to.workflow, refusal, address, size);
    let Some(receive) = app.registry.receive(&service.operation) else { return answer::nowhere() };
    let body = match body::read(&parts.headers, body, app.ingest.max_body).await {
        Ok(body) => body,
        Err(refusal) => {
            refuse(&refusal, 0);
            return refused(&refusal);
        }
    };
    let secrets = secrets_of(receive, target);
    match receive.receive(&inbound(app, parts, &body), &service.input, &secrets) {
        Ok(Received::Handshake { status, content_type, body }) => greeting(status, &content_type, body),
        Ok(Received::Ignored(why)) => {
            refuse(&Refusal::new(Reason::Ignored, why), body.len());
            JsonBody(json!({ "status": "ignored" })).into_response()
        }
        Ok(Received::Events(events)) => {
            let delivery = Delivery { operation: &service.operation, parts, body: &body, address };
            match take_all(app, &to, delivery, events).await {
                Ok(taken) => told(&taken),
                Err(error) => Problem::from(error).into_response(),
            }
        }
        Err(why) => {
            let refusal = refusal(why);
            refuse(&refusal, body.len());
            refused(&refusal)
        }
    }
}

/// A request as an operation sees it.
pub fn inbound<'a>(app: &App, parts: &'a Parts, body: &'a Bytes) -> Inbound<'a> {
    Inbound {
        method: parts.method.as_str(),
        headers: &parts.headers,
        query: parts.uri.query().unwrap_or_default(),
        body,
        now: app.clock.now(),
    }
}

/// The secret of the address, under every name by which the operation asks for it.
fn secrets_of(receive: &dyn Receive, target: &Target) -> HookSecrets {
    let Some(secret) = &target.secret else { return HookSecrets::default() };
    HookSecrets(receive.secrets().into_iter().map(|name| (name, secret.expose().to_vec())).collect())
}

/// A verified delivery.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    pub operation: &'a str,
    pub parts: &'a Parts,
    pub body: &'a Bytes,
    pub address: Option<IpAddr>,
}

/// Takes the events of a delivery, one after the other, for one workflow.
pub async fn take_all(app: &App, to: &Addressee, delivery: Delivery<'_>, events: Vec<NewEvent>) -> Result<Vec<Taken>, NotNow> {
    let alone = events.len() == 1;
    let mut taken = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        // A delivery of several events is known by each of them.
        let id = event.delivery.as_ref().map(|id| if alone { id.clone() } else { format!("{id}#{index}") });
        // At an address of its own a delivery is known by its id; at one for all, the id is the best that there is.
        let shared = id.as_ref().filter(|_| to.endpoint.is_none()).map(|id| format!("delivery:{id}"));
        let arrival = Arrival {
            kind: TriggerKind::Webhook,
            event_key: event.key.as_ref().or(shared.as_ref()).map(|key| EventKey::new(delivery.operation, key)),
            event: stored(delivery, event, alone),
            verified: Ok(()),
            delivery: id,
            wait: None,
            address: delivery.address,
            size: delivery.body.len(),
        };
        taken.push(take(app, to, arrival).await?);
    }
    Ok(taken)
}

/// The event as it is stored. What arrived is kept as it came, unless it was several events.
fn stored(delivery: Delivery<'_>, event: NewEvent, alone: bool) -> Event {
    let mut meta = Object::new();
    for (name, value) in [("delivery", event.delivery), ("key", event.key)] {
        if let Some(value) = value {
            meta.insert(name.into(), value.into());
        }
    }
    let content_type = delivery.parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let head = Head { meta, content_type: content_type.map(str::to_owned), parsed: Some(event.value), ..Head::default() };
    Event { head, body: if alone { delivery.body.to_vec() } else { Vec::new() } }
}

/// What a service hears of its events: 2xx, once all of them are on disk.
pub fn told(taken: &[Taken]) -> Response {
    let one = |taken: &Taken| match taken {
        Taken::Started { run, duplicate: false } => json!({ "run": run }),
        Taken::Started { run, duplicate: true } => json!({ "run": run, "duplicate": true }),
        _ => json!({ "status": "parked" }),
    };
    let new = taken.iter().any(|it| !matches!(it, Taken::Started { duplicate: true, .. }));
    let status = if new { StatusCode::ACCEPTED } else { StatusCode::OK };
    match taken {
        [] => JsonBody(json!({ "status": "ignored" })).into_response(),
        [alone] => (status, JsonBody(one(alone))).into_response(),
        several => (status, JsonBody(json!({ "events": several.iter().map(one).collect::<Vec<_>>() }))).into_response(),
    }
}

pub fn refusal(why: NotReceived) -> Refusal {
    match why {
        NotReceived::Unverified(why) => Refusal::new(Reason::Signature, why),
        NotReceived::Unreadable(why) => Refusal::new(Reason::Malformed, why),
    }
}

/// Who could not prove itself hears the same as at an address that isn't there.
pub fn refused(refusal: &Refusal) -> Response {
    if refusal.reason.is_secret() {
        return answer::nowhere();
    }
    let code = match refusal.reason {
        Reason::TooLarge => Code::TooLarge,
        Reason::Encoding => Code::UnsupportedMediaType,
        Reason::Cut => Code::RequestTimeout,
        _ => Code::InvalidInput,
    };
    Problem::new(code, refusal.detail.clone()).into_response()
}

/// What the service wants to hear before it sends anything. Shown by a browser, it could act in nobody's name.
pub fn greeting(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body).into_response();
    let kind = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    response
}
