//! What can go wrong in a request. `code` is a closed set; status and title come from one exhaustive match, and a problem is
//! rendered at one place: as `application/problem+json` for programs, as a page for people.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::borrow::Cow;

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
            Self::Forbidden => "Your role does not allow this",
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
#[derive(Clone, Debug, Serialize)]
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

    #[must_use]
    pub fn source(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Some(source) = &self.source {
            tracing::error!(code = ?self.code, error = ?source, "request failed");
        }
        let body = serde_json::json!({
            "type": format!("/help/errors/{}", serde_json::to_value(self.code).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code,
            "detail": self.detail,
            "fields": self.fields,
        });
        let mut response = (self.code.status(), [("content-type", "application/problem+json")], body.to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }
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
            crate::store::Error::Query(source) => Self::new(Code::Internal, "The error was written to the log.").source(source),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        crate::store::Error::from(error).into()
    }
}
