//! Reads fields, items and parts of values, and says what is there instead when something is missing.

use super::{
    ast::{Expr, Kind, Root, join},
    error::{Fault, shorten},
    eval::Scope,
    suggest::closest,
    value::{Val, count, kind, names, show},
};
use crate::{Json, Object};
use std::borrow::Cow;

impl<'a> Scope<'a> {
    pub(super) fn field(&'a self, base: &'a Expr, name: &str) -> Result<Val<'a>, Fault> {
        // The trigger's fields are read one by one, so that its body is parsed only when something reads it.
        if let Kind::Root(Root::Trigger) = base.kind
            && let Some(value) = self.context.trigger_field(name)
        {
            return Ok(Val::Ref(value));
        }
        let value = self.eval(base)?;
        match value {
            Val::Ref(Json::Object(fields)) => match fields.get(name) {
                Some(value) => Ok(Val::Ref(value)),
                None => Ok(Val::missing(no_field(base, name, fields))),
            },
            Val::Own(Json::Object(mut fields)) => match fields.swap_remove(name) {
                Some(value) => Ok(Val::Own(value)),
                None => Ok(Val::missing(no_field(base, name, &fields))),
            },
            Val::Missing(why) => Ok(Val::Missing(why)),
            Val::Ref(_) | Val::Own(_) => {
                let value = value.json()?;
                let hint =
                    if value.is_array() { " Take one item, such as [0] or | first, or all of them with | map_to." } else { "" };
                Ok(Val::missing(format!(
                    "{} is {}, so it has no field \"{}\".{hint}",
                    called(base),
                    kind(value),
                    shorten(name, 60)
                )))
            }
        }
    }

    pub(super) fn item(&'a self, base: &'a Expr, key: &'a Expr) -> Result<Val<'a>, Fault> {
        let key = self.eval(key)?;
        let key = key.json()?;
        if let Json::String(name) = key {
            return self.field(base, name);
        }
        let Json::Number(index) = key else {
            return Err(Fault::new("Between [ and ] there must be a name or a position.").saw(show(key)));
        };
        let value = self.eval(base)?;
        let found = |length: usize| {
            let index = index.as_i64()?;
            let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
            usize::try_from(index).ok().filter(|index| *index < length)
        };
        let missing = |length: usize| {
            Val::missing(format!("There is no item [{index}] in {}; it has {}.", called(base), count(length, "item")))
        };
        match value {
            Val::Ref(Json::Array(items)) => {
                Ok(found(items.len()).map_or_else(|| missing(items.len()), |at| Val::Ref(&items[at])))
            }
            Val::Own(Json::Array(mut items)) => Ok(match found(items.len()) {
                Some(at) => Val::Own(items.swap_remove(at)),
                None => missing(items.len()),
            }),
            Val::Missing(why) => Ok(Val::Missing(why)),
            other => match other.json()? {
                // An object whose names are digits: `byYear[2024]`.
                Json::Object(_) => match other {
                    Val::Ref(Json::Object(fields)) => {
                        let name = index.to_string();
                        Ok(fields.get(&name).map_or_else(|| Val::missing(no_field(base, &name, fields)), Val::Ref))
                    }
                    other => {
                        let mut fields = other.into_object("[ ]")?.into_owned();
                        let name = index.to_string();
                        Ok(fields.swap_remove(&name).map_or_else(|| Val::missing(no_field(base, &name, &fields)), Val::Own))
                    }
                },
                value => Ok(Val::missing(format!("{} is {}, so it has no item [{index}].", called(base), kind(value)))),
            },
        }
    }

    pub(super) fn slice(&'a self, base: &'a Expr, from: Option<&'a Expr>, to: Option<&'a Expr>) -> Result<Val<'a>, Fault> {
        let value = self.eval(base)?;
        let bound = |expr: Option<&'a Expr>| -> Result<Option<i64>, Fault> {
            let Some(expr) = expr else { return Ok(None) };
            let value = self.eval(expr)?;
            let value = value.json()?;
            value.as_i64().map(Some).ok_or_else(|| Fault::new("Between [ and ] there must be whole numbers.").saw(show(value)))
        };
        let (from, to) = (bound(from)?, bound(to)?);
        slice(value, from, to)
    }
}

/// A part of a list or of a text, from one position up to (without) another; negative positions count from the end.
pub(super) fn slice<'a>(value: Val<'a>, from: Option<i64>, to: Option<i64>) -> Result<Val<'a>, Fault> {
    let bounds = |length: usize| {
        let clamp = |at: i64| {
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            let at = if at < 0 { at.saturating_add(length) } else { at };
            usize::try_from(at.clamp(0, length)).unwrap_or(0)
        };
        let start = from.map_or(0, clamp);
        start..to.map_or(length, clamp).max(start)
    };
    match value.json()? {
        Json::Array(items) => Ok(Json::Array(items[bounds(items.len())].to_vec()).into()),
        Json::String(text) => {
            let range = bounds(text.chars().count());
            Ok(Val::text(text.chars().skip(range.start).take(range.len()).collect::<String>()))
        }
        Json::Null => Ok(Json::Array(Vec::new()).into()),
        other => Err(Fault::new(format!("Only a list or a text has parts, and this is {}.", kind(other))).saw(show(other))),
    }
}

/// The expression as an error names it: its path, or "this value".
fn called(expr: &Expr) -> Cow<'static, str> {
    expr.path().map_or(Cow::Borrowed("this value"), Cow::Owned)
}

fn no_field(base: &Expr, name: &str, fields: &Object) -> String {
    let name_shown = shorten(name, 60);
    if matches!(base.kind, Kind::Root(Root::Steps)) {
        return format!(
            "The step \"{name_shown}\" has no output here: it was skipped, it hasn't run yet, or there is no such step."
        );
    }
    let path = called(base);
    if fields.is_empty() {
        return format!("There is no field \"{name_shown}\" in {path}; it has no fields at all.");
    }
    let meant = closest(name, fields.keys().map(String::as_str)).map(|meant| join(path.clone().into_owned(), meant));
    match meant {
        Some(meant) if fields.len() > 8 => {
            format!("There is no field \"{name_shown}\" in {path}; did you mean {meant}? It has {}.", names(fields))
        }
        _ => format!("There is no field \"{name_shown}\" in {path}; it has {}.", names(fields)),
    }
}
