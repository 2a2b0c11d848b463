//! What a caller hears. A workflow's own answer passes through, apart from headers that would speak for this server and not for the
//! workflow; why a run failed is nobody's business outside.

use super::settings::Settings;
use crate::{
    dispatch::Answered,
    ingest::{
        decide::{Reason, Refusal},
        take::Taken,
    },
    problem::{Code, Problem},
};
use axum::{
    Json as JsonBody,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use towpath_engine::{
    ids::RunId,
    pure::is_refused_header,
    record::{Answer, AnswerBody, End, EndState},
};

/// The answer to what was taken.
pub fn to(taken: Taken, settings: &Settings, form_post: bool) -> Response {
    let seen =
        matches!(taken, Taken::Started { .. } | Taken::Parked { .. } | Taken::Answered(Answered::Later(_) | Answered::Ended(..)));
    if let Some(url) = settings.redirect.as_ref().filter(|_| seen && form_post)
        && !matches!(&taken, Taken::Answered(Answered::Ended(_, end)) if end.state != EndState::Succeeded)
        && let Ok(location) = HeaderValue::from_str(url.as_str())
    {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    }
    match taken {
        Taken::Started { run, duplicate: false } => accepted(run),
        Taken::Started { run, duplicate: true } => {
            (StatusCode::OK, JsonBody(json!({ "run": run, "duplicate": true }))).into_response()
        }
        Taken::Parked { duplicate: false, .. } => (StatusCode::ACCEPTED, JsonBody(json!({ "status": "parked" }))).into_response(),
        Taken::Parked { duplicate: true, .. } => {
            (StatusCode::ACCEPTED, JsonBody(json!({ "status": "parked", "duplicate": true }))).into_response()
        }
        Taken::Answered(Answered::Answer(run, answer)) => respond(run, answer),
        Taken::Answered(Answered::Ended(run, End { state: EndState::Succeeded, .. })) => {
            JsonBody(json!({ "run": run })).into_response()
        }
        Taken::Answered(Answered::Ended(run, _)) => {
            let mut response = Problem::new(
                Code::Internal,
                format!("The workflow received this and could not finish it. Its owner finds the details under run {run}."),
            )
            .into_response();
            run_header(&mut response, run);
            response
        }
        Taken::Answered(Answered::Later(run)) => accepted(run),
        Taken::Refused(refusal) => refused(&refusal, settings),
    }
}

fn accepted(run: RunId) -> Response {
    (StatusCode::ACCEPTED, JsonBody(json!({ "run": run }))).into_response()
}

/// The one answer for addresses that lead nowhere and for callers who may not know that this one leads somewhere.
pub fn nowhere() -> Response {
    Problem::new(
        Code::NotFound,
        "No hook answers here, or not to this caller. Check the address and the credentials or the signature.",
    )
    .into_response()
}

fn refused(refusal: &Refusal, settings: &Settings) -> Response {
    if refusal.reason.is_secret() {
        return nowhere();
    }
    let code = match refusal.reason {
        Reason::Method => Code::MethodNotAllowed,
        Reason::TooLarge => Code::TooLarge,
        Reason::Encoding => Code::UnsupportedMediaType,
        Reason::Cut => Code::RequestTimeout,
        _ => Code::InvalidInput,
    };
    let mut response = Problem::new(code, refusal.detail.clone()).into_response();
    if refusal.reason == Reason::Method {
        allow(&mut response, settings);
    }
    response
}

/// Says which methods there are.
pub fn allow(response: &mut Response, settings: &Settings) {
    let names: Vec<&str> = settings.methods.iter().chain([&Method::OPTIONS]).map(Method::as_str).collect();
    if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
}

fn run_header(response: &mut Response, run: RunId) {
    if let Ok(value) = HeaderValue::from_str(&run.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("towpath-run"), value);
    }
}

/// A Respond step's words.
fn respond(run: RunId, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).ok().filter(|status| !status.is_informational()).unwrap_or(StatusCode::OK);
    let (kind, body) = match answer.body {
        AnswerBody::Empty => (None, String::new()),
        AnswerBody::Json(value) => (Some("application/json"), value.to_string()),
        AnswerBody::Text(text) => (Some("text/plain; charset=utf-8"), text),
        AnswerBody::Html(text) => (Some("text/html; charset=utf-8"), text),
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in answer.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::from_str(value.trim())) else { continue };
        let text = name.as_str();
        if is_refused_header(text) {
            continue;
        }
        // A header may come several times; the content's type replaces the body's own.
        if name == header::CONTENT_TYPE {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    // Whatever a browser makes of it, it runs in an origin of its own and reaches nothing of ours.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    run_header(&mut response, run);
    response
}

/// Lets pages of the trigger's origins read the answer. Never with cookies.
pub fn cors(response: &mut Response, settings: &Settings, request: &HeaderMap) {
    if settings.cors_origins.is_empty() {
        return;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let any = settings.cors_origins.iter().any(|origin| origin == "*");
    let Some(origin) = request.get(header::ORIGIN) else { return };
    if any {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    } else if settings.cors_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

/// The answer to OPTIONS: what a browser asks before it lets a page call. It starts nothing.
pub fn preflight(settings: &Settings, request: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    allow(&mut response, settings);
    cors(&mut response, settings, request);
    let headers = response.headers_mut();
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        if let Some(allow) = headers.get(header::ALLOW).cloned() {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
        }
        if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
