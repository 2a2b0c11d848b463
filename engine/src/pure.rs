//! The steps that the engine does itself: set, filter, branch, delay, stop and respond. Their results follow from the context
//! alone; nothing here waits, sends or reads a clock.

use crate::{
    Json,
    condition::Compiled,
    error::StepError,
    expr::{Context, ExprError, Template, moment, number, print, value::show},
    record::{Answer, AnswerBody, EndState},
    workflow::{Span, Step},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::time::Duration;

/// A step of the engine's own, compiled.
#[derive(Debug)]
pub enum PureStep {
    /// The template of the fields.
    Set(Template),
    Filter(Compiled),
    /// The cases in order: title and condition.
    Branch(Vec<(String, Compiled)>),
    Delay(Delay),
    Stop {
        outcome: Template,
        reason: Option<Template>,
    },
    Respond(Respond),
}

/// How long to wait, or until when.
#[derive(Debug)]
pub enum Delay {
    For(Template),
    Until(Template),
}

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

/// What a step of the engine's own came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// set: its fields; filter: `{ "passed": bool }`; branch: `{ "case": index or null, "title": … }`.
    Done { output: Json },
    /// respond: give this answer, then go on; the output is `{ "status": … }`.
    Answered { answer: Answer, output: Json },
    /// delay: go on at this time; the output is `{ "until": … }`. The time may be past already.
    Wait { until: DateTime<Utc>, output: Json },
    /// stop: the run ends in this state.
    Stop { state: EndState, reason: Option<String> },
}

impl Outcome {
    /// The step's output. A stop step's is `{ "outcome": "succeeded" or "failed", "reason": text or null }`; the state reads it.
    pub fn output(&self) -> Json {
        match self {
            Self::Done { output } | Self::Answered { output, .. } | Self::Wait { output, .. } => output.clone(),
            Self::Stop { state, reason } => {
                json!({ "outcome": if *state == EndState::Failed { "failed" } else { "succeeded" }, "reason": reason })
            }
        }
    }
}

/// The longest delay: a year. What waits longer is forgotten by people before it is done.
pub const MAX_DELAY: Duration = Duration::from_secs(366 * 86_400);
/// Headers that an answer may not set: they would act on Towpath's own pages at the same address, or on the connection.
const REFUSED_HEADERS: [&str; 12] = [
    "set-cookie",
    "set-cookie2",
    "content-security-policy",
    "content-security-policy-report-only",
    "strict-transport-security",
    "clear-site-data",
    "service-worker-allowed",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "trailer",
];

impl PureStep {
    /// Compiles a step. None: the step isn't one of the engine's own. Errors name their field.
    pub fn compile(step: &Step) -> Result<Option<Self>, ExprError> {
        let field = |name: &str| -> Result<Option<Template>, ExprError> {
            step.input.get(name).map(|value| Template::compile(value).map_err(|error| error.within(name))).transpose()
        };
        let needed = |name: &str, what: &str| -> Result<Template, ExprError> {
            field(name)?.ok_or_else(|| ExprError::new(format!("{what} is missing.")).within(name))
        };
        let choice = |name: &str, default: &str| {
            step.input.get(name).filter(|value| !value.is_null()).map_or(default.to_owned(), print::text)
        };
        Ok(Some(match step.operation.as_str() {
            "set" => Self::Set(needed("fields", "The list of fields")?),
            "filter" => match &step.condition {
                Some(condition) => Self::Filter(Compiled::compile(condition).map_err(|error| error.within("if"))?),
                None => return Err(ExprError::new("The filter has no condition.").within("if")),
            },
            "branch" => {
                let compile = |(index, case): (usize, &crate::workflow::Case)| {
                    let condition =
                        Compiled::compile(&case.condition).map_err(|error| error.within(&format!("cases[{index}].if")));
                    condition.map(|condition| (case.title.clone(), condition))
                };
                Self::Branch(step.cases.iter().enumerate().map(compile).collect::<Result<_, _>>()?)
            }
            "delay" => {
                let default = if step.input.contains_key("until") && !step.input.contains_key("for") { "until" } else { "for" };
                match choice("mode", default).as_str() {
                    "for" => Self::Delay(Delay::For(needed("for", "How long to wait")?)),
                    "until" => Self::Delay(Delay::Until(needed("until", "The time to wait for")?)),
                    other => return Err(not_a_choice("mode", other, "for or until")),
                }
            }
            "stop" => Self::Stop {
                outcome: field("outcome")?.map_or_else(|| Template::compile(&json!("succeeded")), Ok)?,
                reason: field("reason")?,
            },
            "respond" => {
                let kind = match choice("kind", "json").as_str() {
                    "json" => AnswerKind::Json,
                    "text" => AnswerKind::Text,
                    "html" => AnswerKind::Html,
                    "empty" => AnswerKind::Empty,
                    other => return Err(not_a_choice("kind", other, "json, text, html or empty")),
                };
                let content = match kind {
                    AnswerKind::Json => field("json")?,
                    AnswerKind::Text => field("text")?,
                    AnswerKind::Html => field("html")?,
                    AnswerKind::Empty => None,
                };
                Self::Respond(Respond { status: field("status")?, headers: field("headers")?, kind, content })
            }
            _ => return Ok(None),
        }))
    }

    /// What the step comes to. `context` stands at this step ([`Context::at`]).
    pub fn evaluate(&self, context: &Context) -> Result<Outcome, StepError> {
        match self {
            Self::Set(fields) => match fields.resolve(context).map_err(|error| error.within("fields"))? {
                Some(output @ Json::Object(_)) => Ok(Outcome::Done { output }),
                other => Err(refuse("fields", format!("Set needs names and values, not {}.", shown(other.as_ref())))),
            },
            Self::Filter(condition) => {
                let passed = condition.holds(context).map_err(|error| error.within("if"))?;
                Ok(Outcome::Done { output: json!({ "passed": passed }) })
            }
            Self::Branch(cases) => {
                for (index, (title, condition)) in cases.iter().enumerate() {
                    if condition.holds(context).map_err(|error| error.within(&format!("cases[{index}].if")))? {
                        return Ok(Outcome::Done { output: json!({ "case": index, "title": title }) });
                    }
                }
                Ok(Outcome::Done { output: json!({ "case": null, "title": "otherwise" }) })
            }
            Self::Delay(delay) => {
                let until = delay.until(context)?;
                Ok(Outcome::Wait { until, output: json!({ "until": moment::write(until) }) })
            }
            Self::Stop { outcome, reason } => stop(outcome, reason.as_ref(), context),
            Self::Respond(respond) => {
                let answer = respond.answer(context)?;
                let output = json!({ "status": answer.status });
                Ok(Outcome::Answered { answer, output })
            }
        }
    }

    /// The paths that the step's values and conditions use, each once.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut add = |more: Vec<String>| {
            more.into_iter().for_each(|path| {
                if !paths.contains(&path) {
                    paths.push(path)
                }
            })
        };
        match self {
            Self::Set(template) | Self::Delay(Delay::For(template) | Delay::Until(template)) => add(template.paths()),
            Self::Filter(condition) => add(condition.paths()),
            Self::Branch(cases) => cases.iter().for_each(|(_, condition)| add(condition.paths())),
            Self::Stop { outcome, reason } => [Some(outcome), reason.as_ref()].into_iter().flatten().for_each(|t| add(t.paths())),
            Self::Respond(respond) => {
                let parts = [&respond.status, &respond.headers, &respond.content];
                parts.into_iter().flatten().for_each(|template| add(template.paths()));
            }
        }
        paths
    }
}

impl Delay {
    fn until(&self, context: &Context) -> Result<DateTime<Utc>, StepError> {
        match self {
            Self::For(template) => {
                let value = template.resolve(context).map_err(|error| error.within("for"))?;
                let span: Span = match &value {
                    Some(Json::String(text)) => text.parse().map_err(|message: String| refuse("for", message))?,
                    other => {
                        let message =
                            format!("A length of time such as 30s, 5m, 2h or 3d is needed, not {}.", shown(other.as_ref()));
                        return Err(refuse("for", message));
                    }
                };
                let delta = Some(span.0).filter(|span| *span <= MAX_DELAY).and_then(|span| TimeDelta::from_std(span).ok());
                delta
                    .and_then(|delta| moment::shift(context.now(), delta))
                    .ok_or_else(|| refuse("for", format!("{span} is too long; a delay lasts at most a year.")))
            }
            Self::Until(template) => {
                let value = template.resolve(context).map_err(|error| error.within("until"))?;
                let until = value.as_ref().and_then(moment::read).map(|moment| moment.to_utc()).ok_or_else(|| {
                    refuse("until", format!("A date and time {} is needed, not {}.", moment::FORMS, shown(value.as_ref())))
                })?;
                let far = TimeDelta::from_std(MAX_DELAY).ok().and_then(|most| moment::shift(context.now(), most));
                if far.is_some_and(|far| until > far) {
                    return Err(refuse(
                        "until",
                        format!("{} is more than a year away; a delay lasts at most a year.", moment::write(until)),
                    ));
                }
                Ok(until)
            }
        }
    }
}

fn stop(outcome: &Template, reason: Option<&Template>, context: &Context) -> Result<Outcome, StepError> {
    let value = outcome.resolve(context).map_err(|error| error.within("outcome"))?;
    let state = match value.as_ref().and_then(Json::as_str) {
        Some("succeeded") => EndState::Succeeded,
        Some("failed") => EndState::Failed,
        _ if value.is_none() || value == Some(Json::Null) => EndState::Succeeded,
        _ => return Err(refuse("outcome", format!("The outcome is succeeded or failed, not {}.", shown(value.as_ref())))),
    };
    let reason = match reason {
        Some(reason) => reason.resolve(context).map_err(|error| error.within("reason"))?,
        None => None,
    };
    let reason = reason.map(|reason| print::text(&reason)).filter(|reason| !reason.trim().is_empty());
    Ok(Outcome::Stop { state, reason })
}

impl Respond {
    fn answer(&self, context: &Context) -> Result<Answer, StepError> {
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
            if REFUSED_HEADERS.iter().any(|refused| refused.eq_ignore_ascii_case(&name)) {
                return Err(refuse(
                    &place,
                    format!("An answer can't set the header {name}: it would reach beyond this workflow."),
                ));
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

fn refuse(field: &str, message: String) -> StepError {
    StepError::invalid_input(message).field(field)
}

fn not_a_choice(field: &str, written: &str, choices: &str) -> ExprError {
    ExprError::new(format!("\"{written}\" is not a choice here; it is {choices}.")).within(field)
}

fn shown(value: Option<&Json>) -> String {
    value.map_or_else(|| "a value that is missing".to_owned(), show)
}
