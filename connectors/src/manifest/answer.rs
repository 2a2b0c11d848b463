//! What an answer means: its value for expressions, and whether it is a success or which failure. Pure.

use super::compile::{Failure, Service};
use crate::sdk::{HttpResponse, outcome, value};
use http::HeaderMap;
use serde_json::json;
use std::time::Duration;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    expr::{Context, Template},
    json::{STORED_DEPTH, check_depth, read},
};

/// `response`: `{ status, headers, body }`. JSON is taken apart, other text stays text, and what is no text is null.
pub fn value(response: &HttpResponse) -> Json {
    json!({ "status": response.status.as_u16(), "headers": headers(&response.headers), "body": body(&response.body) })
}

/// A body for expressions. Services that send JSON don't always say so.
pub fn body(bytes: &[u8]) -> Json {
    match read(bytes) {
        Ok(read) if check_depth(&read.value, STORED_DEPTH - 10).is_ok() => read.value,
        _ => std::str::from_utf8(bytes).map_or(Json::Null, |text| if text.is_empty() { Json::Null } else { text.into() }),
    }
}

/// Names in small letters; several headers of one name with commas between them.
pub fn headers(headers: &HeaderMap) -> Object {
    let mut object = Object::new();
    for name in headers.keys() {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        object.insert(name.as_str().into(), values.join(", ").into());
    }
    object
}

/// Does the predicate hold? One that reads what isn't there, or compares what can't be compared, doesn't.
pub fn holds(test: &Template, context: &Context) -> bool {
    match test.resolve(context) {
        Ok(Some(Json::Bool(holds))) => holds,
        Ok(Some(Json::Null) | None) | Err(_) => false,
        Ok(Some(Json::String(text))) => !text.is_empty(),
        Ok(Some(Json::Number(number))) => number.as_f64() != Some(0.0),
        Ok(Some(Json::Array(items))) => !items.is_empty(),
        Ok(Some(Json::Object(fields))) => !fields.is_empty(),
    }
}

/// Is it a success? `context` holds the answer's value as `response`.
pub fn judge(service: &Service, response: &HttpResponse, context: &Context) -> Result<(), StepError> {
    let success = match &service.success {
        Some(success) => holds(success, context),
        None => response.status.as_u16() < 400,
    };
    if success {
        return Ok(());
    }
    let found = service.errors.iter().find(|failure| failure.test.as_ref().is_none_or(|test| holds(test, context)));
    Err(match found {
        Some(failure) => told(service, failure, response, context),
        None => plain(service, response),
    })
}

/// A failure that the manifest knows.
fn told(service: &Service, failure: &Failure, response: &HttpResponse, context: &Context) -> StepError {
    let words = |text: &Option<Template>| text.as_ref()?.resolve(context).ok()?.as_ref().map(value::text);
    let table = plain(service, response);
    let mut error = StepError::new(failure.kind, words(&failure.say).unwrap_or(table.message));
    error.hint = words(&failure.hint).or_else(|| if failure.kind == table.kind { table.hint } else { hint(failure.kind) });
    if matches!(failure.kind, ErrorKind::RateLimited | ErrorKind::Unavailable) {
        // After a redirect that turned a POST into a GET, the POST itself was taken.
        if response.rewritten {
            error.kind = ErrorKind::Uncertain;
            return error;
        }
        let named = failure.wait.as_ref().and_then(|wait| wait.resolve(context).ok()?).and_then(|wait| wait.as_f64());
        let named = named.filter(|seconds| seconds.is_finite()).map(|seconds| {
            Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(outcome::LONGEST_WAIT).min(outcome::LONGEST_WAIT)
        });
        error.retry_after = outcome::retry_after(&response.headers, response.received).or(named);
    }
    error
}

/// A failure by its HTTP status, or of a service that says success and means failure.
fn plain(service: &Service, response: &HttpResponse) -> StepError {
    match outcome::of(response) {
        Err(mut error) => {
            if matches!(error.kind, ErrorKind::Unauthorized) {
                error.hint = hint(error.kind);
            }
            error
        }
        Ok(()) => {
            let quote = outcome::excerpt(&response.headers, &response.body).map(|text| format!(": “{text}”")).unwrap_or_default();
            StepError::invalid_input(format!("{} refused the request{quote}", service.name))
        }
    }
}

fn hint(kind: ErrorKind) -> Option<String> {
    match kind {
        ErrorKind::Unauthorized => Some("Open the connection and enter a new token or password.".into()),
        ErrorKind::Forbidden => Some("The sign-in works but may not do this. Give it the right at the service.".into()),
        _ => None,
    }
}
