//! The steps that open lines of their own: for-each, parallel and repeat. What a line is for, how many there are and what each gives
//! follows from the context alone; when lines go on, and what their ends mean, is the planner's.

use crate::{
    Json,
    condition::Compiled,
    error::StepError,
    expr::{Context, ExprError, Template, value::show},
    record::LinesKind,
    workflow::Step,
};
use serde_json::json;
use std::sync::Arc;

/// The most items that a for-each takes.
pub const MAX_ITEMS: u32 = 100_000;
/// The most rounds of a for-each that may go on at once.
pub const MAX_AT_ONCE: u32 = 50;
/// The most rounds that a repeat may be allowed.
pub const MAX_ROUNDS: u32 = 1_000;
/// The most rounds of a repeat, unless it says otherwise.
pub const DEFAULT_ROUNDS: u32 = 100;
/// The most lanes of a parallel step.
pub const MAX_LANES: usize = 20;

/// A step that opens lines, compiled.
#[derive(Debug)]
pub enum LinesStep {
    Each(Each),
    Parallel { lanes: u32, join: Join },
    Repeat { again: Compiled, most: u32 },
}

/// A round for each item of a list.
#[derive(Debug)]
pub struct Each {
    list: Template,
    /// How many rounds go on at once.
    pub at_once: u32,
    /// A failed round ends the step; else it is noted and the others go on.
    pub stops: bool,
    /// What a round gives; without it, what its last step gave.
    result: Option<Template>,
}

/// When a parallel step is done. Lanes that are under way then are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// When every lane is; one that fails fails the step.
    All,
    /// When this many lanes are; the step fails when so many can't be any more.
    Some(u32),
}

/// What a step opens.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    pub kind: LinesKind,
    pub lines: u32,
    /// The items of a for-each.
    pub list: Option<Vec<Json>>,
}

/// The round of a loop that an expression stands in.
#[derive(Clone, Debug)]
pub struct Round {
    /// The items; none in a repeat.
    pub list: Option<Arc<Vec<Json>>>,
    /// Counted from 0.
    pub index: u32,
}

impl LinesStep {
    /// Compiles a step. None: the step opens no lines. Errors name their field.
    pub fn compile(step: &Step) -> Result<Option<Self>, ExprError> {
        let field = |name: &str| {
            let value = step.input.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
            value.map(|value| Template::compile(value).map_err(|error| error.within(name))).transpose()
        };
        Ok(Some(match step.operation.as_str() {
            "for_each" => Self::Each(Each {
                list: field("list")?
                    .ok_or_else(|| ExprError::new("Say for which list the steps are to be done.").within("list"))?,
                at_once: number(step, "at_once", 1, MAX_AT_ONCE)?,
                stops: match text(step, "on_failed") {
                    None | Some("stop") => true,
                    Some("go_on") => false,
                    Some(other) => return Err(not_a_choice("on_failed", other, "stop or go_on")),
                },
                result: field("result")?,
            }),
            "parallel" => {
                let lanes = u32::try_from(step.lanes.len()).unwrap_or(u32::MAX);
                let join = match text(step, "join") {
                    None | Some("all") => Join::All,
                    Some("first") => Join::Some(1),
                    Some("some") => Join::Some(number(step, "needed", 1, lanes.max(1))?),
                    Some(other) => return Err(not_a_choice("join", other, "all, first or some")),
                };
                Self::Parallel { lanes, join }
            }
            "repeat" => {
                let condition = step
                    .condition
                    .as_ref()
                    .ok_or_else(|| ExprError::new("Say on which condition another round follows.").within("if"))?;
                Self::Repeat {
                    again: Compiled::compile(condition).map_err(|error| error.within("if"))?,
                    most: number(step, "most", DEFAULT_ROUNDS, MAX_ROUNDS)?,
                }
            }
            _ => return Ok(None),
        }))
    }

    pub fn kind(&self) -> LinesKind {
        match self {
            Self::Each(_) => LinesKind::Each,
            Self::Parallel { .. } => LinesKind::Parallel,
            Self::Repeat { .. } => LinesKind::Repeat,
        }
    }

    /// How many lines may be live at once.
    pub fn at_once(&self) -> u32 {
        match self {
            Self::Each(each) => each.at_once,
            Self::Parallel { lanes, .. } => *lanes,
            Self::Repeat { .. } => 1,
        }
    }

    /// What the step opens. `context` stands at the step.
    pub fn open(&self, context: &Context) -> Result<Opening, StepError> {
        let list = self.items(context)?;
        let lines = match self {
            Self::Each(_) => list.as_ref().map_or(0, |items| u32::try_from(items.len()).unwrap_or(u32::MAX)),
            Self::Parallel { lanes, .. } => *lanes,
            Self::Repeat { most, .. } => *most,
        };
        Ok(Opening { kind: self.kind(), lines, list })
    }

    /// The list of a for-each: the same whenever it is worked out at the same place of a run. `context` stands at the step.
    pub fn items(&self, context: &Context) -> Result<Option<Vec<Json>>, StepError> {
        match self {
            Self::Each(each) => each.items(context).map(Some),
            Self::Parallel { .. } | Self::Repeat { .. } => Ok(None),
        }
    }

    /// What a line gives at its end. `context` stands at the step, on the line that ends; `last` is what the last of its own steps
    /// gave.
    pub fn gives(&self, context: &Context, last: Option<&Json>) -> Result<Option<Json>, StepError> {
        match self {
            Self::Each(Each { result: Some(result), .. }) => {
                Ok(Some(result.resolve(context).map_err(|error| error.within("result"))?.unwrap_or(Json::Null)))
            }
            Self::Each(_) => Ok(Some(last.cloned().unwrap_or(Json::Null))),
            Self::Parallel { .. } => Ok(None),
            Self::Repeat { again, .. } => Ok(Some(Json::Bool(again.holds(context).map_err(|error| error.within("if"))?))),
        }
    }

    /// The paths that the step's own fields use where they stand before the lines, and those that are read at the end of a line.
    pub fn paths(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Each(each) => (each.list.paths(), each.result.as_ref().map(Template::paths).unwrap_or_default()),
            Self::Parallel { .. } => (Vec::new(), Vec::new()),
            Self::Repeat { again, .. } => (Vec::new(), again.paths()),
        }
    }
}

impl Each {
    fn items(&self, context: &Context) -> Result<Vec<Json>, StepError> {
        let items = match self.list.resolve(context).map_err(|error| error.within("list"))? {
            Some(Json::Array(items)) => items,
            // Nothing to do for nothing.
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Object(fields)) => fields.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect(),
            Some(other) => {
                let message = format!("For each needs a list, and this is {}.", show(&other));
                return Err(StepError::invalid_input(message)
                    .hint("Choose a field that holds a list. Text with commas becomes one with | split(\",\").")
                    .field("list"));
            }
        };
        if items.len() > MAX_ITEMS as usize {
            let message = format!("The list has {} items; for each does {MAX_ITEMS} at most.", items.len());
            return Err(StepError::invalid_input(message).hint("Take a part of it, or split the work.").field("list"));
        }
        Ok(items)
    }
}

fn text<'a>(step: &'a Step, name: &str) -> Option<&'a str> {
    step.input.get(name).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// A whole number of the document; not an expression.
fn number(step: &Step, name: &str, default: u32, most: u32) -> Result<u32, ExprError> {
    let number = match step.input.get(name) {
        None | Some(Json::Null) => return Ok(default),
        Some(Json::String(text)) if text.trim().is_empty() => return Ok(default),
        Some(Json::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_u64(),
    };
    let fits = number.and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=most).contains(number));
    fits.ok_or_else(|| ExprError::new(format!("A whole number from 1 to {most} is needed here.")).within(name))
}

fn not_a_choice(field: &str, found: &str, choices: &str) -> ExprError {
    ExprError::new(format!("\"{found}\" is not one of the choices; write {choices}.")).within(field)
}
