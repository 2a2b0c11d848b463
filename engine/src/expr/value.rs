//! Values while an expression is evaluated: borrowed from the context as long as nothing changes them, or missing with the reason.

use super::{
    error::{Fault, shorten},
    number::Num,
    print,
};
use crate::{Json, Object};
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub(in crate::expr) enum Val<'a> {
    Ref(&'a Json),
    Own(Json),
    /// There is nothing here; the sentence says why. Only `default` and `is defined` accept it.
    Missing(Box<str>),
}

impl<'a> Val<'a> {
    pub fn missing(why: impl Into<String>) -> Self {
        Self::Missing(why.into().into_boxed_str())
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::Own(Json::String(text.into()))
    }

    /// The value, or a fault that says why there is none.
    pub fn json(&self) -> Result<&Json, Fault> {
        match self {
            Self::Ref(value) => Ok(value),
            Self::Own(value) => Ok(value),
            Self::Missing(why) => Err(missing(why)),
        }
    }

    pub fn into_json(self) -> Result<Json, Fault> {
        match self {
            Self::Ref(value) => Ok(value.clone()),
            Self::Own(value) => Ok(value),
            Self::Missing(why) => Err(missing(&why)),
        }
    }

    /// The value as text: text itself, numbers and booleans printed, null as nothing. `who` needs it.
    pub fn into_text(self, who: &str) -> Result<Cow<'a, str>, Fault> {
        match self {
            Self::Ref(Json::String(text)) => Ok(Cow::Borrowed(text)),
            Self::Own(Json::String(text)) => Ok(Cow::Owned(text)),
            other => match other.json()? {
                value @ (Json::Array(_) | Json::Object(_)) => Err(wrong(who, "text", value)),
                value => Ok(Cow::Owned(print::text(value))),
            },
        }
    }

    /// The value as a number: a number, or text that is one.
    pub fn as_num(&self, who: &str) -> Result<Num, Fault> {
        let value = self.json()?;
        Num::read(value).ok_or_else(|| wrong(who, "a number", value))
    }

    /// The items of a list; null is an empty one.
    pub fn into_list(self, who: &str) -> Result<Cow<'a, [Json]>, Fault> {
        match self {
            Self::Ref(Json::Array(items)) => Ok(Cow::Borrowed(items)),
            Self::Own(Json::Array(items)) => Ok(Cow::Owned(items)),
            other => match other.json()? {
                Json::Null => Ok(Cow::Owned(Vec::new())),
                value => Err(wrong(who, "a list", value)),
            },
        }
    }

    /// The fields of an object; null has none.
    pub fn into_object(self, who: &str) -> Result<Cow<'a, Object>, Fault> {
        match self {
            Self::Ref(Json::Object(fields)) => Ok(Cow::Borrowed(fields)),
            Self::Own(Json::Object(fields)) => Ok(Cow::Owned(fields)),
            other => match other.json()? {
                Json::Null => Ok(Cow::Owned(Object::new())),
                value => Err(wrong(who, "an object", value)),
            },
        }
    }
}

impl From<Json> for Val<'_> {
    fn from(value: Json) -> Self {
        Self::Own(value)
    }
}

fn missing(why: &str) -> Fault {
    Fault::new(format!("{why} Add | default(\"…\") if it may be missing."))
}

/// `who` needs one thing and got another.
pub(in crate::expr) fn wrong(who: &str, needs: &str, got: &Json) -> Fault {
    Fault::new(format!("{who} needs {needs}, not {}.", kind(got))).saw(show(got))
}

/// What a value is, with its article.
pub(crate) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "an empty value (null)",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(text) if text.is_empty() => "empty text",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// A value as an error shows it: JSON, cut.
pub(crate) fn show(value: &Json) -> String {
    match value {
        Json::String(text) => Json::String(shorten(text, 60)).to_string(),
        Json::Array(items) => format!("a list of {}", count(items.len(), "item")),
        Json::Object(fields) if fields.is_empty() => "an object without fields".to_owned(),
        Json::Object(fields) => format!("an object with {}", names(fields)),
        other => other.to_string(),
    }
}

/// The first few field names of an object.
pub(crate) fn names(fields: &Object) -> String {
    const SHOWN: usize = 8;
    let mut list: Vec<String> = fields.keys().take(SHOWN).map(|name| shorten(name, 40)).collect();
    if fields.len() > SHOWN {
        list.push(format!("{} more", fields.len() - SHOWN));
    }
    list.join(", ")
}

/// `1 item`, `2 items`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Are two values equal? Numbers are compared by value, so 1 equals 1.0; the order of an object's fields doesn't matter.
pub(crate) fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => x == y || Num::of(x) == Num::of(y),
        (Json::Array(x), Json::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(name, value)| y.get(name).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

/// Is this what people call empty: null, empty text, an empty list or an object without fields?
pub(crate) fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Does a value count as true in `and`, `or`, `not` and `if`? Null, false, 0 and everything empty don't.
pub(in crate::expr) fn is_true(value: &Json) -> bool {
    match value {
        Json::Bool(value) => *value,
        Json::Number(number) => number.as_f64() != Some(0.0),
        other => !is_empty(other),
    }
}
