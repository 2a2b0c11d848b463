//! When two keys are the same, and when two values of two lists are.

use crate::{
    Json,
    expr::{
        number::Num,
        print,
        value::{is_empty, same},
    },
};

/// What makes an item the one that is meant. A number and a text that is written like it are the same key, as lists from files hold
/// texts where services give numbers; `007` and `7` are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::pure) struct Key(String);

impl Key {
    /// `None` when the value is missing, null or empty text: what has no key is like nothing else. `fold`: capitals and blanks
    /// around it make no difference.
    pub fn of(value: Option<&Json>, fold: bool) -> Option<Self> {
        let written = match value? {
            Json::Null => return None,
            value @ (Json::Array(_) | Json::Object(_)) => {
                let mut out = String::new();
                push(&mut out, value);
                out
            }
            scalar => print::text(scalar),
        };
        let written = if fold { written.trim().to_lowercase() } else { written };
        (!written.is_empty()).then_some(Self(written))
    }
}

/// Writes a value so that equal ones read the same, whatever the order of their fields. The depth of stored values is bounded.
fn push(out: &mut String, value: &Json) {
    match value {
        Json::Array(items) => {
            out.push('[');
            items.iter().for_each(|item| {
                push(out, item);
                out.push(',');
            });
            out.push(']');
        }
        Json::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            out.push('{');
            for name in names {
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push(':');
                push(out, &fields[name]);
                out.push(',');
            }
            out.push('}');
        }
        Json::Number(_) => print::push(out, value),
        other => out.push_str(&other.to_string()),
    }
}

/// Is it the same to somebody who compares two lists? A number and a text that is written as one count as numbers, nothing and empty
/// text as nothing.
pub(super) fn alike(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(_), Json::String(_)) | (Json::String(_), Json::Number(_)) => match (Num::read(a), Num::read(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        (Json::Bool(truth), Json::String(text)) | (Json::String(text), Json::Bool(truth)) => {
            text.trim().eq_ignore_ascii_case(if *truth { "true" } else { "false" })
        }
        (Json::Null, Json::String(_)) | (Json::String(_), Json::Null) => is_empty(a) && is_empty(b),
        _ => same(a, b),
    }
}
