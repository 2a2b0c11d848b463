//! The answer of a Respond step to the caller of a synchronous trigger: status, headers and body, and what they may not be.

use super::{choice, field, not_a_choice, refuse};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template, number, print, value::show},
    record::{Answer, AnswerBody},
    workflow::Step,
};

/// The answer to the caller of a synchronous trigger.
#[derive(Debug)]
pub struct Respond {
    status: Option<Template>,
    headers: Option<Template>,
    kind: AnswerKind,
    content: Option<Template>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerKind {
    Json,
    Text,
    Html,
    Empty,
}

/// Headers that an answer may not set.
const REFUSED_HEADERS: [&str; 20] = [
    "set-cookie",
    "set-cookie2",
    "content-security-policy",
    "content-security-policy-report-only",
    "strict-transport-security",
    "clear-site-data",
    "service-worker-allowed",
    "x-content-type-options",
    "public-key-pins",
    "alt-svc",
    "nel",
    "report-to",
    "reporting-endpoints",
    "origin-agent-cluster",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "trailer",
    "upgrade",
];

/// May an answer not set this header? It would act on Towpath's own pages at the same address, or on the connection; and which pages
/// elsewhere may read an answer is a setting of the trigger.
pub fn is_refused_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    REFUSED_HEADERS.contains(&name.as_str()) || name.starts_with("access-control-") || name.starts_with("cross-origin-")
}

impl Respond {
    pub(super) fn compile(step: &Step) -> Result<Self, ExprError> {
        let (kind, content) = match choice(step, "kind", "json").as_str() {
            "json" => (AnswerKind::Json, field(step, "json")?),
            "text" => (AnswerKind::Text, field(step, "text")?),
            "html" => (AnswerKind::Html, field(step, "html")?),
            "empty" => (AnswerKind::Empty, None),
            other => return Err(not_a_choice("kind", other, "json, text, html or empty")),
        };
        Ok(Self { status: field(step, "status")?, headers: field(step, "headers")?, kind, content })
    }

    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        [&self.status, &self.headers, &self.content].into_iter().flatten()
    }

    /// The answer that the caller gets.
    pub(super) fn answer(&self, context: &Context) -> Result<Answer, StepError> {
        let status = self.status(context)?;
        let headers = self.headers(context)?;
        let content = match &self.content {
            Some(content) => content.resolve(context).map_err(|error| error.within(self.kind.field()))?,
            None => None,
        };
        let text = |content: Option<Json>| content.map(|content| print::text(&content)).unwrap_or_default();
        let body = match (self.kind, content) {
            (AnswerKind::Empty, _) => AnswerBody::Empty,
            (AnswerKind::Json, content) => AnswerBody::Json(content.unwrap_or(Json::Null)),
            (AnswerKind::Text, content) => AnswerBody::Text(text(content)),
            (AnswerKind::Html, content) => AnswerBody::Html(text(content)),
        };
        // HTTP has no room for a body in these.
        let body = match (status, body) {
            (204 | 205 | 304, AnswerBody::Json(Json::Null)) => AnswerBody::Empty,
            (204 | 205 | 304, AnswerBody::Text(text) | AnswerBody::Html(text)) if text.is_empty() => AnswerBody::Empty,
            (204 | 205 | 304, body) if body != AnswerBody::Empty => {
                return Err(refuse(
                    self.kind.field(),
                    format!("An answer with status {status} can't have a body; choose “empty”."),
                ));
            }
            (_, body) => body,
        };
        Ok(Answer { status, headers, body })
    }

    fn status(&self, context: &Context) -> Result<u16, StepError> {
        let value = match &self.status {
            Some(status) => status.resolve(context).map_err(|error| error.within("status"))?,
            None => None,
        };
        let Some(value) = value.filter(|value| value != &Json::Null && value != "") else { return Ok(200) };
        let read = number::Num::read(&value).map(|number| match number {
            number::Num::Float(float) => number::whole(float),
            int => int,
        });
        match read {
            Some(number::Num::Int(status @ 200..=599)) => Ok(u16::try_from(status).unwrap_or(200)),
            _ => Err(refuse("status", format!("The status must be a whole number from 200 to 599, not {}.", show(&value)))),
        }
    }

    fn headers(&self, context: &Context) -> Result<Vec<(String, String)>, StepError> {
        let value = match &self.headers {
            Some(headers) => headers.resolve(context).map_err(|error| error.within("headers"))?,
            None => None,
        };
        let fields = match value {
            None | Some(Json::Null) => return Ok(Vec::new()),
            Some(Json::Object(fields)) => fields,
            Some(other) => return Err(refuse("headers", format!("Headers are names and values, not {}.", show(&other)))),
        };
        let mut headers = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let place = format!("headers.{name}");
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
                return Err(refuse(&place, format!("\"{name}\" is not a header's name: letters, digits and hyphens only.")));
            }
            if is_refused_header(&name) {
                let why = if name.to_ascii_lowercase().starts_with("access-control-") {
                    "the trigger's setting for pages of other sites does that"
                } else {
                    "it would reach beyond this workflow"
                };
                return Err(refuse(&place, format!("An answer can't set the header {name}: {why}.")));
            }
            // A list sends the header once for each item.
            let values = match value {
                Json::Array(values) => values,
                value => vec![value],
            };
            for value in values {
                let text = print::text(&value).trim().to_owned();
                if text.chars().any(|c| c != '\t' && c.is_control()) {
                    return Err(refuse(
                        &place,
                        format!("The value of the header {name} holds a line end or another control character."),
                    ));
                }
                headers.push((name.clone(), text));
            }
        }
        Ok(headers)
    }
}

impl AnswerKind {
    /// The field that holds the content.
    fn field(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Html => "html",
            Self::Empty => "kind",
        }
    }
}
