//! What can go wrong in a request. `code` is a closed set; status and title come from one exhaustive match, and a problem is
//! rendered at one place: as `application/problem+json` for programs, as a page for people.

use crate::auth::{Actor, visit::Visit};
use axum::{
    extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{borrow::Cow, sync::Arc};

/// Every way in which a request can be refused. Stable: programs branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    InvalidInput,
    NotSignedIn,
    Forbidden,
    NotFound,
    Conflict,
    /// The draft was edited elsewhere since; the answer holds what was missed.
    StaleRevision,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    Misdirected,
    TooManyRequests,
    RequestTimeout,
    Internal,
    Unavailable,
}

impl Code {
    pub const ALL: [Self; 14] = [
        Self::InvalidInput,
        Self::NotSignedIn,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::StaleRevision,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Misdirected,
        Self::TooManyRequests,
        Self::RequestTimeout,
        Self::Internal,
        Self::Unavailable,
    ];

    /// As programs read it, and as the help page's address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid-input",
            Self::NotSignedIn => "not-signed-in",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::StaleRevision => "stale-revision",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::Misdirected => "misdirected",
            Self::TooManyRequests => "too-many-requests",
            Self::RequestTimeout => "request-timeout",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidInput => StatusCode::BAD_REQUEST,
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict | Self::StaleRevision => StatusCode::CONFLICT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidInput => "Something in the input is not right",
            Self::NotSignedIn => "Please sign in",
            Self::Forbidden => "You may not do this",
            Self::NotFound => "There is nothing here",
            Self::Conflict => "This clashes with what is there",
            Self::StaleRevision => "This was edited elsewhere",
            Self::MethodNotAllowed => "This address does not take that method",
            Self::TooLarge => "This is too large",
            Self::UnsupportedMediaType => "This kind of content is not understood here",
            Self::Misdirected => "This server does not answer under that name",
            Self::TooManyRequests => "Too many requests",
            Self::RequestTimeout => "The request took too long to arrive",
            Self::Internal => "Something broke on our side",
            Self::Unavailable => "Not available at the moment",
        }
    }
}

/// One field's mistake.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct FieldProblem {
    pub field: String,
    pub message: String,
}

/// A refused request: what happened, why if known, and what to do next.
#[derive(Debug)]
pub struct Problem {
    pub code: Code,
    pub detail: Cow<'static, str>,
    pub fields: Vec<FieldProblem>,
    /// Seconds after which a repeat makes sense.
    pub retry_after: Option<u32>,
    /// For the log only.
    pub source: Option<anyhow::Error>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new(), retry_after: None, source: None }
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "It may have been deleted, or the address is mistyped.")
    }

    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut problem = Self::new(Code::InvalidInput, message.clone());
        problem.fields.push(FieldProblem { field: field.into(), message });
        problem
    }

    /// What is well said, and clashes with what is there, at a field.
    pub fn clash(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: Code::Conflict, ..Self::invalid(field, message) }
    }

    /// What nobody foresaw. People read that it was logged; the log has the source.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::new(
            Code::Internal,
            "It was written to the log, with the request's number. Try again; if it stays, tell whoever runs this server.",
        )
        .source(source)
    }

    #[must_use]
    pub fn source(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The body for programs (RFC 9457), with the number under which the log has it.
    fn to_json(&self, request: Option<uuid::Uuid>) -> serde_json::Value {
        let mut body = serde_json::json!({
            "type": format!("/help/errors/{}", self.code.name()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code,
            "detail": self.detail,
            "fields": self.fields,
        });
        if let Some(request) = request {
            body["request"] = request.to_string().into();
        }
        body
    }
}

impl IntoResponse for Problem {
    /// Carries the problem to [`render`], which every response passes; the body here is for what doesn't.
    fn into_response(self) -> Response {
        let mut response = json_response(&self, None);
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Renders the problem that a response carries, for the one who asked; logs its source, once.
pub fn render(mut response: Response, visit: &Visit, json: bool) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else { return response };
    if let Some(source) = &problem.source {
        tracing::error!(code = problem.code.name(), request = %visit.request, error = ?source, "a request failed");
    }
    let actor = response.extensions_mut().remove::<Actor>();
    let mut rendered = if json {
        json_response(&problem, Some(visit))
    } else {
        crate::pages::help::problem::show(&problem, visit, actor.as_ref())
    };
    // What the handler added (cookies, Retry-After) stays; what describes the replaced body does not.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH && !rendered.headers().contains_key(name) {
            rendered.headers_mut().append(name.clone(), value.clone());
        }
    }
    rendered
}

fn json_response(problem: &Problem, visit: Option<&Visit>) -> Response {
    let body = problem.to_json(visit.map(|visit| visit.request)).to_string();
    let mut response = (problem.code.status(), [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    if problem.code == Code::NotSignedIn {
        // What a program is to send. Browsers ask nobody for a bearer.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Towpath\""));
    }
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Does the caller of this path want JSON? Programs' paths always; pages when a script asks for it.
pub fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or("*/*");
    path.starts_with("/api/") || path.starts_with("/hooks/") || (!accept.contains("text/html") && !accept.contains("*/*"))
}

impl From<crate::store::Error> for Problem {
    fn from(error: crate::store::Error) -> Self {
        match error {
            crate::store::Error::NotFound => Self::not_found(),
            crate::store::Error::Conflict(name) => Self::new(Code::Conflict, format!("There is one already ({name}).")),
            crate::store::Error::Unavailable(source) => Self {
                retry_after: Some(2),
                ..Self::new(Code::Unavailable, "The database does not answer at the moment. Try again.").source(source)
            },
            crate::store::Error::Query(source) => Self::internal(source),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        crate::store::Error::from(error).into()
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

impl From<PathRejection> for Problem {
    /// An address that can't be one of ours (an id that is no id) leads nowhere.
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Code::InvalidInput, "The part of the address after the question mark is not understood.").source(rejection)
    }
}

impl From<FormRejection> for Problem {
    fn from(rejection: FormRejection) -> Self {
        of_body(rejection.status(), rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        of_body(rejection.status(), rejection.body_text())
    }
}

fn of_body(status: StatusCode, text: String) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "The body is larger than this address takes."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(Code::UnsupportedMediaType, text),
        _ => Problem::new(Code::InvalidInput, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_programs_read() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }

    #[test]
    fn programs_get_json_and_people_get_pages() {
        let with = |accept: &str| HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        assert!(wants_json("/api/v1/workflows", &with("text/html")));
        assert!(wants_json("/workflows", &with("application/json")));
        assert!(!wants_json("/workflows", &with("text/html,application/xhtml+xml,*/*;q=0.8")));
        assert!(!wants_json("/workflows", &HeaderMap::new()));
    }
}
