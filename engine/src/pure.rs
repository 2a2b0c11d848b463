//! The steps that the engine does itself: set, filter, branch, delay, stop and respond, and those that work on data. Their results follow from the context
//! alone; nothing here waits, sends or reads a clock.

mod data;
mod format;
mod formats;
mod list;
mod look_up;
mod respond;
mod schema;
#[cfg(test)]
mod tests;

pub use data::DataStep;
pub use list::MAX_ITEMS;
pub use respond::{Respond, is_refused_header};

use crate::{
    Json,
    condition::Compiled,
    error::StepError,
    expr::{Context, ExprError, Template, moment, print, value::show},
    record::{Answer, EndState},
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
    /// A step that works on data.
    Data(Box<dyn DataStep>),
}

/// How long to wait, or until when.
#[derive(Debug)]
pub enum Delay {
    For(Template),
    Until(Template),
}

/// What a step of the engine's own came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// set: its fields; data steps: their result; filter: `{ "passed": bool }`; branch: `{ "case": index or null, "title": … }`.
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
impl PureStep {
    /// Compiles a step. None: the step isn't one of the engine's own. Errors name their field.
    pub fn compile(step: &Step) -> Result<Option<Self>, ExprError> {
        let field = |name: &str| field(step, name);
        let needed = |name: &str, what: &str| -> Result<Template, ExprError> {
            field(name)?.ok_or_else(|| ExprError::new(format!("{what} is missing.")).within(name))
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
                match choice(step, "mode", default).as_str() {
                    "for" => Self::Delay(Delay::For(needed("for", "How long to wait")?)),
                    "until" => Self::Delay(Delay::Until(needed("until", "The time to wait for")?)),
                    other => return Err(not_a_choice("mode", other, "for or until")),
                }
            }
            "stop" => Self::Stop {
                outcome: field("outcome")?.map_or_else(|| Template::compile(&json!("succeeded")), Ok)?,
                reason: field("reason")?,
            },
            "respond" => Self::Respond(Respond::compile(step)?),
            _ => return Ok(data::compile(step)?.map(Self::Data)),
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
            Self::Data(step) => Ok(Outcome::Done { output: data::evaluate(&**step, context)? }),
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
            Self::Respond(respond) => respond.templates().for_each(|template| add(template.paths())),
            Self::Data(step) => add(data::paths(&**step)),
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

/// An input of a step, compiled.
fn field(step: &Step, name: &str) -> Result<Option<Template>, ExprError> {
    step.input.get(name).map(|value| Template::compile(value).map_err(|error| error.within(name))).transpose()
}

/// An input of a step that is chosen from a list and holds no expression.
fn choice(step: &Step, name: &str, default: &str) -> String {
    step.input.get(name).filter(|value| !value.is_null()).map_or(default.to_owned(), print::text)
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
