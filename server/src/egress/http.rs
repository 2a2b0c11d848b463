//! HTTP through the door: one request, its redirects, one answer, all before the deadline.

use super::{
    Credentials, Egress,
    body::{self, Collected},
    failure::{self, Phase},
    multipart,
    redirect::{self, Hop, Next},
};
use crate::metrics::figures;
use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use std::time::Instant;
use tokio::time::timeout_at;
use towpath_connectors::sdk::{Http, HttpBody, HttpRequest, HttpResponse, Redirects, outcome};
use towpath_engine::error::StepError;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// Who we are.
const USER_AGENT: &str = concat!("Towpath/", env!("CARGO_PKG_VERSION"));

/// What the connection is made of is ours; whoever builds a request can't set it.
const OURS: [HeaderName; 7] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

impl Http for Egress {
    fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>> {
        Box::pin(self.exchange(request, None))
    }
}

impl Egress {
    /// One request with its redirects. Credentials go along on the origin that was asked for and on no other; none of them are kept
    /// in what is followed or answered.
    pub(crate) async fn exchange(
        &self,
        request: HttpRequest,
        credentials: Option<&dyn Credentials>,
    ) -> Result<HttpResponse, StepError> {
        let begun = Begun { at: Instant::now(), deadline: request.deadline.into() };
        let mut hop = first(&request);
        let origin = hop.url.origin();
        let mut rewritten = false;
        for _ in 0..=MAX_REDIRECTS {
            let honest = |error| if rewritten { failure::after_rewriting(error) } else { error };
            let answer = match credentials.filter(|_| hop.url.origin() == origin) {
                Some(credentials) => {
                    let attached = credentials.for_url(&hop.url).await.map_err(honest)?;
                    let mut signed = hop.clone();
                    attached.put(&mut signed.headers, &mut signed.url);
                    self.one(&signed, &begun).await
                }
                None => self.one(&hop, &begun).await,
            };
            let answer = answer.map_err(honest)?;
            let next = match request.redirects {
                Redirects::Follow => redirect::next(&hop, answer.status(), answer.headers()),
                Redirects::Stop => Next::Stay,
            };
            match next {
                Next::Stay => {
                    let mut response = self.read(&hop, answer, request.max_response, rewritten, &begun).await?;
                    response.took = begun.at.elapsed();
                    return Ok(response);
                }
                Next::Go(to) => {
                    rewritten |= to.method != hop.method;
                    hop = *to;
                }
                Next::Astray(location) => {
                    let location: String = location.chars().filter(|c| !c.is_control()).take(200).collect();
                    let message = format!(
                        "{} redirects to \"{location}\", which is not an http:// or https:// address.",
                        failure::place(&hop.url)
                    );
                    return Err(StepError::invalid_input(message));
                }
            }
        }
        Err(StepError::invalid_input(format!(
            "{} redirected more than {MAX_REDIRECTS} times; the last address was {}.",
            failure::place(&request.url),
            towpath_connectors::sdk::mask::url(&hop.url)
        )))
    }

    /// Sends one request and waits for the head of its answer.
    async fn one(&self, hop: &Hop, begun: &Begun) -> Result<Response<Incoming>, StepError> {
        let place = failure::place(&hop.url);
        let mut request =
            Request::builder().method(hop.method.clone()).uri(hop.url.as_str()).body(Full::new(hop.body.clone())).map_err(
                |error| StepError::invalid_input(format!("The address of {place} can't be called: {error}.")).field("url"),
            )?;
        *request.headers_mut() = hop.headers.clone();
        let connection = capture_connection(&mut request);
        match timeout_at(begun.deadline, self.0.client.request(request)).await {
            Ok(answer) => {
                figures().call(answer.as_ref().ok().map(|answer| answer.status().as_u16()));
                answer.map_err(|error| failure::of_client(&error, &place))
            }
            Err(_) => {
                figures().call(None);
                let connected = connection.connection_metadata().is_some();
                let phase = if connected { Phase::Waiting } else { Phase::Connecting };
                Err(failure::of_time(phase, &place, begun.at.elapsed()))
            }
        }
    }

    async fn read(
        &self,
        hop: &Hop,
        answer: Response<Incoming>,
        limit: usize,
        rewritten: bool,
        begun: &Begun,
    ) -> Result<HttpResponse, StepError> {
        let place = failure::place(&hop.url);
        let (mut head, incoming) = answer.into_parts();
        let collected = Collected::default();
        let cut = match timeout_at(begun.deadline, body::read(incoming, &mut head.headers, limit, &collected)).await {
            Ok(Ok(())) => None,
            Ok(Err(unread)) => Some(failure::of_body(&unread, &place, limit)),
            Err(_) => Some(failure::of_time(Phase::Reading, &place, begun.at.elapsed())),
        };
        let response = HttpResponse {
            status: head.status,
            url: hop.url.clone(),
            headers: head.headers,
            body: collected.into_bytes(),
            took: begun.at.elapsed(),
            received: self.0.clock.now(),
            rewritten,
            cut: None,
        };
        match cut {
            // An error status says more than the cut that came after it.
            Some(cut) if outcome::of(&response).is_err() => Ok(HttpResponse { cut: Some(cut), ..response }),
            Some(cut) => Err(cut),
            None => Ok(response),
        }
    }
}

struct Begun {
    at: Instant,
    deadline: tokio::time::Instant,
}

/// The request as it leaves the first time.
fn first(request: &HttpRequest) -> Hop {
    let mut headers = request.headers.clone();
    for name in OURS {
        headers.remove(name);
    }
    let body = match &request.body {
        HttpBody::Empty => Bytes::new(),
        HttpBody::Bytes(bytes) => bytes.clone(),
        HttpBody::Multipart(parts) => {
            let (content_type, bytes) = multipart::encode(parts);
            set(&mut headers, header::CONTENT_TYPE, &content_type);
            bytes
        }
    };
    for (name, value) in [(header::USER_AGENT, USER_AGENT), (header::ACCEPT, "*/*"), (header::ACCEPT_ENCODING, "gzip, br")] {
        if !headers.contains_key(&name) {
            set(&mut headers, name, value);
        }
    }
    let mut url = request.url.clone();
    // Whoever made the request has put them into a header, or they don't go.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Hop { method: request.method.clone(), url, headers, body }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
