//! The operators: how each reads its two values, and what it says when it can't.

use super::Operator;
use crate::{
    Json,
    expr::{
        ExprError, moment,
        number::Num,
        pattern, print,
        value::{is_empty, kind, same, show},
    },
};
use chrono::{DateTime, Utc};
use regex::Regex;
use std::borrow::Cow;

/// Compares, and writes down what it read as something else when somebody wants to know.
pub(super) struct Judge {
    pub notes: Vec<String>,
    noting: bool,
}

type Judged = Result<bool, ExprError>;

impl Judge {
    pub fn silent() -> Self {
        Self { notes: Vec::new(), noting: false }
    }

    pub fn noting() -> Self {
        Self { notes: Vec::new(), noting: true }
    }

    /// Does `value` stand to `to` as the operator says? Errors name `value` or `to` as their field.
    pub fn judge(&mut self, value: Option<&Json>, is: Operator, to: Option<&Json>) -> Judged {
        let null = Json::Null;
        if value.is_none() && !matches!(is, Operator::Exists | Operator::DoesNotExist | Operator::IsEmpty | Operator::IsNotEmpty)
        {
            self.note(|| "The value is missing and counts as empty.".to_owned());
        }
        let (given, to) = (value.unwrap_or(&null), to.unwrap_or(&null));
        match is {
            Operator::Equals => Ok(self.equal(given, to)),
            Operator::NotEquals => Ok(!self.equal(given, to)),
            Operator::GreaterThan => Ok(self.number(given, "value")? > self.number(to, "to")?),
            Operator::AtLeast => Ok(self.number(given, "value")? >= self.number(to, "to")?),
            Operator::LessThan => Ok(self.number(given, "value")? < self.number(to, "to")?),
            Operator::AtMost => Ok(self.number(given, "value")? <= self.number(to, "to")?),
            Operator::Between => self.between(given, to),
            Operator::Contains => self.contains(given, to),
            Operator::NotContains => Ok(!self.contains(given, to)?),
            Operator::StartsWith => Ok(self.folded(given, "value")?.starts_with(&self.folded(to, "to")?)),
            Operator::EndsWith => Ok(self.folded(given, "value")?.ends_with(&self.folded(to, "to")?)),
            Operator::Matches => {
                let regex = pattern::compile(&self.text(to, "to")?).map_err(|error| error.within("to"))?;
                self.matches(value, &regex)
            }
            Operator::OneOf => self.one_of(given, to),
            Operator::NotOneOf => Ok(!self.one_of(given, to)?),
            Operator::Before => Ok(self.date(given, "value")? < self.date(to, "to")?),
            Operator::After => Ok(self.date(given, "value")? > self.date(to, "to")?),
            Operator::IsTrue => self.boolean(given),
            Operator::IsFalse => Ok(!self.boolean(given)?),
            Operator::IsEmpty => Ok(is_empty(given)),
            Operator::IsNotEmpty => Ok(!is_empty(given)),
            Operator::Exists => Ok(value.is_some()),
            Operator::DoesNotExist => Ok(value.is_none()),
        }
    }

    pub fn matches(&mut self, value: Option<&Json>, regex: &Regex) -> Judged {
        Ok(regex.is_match(&self.text(value.unwrap_or(&Json::Null), "value")?))
    }

    fn note(&mut self, note: impl FnOnce() -> String) {
        if self.noting {
            let note = note();
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    fn equal(&mut self, a: &Json, b: &Json) -> bool {
        let as_number = |number: &Json, text: &Json| Some((Num::read(number)?, Num::read(text)?));
        match (a, b) {
            (Json::Number(_), Json::String(text)) | (Json::String(text), Json::Number(_)) => match as_number(a, b) {
                Some((a, b)) => {
                    self.note(|| format!("The text \"{text}\" was read as a number."));
                    a == b
                }
                None => false,
            },
            (Json::Bool(truth), Json::String(text)) | (Json::String(text), Json::Bool(truth)) => {
                let said = text.trim();
                self.note(|| format!("The text \"{text}\" was compared with {truth}."));
                said.eq_ignore_ascii_case(if *truth { "true" } else { "false" })
            }
            // Nothing is what an empty field of a form is.
            (Json::Null, Json::String(text)) | (Json::String(text), Json::Null) => text.is_empty(),
            _ => same(a, b),
        }
    }

    fn between(&mut self, value: &Json, to: &Json) -> Judged {
        let (low, high) = bounds(to).map_err(|error| error.within("to"))?;
        let numbers = [value, low, high].iter().all(|value| Num::read(value).is_some());
        // A year alone is a number and a date; as long as all three are numbers, they are compared as such.
        if numbers || [value, low, high].iter().any(|value| moment::read(value).is_none()) {
            let number = self.number(value, "value")?;
            return Ok(self.number(low, "to[0]")? <= number && number <= self.number(high, "to[1]")?);
        }
        let date = self.date(value, "value")?;
        Ok(self.date(low, "to[0]")? <= date && date <= self.date(high, "to[1]")?)
    }

    fn contains(&mut self, whole: &Json, part: &Json) -> Judged {
        match whole {
            Json::Array(items) => Ok(items.iter().any(|item| self.equal(item, part))),
            Json::Object(fields) => Ok(fields.contains_key(&*self.text(part, "to")?)),
            whole => Ok(self.folded(whole, "value")?.contains(&self.folded(part, "to")?)),
        }
    }

    fn one_of(&mut self, value: &Json, list: &Json) -> Judged {
        match list {
            Json::Array(items) => Ok(items.iter().any(|item| self.equal(value, item))),
            Json::String(text) => {
                let items: Vec<Json> = text.split([',', '\n']).map(|item| item.trim().into()).collect();
                self.note(|| {
                    format!("The text \"{}\" was read as a list of {}.", crate::expr::error::shorten(text, 60), items.len())
                });
                Ok(items.iter().any(|item| self.equal(value, item)))
            }
            Json::Null => Ok(false),
            other => Err(unreadable(other, "a list", "to")),
        }
    }

    /// Text without regard to capitals. Nothing counts as empty text.
    fn folded(&mut self, value: &Json, side: &'static str) -> Result<String, ExprError> {
        self.text(value, side).map(|text| text.to_lowercase())
    }

    fn text<'v>(&mut self, value: &'v Json, side: &'static str) -> Result<Cow<'v, str>, ExprError> {
        match value {
            Json::String(text) => Ok(Cow::Borrowed(text)),
            Json::Array(_) | Json::Object(_) => Err(unreadable(value, "text", side)),
            Json::Null => Ok(Cow::Borrowed("")),
            other => {
                let text = print::text(other);
                self.note(|| format!("{text} was read as text."));
                Ok(Cow::Owned(text))
            }
        }
    }

    fn number(&mut self, value: &Json, side: &'static str) -> Result<Num, ExprError> {
        let number = Num::read(value).ok_or_else(|| unreadable(value, "a number", side))?;
        if let Json::String(text) = value {
            self.note(|| format!("The text \"{text}\" was read as a number."));
        }
        Ok(number)
    }

    fn date(&mut self, value: &Json, side: &'static str) -> Result<DateTime<Utc>, ExprError> {
        let moment = moment::read(value).ok_or_else(|| unreadable(value, &format!("a date, {}", moment::FORMS), side))?.to_utc();
        self.note(|| format!("{} was read as {}.", show(value), moment.format("%-d %B %Y, %H:%M:%S UTC")));
        Ok(moment)
    }

    fn boolean(&mut self, value: &Json) -> Judged {
        let read = match value {
            Json::Bool(truth) => return Ok(*truth),
            Json::Null => return Ok(false),
            Json::Number(number) => match number.as_f64() {
                Some(0.0) => Some(false),
                Some(1.0) => Some(true),
                _ => None,
            },
            Json::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" | "" => Some(false),
                _ => None,
            },
            Json::Array(_) | Json::Object(_) => None,
        };
        let truth = read.ok_or_else(|| unreadable(value, "true or false", "value"))?;
        self.note(|| format!("{} was read as {truth}.", show(value)));
        Ok(truth)
    }
}

/// The two ends of `between`.
pub(super) fn bounds(to: &Json) -> Result<(&Json, &Json), ExprError> {
    match to {
        Json::Array(ends) if ends.len() == 2 => Ok((&ends[0], &ends[1])),
        other => Err(ExprError {
            saw: Some(show(other)),
            ..ExprError::new("“is between” needs two values: the lowest and the highest that count.")
        }),
    }
}

fn unreadable(value: &Json, needed: &str, side: &str) -> ExprError {
    let message = match value {
        Json::Null => format!("The value is missing or empty; here {needed} is needed."),
        value => format!("{} can't be read as {needed}.", capital(kind(value))),
    };
    let saw = (!value.is_null()).then(|| show(value));
    ExprError { saw, ..ExprError::new(message) }.within(side)
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
