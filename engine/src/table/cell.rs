//! One value of a column: read from whatever came, into the one form in which it is kept.

use super::{Column, ColumnKind, Wrong};
use crate::{
    Json,
    expr::{
        moment,
        number::Num,
        print,
        value::{kind, show},
    },
    json,
};
use chrono::SecondsFormat;

/// A whole number beyond this is no exact double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a value. Nothing, empty text and blanks are an empty cell: null.
///
/// # Errors
/// A sentence that names the column and the value.
pub fn read(column: &Column, value: &Json) -> Result<Json, Wrong> {
    let empty = match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        _ => false,
    };
    if empty {
        return Ok(Json::Null);
    }
    let read = match column.kind {
        ColumnKind::Text => text(value).map(Json::String),
        ColumnKind::Number => Num::read(value).and_then(number),
        ColumnKind::Boolean => boolean(value).map(Json::Bool),
        ColumnKind::Date => date(value).map(Json::String),
        ColumnKind::DateTime => moment::read(value).map(|at| at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true).into()),
        ColumnKind::Choice => return choice(column, value),
        ColumnKind::Json => Some(value.clone()),
    };
    let value = read.ok_or_else(|| unreadable(column, value))?;
    if holds_nul(&value) {
        return Err(Wrong::at(&column.name, format!("“{}” has a character that can't be kept (NUL).", column.name)));
    }
    json::check_depth(&value, json::STORED_DEPTH).map_err(|message| Wrong::at(&column.name, message))?;
    Ok(value)
}

fn unreadable(column: &Column, value: &Json) -> Wrong {
    let needed = match column.kind {
        ColumnKind::Text | ColumnKind::Choice | ColumnKind::Json => "a text".to_owned(),
        ColumnKind::Number => "a number".to_owned(),
        ColumnKind::Boolean => "yes or no".to_owned(),
        ColumnKind::Date => "a date; write 2026-11-20".to_owned(),
        ColumnKind::DateTime => format!("a date and time; write it {}", moment::FORMS),
    };
    let what = if value.is_array() || value.is_object() { kind(value).to_owned() } else { show(value) };
    Wrong::at(&column.name, format!("“{}” takes {needed}, and {what} can't be read as that.", column.name))
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Array(_) | Json::Object(_) => None,
        value => Some(print::text(value)),
    }
}

fn number(read: Num) -> Option<Json> {
    // One number has one form: what is told apart by a key must not hang on how it was written.
    match read {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and within the bounds")]
        Num::Float(float) if float.fract() == 0.0 && float.abs() < EXACT => Some((float as i64).into()),
        other => other.into_json().ok(),
    }
}

fn boolean(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(truth) => Some(*truth),
        Json::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Json::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "x" | "y" => Some(true),
            "false" | "no" | "off" | "0" | "n" | "-" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The day as it was written: a time zone doesn't move it.
fn date(value: &Json) -> Option<String> {
    value.is_string().then(|| moment::read(value))?.map(|at| at.format("%Y-%m-%d").to_string())
}

fn choice(column: &Column, value: &Json) -> Result<Json, Wrong> {
    let text = text(value).ok_or_else(|| unreadable(column, value))?;
    let wanted = text.trim().to_lowercase();
    match column.options.iter().find(|option| option.to_lowercase() == wanted) {
        Some(option) => Ok(option.as_str().into()),
        None => {
            let options = if column.options.len() > 12 { &column.options[..12] } else { &column.options };
            let more = if column.options.len() > 12 { " …" } else { "." };
            let message = format!("“{}” has no option {}. It has: {}{more}", column.name, show(value), options.join(", "));
            Err(Wrong::at(&column.name, message))
        }
    }
}

fn holds_nul(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Something that could stand there.
pub(super) fn example(column: &Column) -> Json {
    match column.kind {
        ColumnKind::Text if column.name.to_lowercase().contains("mail") => "ada@example.com".into(),
        ColumnKind::Text => column.name.as_str().into(),
        ColumnKind::Number => 42.into(),
        ColumnKind::Boolean => true.into(),
        ColumnKind::Date => "2026-11-20".into(),
        ColumnKind::DateTime => "2026-11-20T10:25:00.000Z".into(),
        ColumnKind::Choice => column.options.first().cloned().unwrap_or_default().into(),
        ColumnKind::Json => serde_json::json!({}),
    }
}

/// Which kind fits all of these texts best; for columns that are made from a file.
pub fn guess<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> ColumnKind {
    let written = || texts.clone().map(str::trim).filter(|text| !text.is_empty());
    // A leading zero is part of a number that nobody calculates with: a postcode, a telephone number.
    let is_code = |text: &str| {
        let digits = text.trim_start_matches(['-', '+']);
        text.starts_with('+') || (digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
    };
    let day =
        |text: &str| moment::parse(text).is_some() && !text.contains(':') && !text.bytes().all(|byte| byte.is_ascii_digit());
    if written().next().is_none() {
        ColumnKind::Text
    } else if written().all(|text| Num::parse(text).is_some() && !is_code(text) && text.len() <= 15) {
        ColumnKind::Number
    } else if written().all(|text| ["true", "false", "yes", "no"].contains(&text.to_lowercase().as_str())) {
        ColumnKind::Boolean
    } else if written().all(day) {
        ColumnKind::Date
    } else if written().all(|text| moment::parse(text).is_some() && text.contains(':')) {
        ColumnKind::DateTime
    } else {
        ColumnKind::Text
    }
}
