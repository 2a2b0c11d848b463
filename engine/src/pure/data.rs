//! The steps that work on data: lists, tables, look-ups, texts and their formats. Each reads its form once, when it is compiled, and
//! gives an object; what it makes is bounded. Nothing here looks outside of the run's data.

use super::{format, formats, list, look_up, not_a_choice, refuse, schema, shown};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, MAX_TOTAL, Template, items, print},
    json,
    workflow::Step,
};
use std::fmt;

/// A data step, compiled.
pub trait DataStep: fmt::Debug + Send + Sync {
    /// What it comes to: an object.
    fn output(&self, context: &Context) -> Result<Json, StepError>;

    /// Every template of the step; the flag says that it is worked out for each item of a list.
    fn templates(&self) -> Vec<(&Template, bool)>;

    /// The paths into the run's data that the step uses beyond those of its templates.
    fn more_paths(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(super) type Compiled = Result<Box<dyn DataStep>, ExprError>;

/// Compiles a data step. None: the step isn't one.
pub(super) fn compile(step: &Step) -> Result<Option<Box<dyn DataStep>>, ExprError> {
    let form = Form { step };
    Ok(Some(match step.operation.as_str() {
        "list.map" => list::map::compile(&form)?,
        "list.filter" => list::filter::compile(&form)?,
        "list.sort" => list::sort::compile(&form)?,
        "list.deduplicate" => list::deduplicate::compile(&form)?,
        "list.group" => list::group::compile(&form)?,
        "list.join" => list::join::compile(&form)?,
        "list.reconcile" => list::reconcile::compile(&form)?,
        "list.split" => list::split::compile(&form)?,
        "list.collect" => list::collect::compile(&form)?,
        "value.look_up" => look_up::compile(&form)?,
        "text.format" => format::compile(&form)?,
        "json.validate" => schema::compile(&form)?,
        "csv.read" => formats::csv::read(&form)?,
        "csv.write" => formats::csv::write(&form)?,
        "json.read" => formats::json::read(&form)?,
        "json.write" => formats::json::write(&form)?,
        "xml.read" => formats::xml::read(&form)?,
        "xml.write" => formats::xml::write(&form)?,
        _ => return Ok(None),
    }))
}

/// What the step comes to, if it isn't too large to be kept.
pub(super) fn evaluate(step: &dyn DataStep, context: &Context) -> Result<Json, StepError> {
    let output = step.output(context)?;
    json::check_depth(&output, json::STORED_DEPTH)
        .map_err(|message| StepError::invalid_input(format!("The step's result can't be kept: {message}")))?;
    room(json::size(&output))?;
    Ok(output)
}

/// Refuses a result of that many bytes; asked while it is made.
pub(super) fn room(bytes: usize) -> Result<(), StepError> {
    if bytes <= MAX_TOTAL {
        return Ok(());
    }
    Err(StepError::invalid_input(format!("The step's result would be larger than {} MB.", MAX_TOTAL >> 20))
        .hint("Keep fewer items or fewer fields before this step."))
}

/// The paths into the run's data that the step uses, each once.
pub(super) fn paths(step: &dyn DataStep) -> Vec<String> {
    let mut all = Vec::new();
    let of_templates = step.templates().into_iter().flat_map(|(template, each)| {
        let paths = template.paths();
        if each { items::outside(paths).collect() } else { paths }
    });
    for path in of_templates.chain(step.more_paths()) {
        if !all.contains(&path) {
            all.push(path);
        }
    }
    all
}

/// The value of a field that is a text. Numbers and booleans are written; what is missing is none.
pub(super) fn text(template: &Template, field: &str, context: &Context) -> Result<String, StepError> {
    let resolved = template.resolve_noting(context).map_err(|error| error.within(field))?;
    match (resolved.value, resolved.missing.into_iter().next()) {
        (Some(Json::String(text)), _) => Ok(text),
        (Some(value), _) if !value.is_array() && !value.is_object() => Ok(print::text(&value)),
        (None, Some(why)) => Err(why.within(field).into()),
        (value, _) => Err(refuse(field, format!("A text is needed here, not {}.", shown(value.as_ref())))),
    }
}

/// An object of these fields, in their order.
pub(super) fn object(fields: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A step's input, read as its form has it. Null and blank text are as good as nothing.
pub(super) struct Form<'s> {
    step: &'s Step,
}

impl<'s> Form<'s> {
    /// As it is written, blank or not.
    pub fn raw(&self, name: &str) -> Option<&'s Json> {
        self.step.input.get(name)
    }

    pub fn value(&self, name: &str) -> Option<&'s Json> {
        self.step.input.get(name).filter(|value| match value {
            Json::Null => false,
            Json::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    pub fn template(&self, name: &str) -> Result<Option<Template>, ExprError> {
        self.value(name).map(|value| Template::compile(value).map_err(|error| error.within(name))).transpose()
    }

    pub fn needed(&self, name: &str, title: &str) -> Result<Template, ExprError> {
        self.template(name)?.ok_or_else(|| missing(name, title))
    }

    /// Names with a template each.
    pub fn named(&self, name: &str) -> Result<Vec<(String, Template)>, ExprError> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Json::Object(fields)) => fields
                .iter()
                .map(|(key, value)| {
                    let template = Template::compile(value);
                    template.map(|template| (key.clone(), template)).map_err(|error| error.within(key).within(name))
                })
                .collect(),
            Some(_) => Err(ExprError::new("Here names and values are needed, each on a line of its own.").within(name)),
        }
    }

    /// One of these words; the first of them where nothing is chosen.
    pub fn choice(&self, name: &str, options: &[&'static str]) -> Result<&'static str, ExprError> {
        let written = super::choice(self.step, name, options[0]);
        options.iter().find(|option| **option == written).copied().ok_or_else(|| {
            let (last, others) = options.split_last().unwrap_or((&"", &[]));
            not_a_choice(name, &written, &format!("{} or {last}", others.join(", ")))
        })
    }

    pub fn on(&self, name: &str, default: bool) -> Result<bool, ExprError> {
        match self.step.input.get(name) {
            None | Some(Json::Null) => Ok(default),
            Some(Json::Bool(on)) => Ok(*on),
            Some(_) => Err(ExprError::new("This is either on or off.").within(name)),
        }
    }
}

fn missing(name: &str, title: &str) -> ExprError {
    ExprError::new(format!("“{title}” is missing.")).within(name)
}
