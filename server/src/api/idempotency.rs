//! Writes that may be repeated: one with the header `Idempotency-Key` is carried out once, and repeats within a day get the first
//! answer. The key belongs to the token or the person that sent it.

use crate::{
    app::App,
    auth::{Actor, csrf},
    problem::{Code, Problem},
    store::idempotent_writes::{self as table, Before},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

static HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// The largest answer that is kept, and the largest that a write gives at all.
const LARGEST: usize = 1 << 20;
const EVER: usize = 256 << 20;

/// In the extensions of an answer that holds what is shown only once: it is not kept.
#[derive(Clone, Copy, Debug)]
pub struct ShownOnce;

/// The key of a request that asks to be carried out once.
///
/// # Errors
/// `InvalidInput` when the key is not 1 to 200 printable characters of ASCII.
pub fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    if !csrf::changes_state(request.method()) || !request.uri().path().starts_with("/api/v1/") {
        return Ok(None);
    }
    let Some(value) = request.headers().get(&HEADER) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        Ok(Some(key.to_owned()))
    } else {
        Err(Problem::invalid("Idempotency-Key", "Send 1 to 200 printable characters, for example a UUID."))
    }
}

/// Carries a request out, unless it was carried out before.
pub async fn once<F: Future<Output = Response>>(
    app: &App,
    actor: &Actor,
    key: String,
    request: Request,
    handle: impl FnOnce(Request) -> F,
) -> Response {
    match attempt(app, actor, &key, request, handle).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn attempt<F: Future<Output = Response>>(
    app: &App,
    actor: &Actor,
    key: &str,
    request: Request,
    handle: impl FnOnce(Request) -> F,
) -> Result<Response, Problem> {
    let owner = actor.token.as_ref().map_or(actor.person.0, |token| token.id);
    let (parts, body) = request.into_parts();
    let most = usize::try_from(app.config.limits.max_body).unwrap_or(usize::MAX);
    let bytes = to_bytes(body, most)
        .await
        .map_err(|_| Problem::new(Code::InvalidInput, "The body did not arrive whole. Send it again."))?;
    let hash = hash(&parts.method, parts.uri.path(), actor, &bytes);
    let now = app.clock.now();
    table::sweep(&app.pool, now - KEPT).await?;
    match table::begin(&app.pool, owner, key, &hash, now).await? {
        Before::Nothing => {}
        Before::Answered(before) if before.request_hash == hash => return Ok(replay(before)),
        Before::UnderWay(earlier) if earlier == hash => {
            let detail = "A request with this Idempotency-Key is under way, or its server stopped in the middle. Look at what is \
                          there; if nothing was made, send it again with a new key.";
            return Err(Problem { retry_after: Some(2), ..Problem::new(Code::Conflict, detail) });
        }
        Before::Answered(_) | Before::UnderWay(_) => {
            return Err(Problem::new(
                Code::Conflict,
                "This Idempotency-Key was used for another request. Use a new key for each thing that you want done once.",
            ));
        }
    }
    let response = handle(Request::from_parts(parts, Body::from(bytes))).await;
    // What may go better the next time must not be remembered.
    if response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS {
        table::forget(&app.pool, owner, key).await?;
        return Ok(response);
    }
    keep(app, owner, key, response).await
}

/// A problem is rendered later, with a number of its own; its body here is complete.
async fn keep(app: &App, owner: uuid::Uuid, key: &str, response: Response) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, EVER).await.map_err(Problem::internal)?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let may_be_kept = parts.extensions.get::<ShownOnce>().is_none() && bytes.len() <= LARGEST;
    let kept = may_be_kept.then_some(&*bytes);
    let status = i16::try_from(parts.status.as_u16()).unwrap_or(200);
    table::answer(&app.pool, owner, key, status, kind, kept).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(before: table::Answered) -> Response {
    let Some(body) = before.body else {
        let detail =
            "This was carried out before. Its answer was not kept: it held something that is shown only once, or was very large.";
        return Problem::new(Code::Conflict, detail).into_response();
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        u16::try_from(before.status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    if let Some(kind) = before.content_type.and_then(|kind| HeaderValue::from_str(&kind).ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    response
}

fn hash(method: &Method, path: &str, actor: &Actor, body: &Bytes) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), path.as_bytes(), actor.workspace.0.as_bytes(), body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
