//! One request sent and judged: limits waited for, the door used, request and answer shown on the run page. Every operation of a
//! manifest talks to its service through here and nowhere else.

use super::{
    answer,
    compile::{Plan, Service},
    request::Ready,
};
use crate::sdk::{Call, HttpBody, HttpRequest, HttpResponse, Redirects, show};
use serde_json::json;
use towpath_engine::{Json, Object, error::StepError, expr::Context};
use uuid::Uuid;

/// The largest answer that is read, unpacked.
const MAX_RESPONSE: usize = 5 * 1024 * 1024;

/// What expressions of a request see. `now` stands still: a manifest's requests don't depend on the time of day.
pub fn context(input: Object, call: &Call<'_>) -> Context {
    let mut roots = Object::new();
    roots.insert("connection".into(), call.connection.map_or(json!({}), |connection| Json::Object(connection.fields.clone())));
    roots.insert("run".into(), json!({ "key": call.key }));
    bare(input, call.key, roots)
}

/// The same without a call, for previews: no connection, and a key that says what it is.
pub fn preview_context(input: Object) -> Context {
    let mut roots = Object::new();
    roots.insert("connection".into(), json!({}));
    roots.insert("run".into(), json!({ "key": "(one per run, the same for every try)" }));
    bare(input, Uuid::nil(), roots)
}

fn bare(input: Object, seed: Uuid, mut roots: Object) -> Context {
    roots.insert("input".into(), Json::Object(input));
    roots.insert("page".into(), json!({}));
    Context::named(roots, seed, chrono::DateTime::UNIX_EPOCH)
}

/// Sends one request. The answer stands in `context` as `response` afterwards; whether it is a success is for [`judged`] to say.
pub async fn send(
    service: &Service,
    operation: &str,
    ready: &Ready,
    context: &mut Context,
    call: &Call<'_>,
) -> Result<HttpResponse, StepError> {
    let connection = call.connection.map(|connection| connection.id);
    service.limits.wait(&service.name, operation, connection, context, call.deadline).await?;
    call.trace.request(ready.show());
    let request = HttpRequest {
        method: ready.method.clone(),
        url: ready.url.clone(),
        headers: ready.headers.clone(),
        body: if ready.body.is_empty() { HttpBody::Empty } else { HttpBody::Bytes(ready.body.clone()) },
        authenticate: true,
        redirects: Redirects::Follow,
        deadline: call.deadline,
        max_response: MAX_RESPONSE,
    };
    let response = call.doors.http.send(request).await?;
    call.trace.response(show::answer(&response));
    context.set_named("response", answer::value(&response));
    // What `now` means when an answer is judged: waits are counted from it.
    context.set_now(response.received);
    Ok(response)
}

/// Builds, sends and judges; an answer that is cut short is a failure, too.
pub async fn judged(
    service: &Service,
    operation: &str,
    plan: &Plan,
    context: &mut Context,
    call: &Call<'_>,
) -> Result<HttpResponse, StepError> {
    let ready = Ready::build(service, plan, context)?;
    send_and_judge(service, operation, &ready, context, call).await
}

/// [`judged`] for a request that is there already.
pub async fn send_and_judge(
    service: &Service,
    operation: &str,
    ready: &Ready,
    context: &mut Context,
    call: &Call<'_>,
) -> Result<HttpResponse, StepError> {
    let mut response = send(service, operation, ready, context, call).await?;
    answer::judge(service, &response, context)?;
    match response.cut.take() {
        Some(cut) => Err(cut),
        None => Ok(response),
    }
}
