//! Data tables for people: the list, the rows of one, and forms for rows, columns and files.

pub mod columns;
pub mod delete;
pub mod import;
pub mod list;
pub mod new;
pub mod row;
pub mod show;

use crate::tables::Refused;
use towpath_connectors::sdk::value;
use towpath_engine::{Json, table::ColumnKind};

/// `1 row`, `1,234 rows`.
fn rows(count: i64) -> String {
    let digits = count.to_string();
    let mut written = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    if count == 1 { "1 row".to_owned() } else { format!("{written} rows") }
}

/// A value in a cell.
fn cell(kind: ColumnKind, json: &Json) -> String {
    let text = match (kind, json) {
        (_, Json::Null) => String::new(),
        (ColumnKind::Boolean, Json::Bool(true)) => "Yes".to_owned(),
        (ColumnKind::Boolean, Json::Bool(false)) => "No".to_owned(),
        (ColumnKind::DateTime, Json::String(text)) => text.replace('T', " ").replace(".000Z", " UTC").replace('Z', " UTC"),
        (_, json) => value::text(json),
    };
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Is it the form that is wrong? Anything else is a problem of its own.
fn is_mistake(refused: &Refused) -> bool {
    matches!(refused, Refused::Wrong(_) | Refused::WrongRow(..) | Refused::Clash(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_rows_are_written_as_people_read_them() {
        assert_eq!((rows(0).as_str(), rows(1).as_str(), rows(1234567).as_str()), ("0 rows", "1 row", "1,234,567 rows"));
    }
}
