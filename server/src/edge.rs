//! The outermost layers: every response passes here. The visit is worked out, panics become problems, problems are rendered, and
//! the headers that protect our pages are set.

use crate::{
    app::App,
    auth::visit::Visit,
    problem::{self, Code, Problem, wants_json},
};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};
use tracing::Instrument;

/// What our own pages may load and do: their own files, nothing inline, nothing from elsewhere, in nobody's frame.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
     require-trusted-types-for 'script'; trusted-types lit-html towpath";
/// What an answer to a hook may do, should a browser show it: nothing.
const HOOK_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// The number of the request, in every response and in the log.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the edge around a router.
pub fn around(router: Router<App>, app: &App) -> Router<App> {
    router.layer(from_fn_with_state(app.clone(), edge))
}

async fn edge(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visit = Visit::of(&parts, &app.auth.settings);
    parts.extensions.insert(visit.clone());
    let path = parts.uri.path().to_owned();
    let json = wants_json(&path, &parts.headers);
    // Some addresses are keys: hooks, forms, invitations. The log gets the route's pattern, which names no one's.
    let route = parts.extensions.get::<MatchedPath>().map_or("(no route)", MatchedPath::as_str).to_owned();
    // The workspace is known once somebody has signed in: see auth::enforcement.
    let span = tracing::info_span!(
        "request",
        id = %visit.request,
        method = %parts.method,
        path = route,
        workspace = tracing::field::Empty
    );
    let begun = Instant::now();
    let answer = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind().instrument(span.clone()).await;
    let response = answer.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Problem::internal(anyhow::anyhow!("a handler panicked: {}", said.unwrap_or("without a text"))).into_response()
    });
    let mut response = span.in_scope(|| problem::render(speak_plainly(response, &path), &visit, json));
    protect(&mut response, &visit, &path);
    span.in_scope(|| {
        tracing::debug!(status = response.status().as_u16(), micros = begun.elapsed().as_micros(), address = %visit.address, "answered");
    });
    response
}

/// The framework's own refusals (a body that is no JSON, an id that is no id) become problems like all others. Answers to hooks are
/// their workflow's own words and stay as they are.
fn speak_plainly(response: Response, path: &str) -> Response {
    let plain = response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if !refused || !plain || path.starts_with("/hooks/") || response.extensions().get::<Arc<Problem>>().is_some() {
        return response;
    }
    let problem = match response.status() {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(Code::MethodNotAllowed, "Check the method that the documentation names for this address.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "The body is larger than this address takes."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(Code::UnsupportedMediaType, "Check the Content-Type header: this address takes another kind.")
        }
        StatusCode::REQUEST_TIMEOUT => {
            Problem::new(Code::RequestTimeout, "Send it again; a slow connection may need a smaller body.")
        }
        StatusCode::UNAUTHORIZED => Problem::new(Code::NotSignedIn, "Sign in and try again."),
        StatusCode::FORBIDDEN => Problem::new(Code::Forbidden, "Ask an admin of this workspace."),
        status if status.is_server_error() => return response,
        _ => Problem::new(Code::InvalidInput, "What was sent is not understood. Check it against the documentation."),
    };
    let mut plain = problem.into_response();
    // Allow, Retry-After and the actor for the error page's bar.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            plain.headers_mut().append(name.clone(), value.clone());
        }
    }
    if let Some(actor) = response.extensions().get::<crate::auth::Actor>() {
        plain.extensions_mut().insert(actor.clone());
    }
    plain
}

/// Sets what is missing: a handler with a policy of its own (hosted forms, downloads) keeps it.
fn protect(response: &mut Response, visit: &Visit, path: &str) {
    let policy = if path.starts_with("/hooks/") { HOOK_POLICY } else { PAGE_POLICY };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    // Not no-referrer: with it browsers send `Origin: null` with our own forms.
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
    set(header::CACHE_CONTROL, "no-store");
    // Browsers ignore it over plain http from elsewhere, and say so in red.
    if visit.https || visit.local {
        set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    // Only where the certificate is known to be meant for the name: a browser that was told once refuses plain http for a year.
    if visit.public {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Ok(id) = HeaderValue::from_str(&visit.request.to_string()) {
        headers.insert(REQUEST_ID.clone(), id);
    }
}
