//! What a request must pass before a route sees it: it names this server (the Host check), and its body is guarded. A refusal is a
//! problem like all others; [`crate::edge`] renders it.

use super::{
    body::{Guard, Outcome, Verdict},
    host::OwnNames,
};
use crate::{
    app::App,
    auth::visit::Visit,
    problem::{Code, Problem},
    shutdown::Shutdown,
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use http_body::Body as _;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Our end of the connection that a request came in on. An extension of every request.
#[derive(Clone, Copy, Debug)]
pub struct LocalAddress(pub SocketAddr);

/// What the gate needs to know.
#[derive(Clone)]
struct Gate(Arc<Known>);

struct Known {
    names: OwnNames,
    max_body: u64,
    shutdown: Shutdown,
}

impl Gate {
    fn new(app: &App) -> Self {
        let names = OwnNames::of_this_machine(app.config.server.public_url.as_ref());
        Self(Arc::new(Known { names, max_body: app.config.limits.max_body, shutdown: app.shutdown.clone() }))
    }
}

/// Puts the gate around a router. The edge goes around the gate.
pub fn around(router: Router<App>, app: &App) -> Router<App> {
    router
        // The guard bounds bodies; axum's own limit would cut in at 2 MB.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Gate::new(app), pass))
}

async fn pass(State(Gate(known)): State<Gate>, request: Request, next: Next) -> Response {
    if let Err(problem) = check_host(&known.names, &request) {
        return problem.into_response();
    }
    if request.body().is_end_stream() {
        return end_on_drain(next.run(request).await, &known.shutdown);
    }
    let outcome = Outcome::default();
    let request = request.map(|body| Body::new(Guard::new(body, known.max_body, outcome.clone())));
    let response = next.run(request).await;
    match outcome.get() {
        Verdict::Fine => response,
        Verdict::TooLarge => too_large(known.max_body),
        Verdict::TooSlow => {
            let detail = "The body arrived too slowly, so the connection was cut. Send it again, faster.";
            closing(Problem::new(Code::RequestTimeout, detail).into_response())
        }
    }
}

fn check_host(names: &OwnNames, request: &Request) -> Result<(), Problem> {
    // With more than one, a proxy and we might believe different ones.
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    // HTTP/2 names the host in the request line's place; a header beside it must not say otherwise.
    let agree = match (request.uri().authority(), host) {
        (Some(authority), Some(host)) => authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()),
        _ => true,
    };
    let only_one = hosts.next().is_none() && agree;
    let visit = request.extensions().get::<Visit>().filter(|_| only_one);
    let Some(visit) = visit.filter(|visit| !visit.authority.is_empty()) else {
        return Err(Problem::new(Code::Misdirected, "The request names no host, or more than one."));
    };
    let local = request.extensions().get::<LocalAddress>().map_or(IpAddr::from([0, 0, 0, 0]), |local| local.0.ip());
    // Styles and icons are the same for everybody and say nothing; the page that refuses is drawn with them.
    if names.include(&visit.authority, local) || is_asset(request) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Misdirected,
        format!(
            "This server does not answer under the name {:?}. If people and services are to reach it there, whoever runs it sets \
             TOWPATH_PUBLIC_URL to that address and starts it again.",
            visit.authority
        ),
    ))
}

fn is_asset(request: &Request) -> bool {
    request.method().is_safe() && request.uri().path().starts_with("/assets/")
}

/// A live stream has no end of its own: a drain would wait for it until it is cut. Browsers come back by themselves.
fn end_on_drain(mut response: Response, shutdown: &Shutdown) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
        return response;
    }
    let begun = shutdown.begun_owned();
    // nginx would collect what should be seen at once.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(begun)))
}

fn too_large(limit: u64) -> Response {
    let detail = format!("The body is larger than the {limit} bytes that are taken here (TOWPATH_MAX_BODY). Send less at once.");
    closing(Problem::new(Code::TooLarge, detail).into_response())
}

fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::sse::{Event, Sse};
    use http_body_util::BodyExt;
    use std::{convert::Infallible, time::Duration};

    #[tokio::test]
    async fn a_live_stream_ends_when_the_server_stops_and_not_before() {
        let shutdown = Shutdown::default();
        let first = futures_util::stream::iter([Ok::<_, Infallible>(Event::default().data("here"))]);
        let endless = Sse::new(first.chain(futures_util::stream::pending())).into_response();
        let mut body = end_on_drain(endless, &shutdown).into_body();
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&*frame, b"data: here\n\n");
        assert!(futures_util::poll!(std::pin::pin!(body.frame())).is_pending());
        shutdown.begin();
        let end = tokio::time::timeout(Duration::from_secs(5), body.frame()).await;
        assert!(end.expect("it ends").is_none());
    }
}
