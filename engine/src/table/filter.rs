//! Conditions on the rows of a table: `value` names a column, and what it is compared with is read as the column's kind. Empty cells
//! match “is empty”, “is not …” and “does not contain”, and nothing else. Whoever keeps the rows carries it out.

use super::{Column, ColumnKind, RESERVED, Schema, Wrong, cell};
use crate::{
    Json,
    condition::{Conditions, MAX_DEPTH, Operator, Test},
    expr::value::show,
};

/// The most comparisons of one filter.
pub const MOST_TESTS: usize = 100;
/// The most values of “is one of”.
pub const MOST_VALUES: usize = 1_000;

/// Which rows are meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every part holds; without parts every row is meant.
    All(Vec<Filter>),
    /// Some part holds.
    Any(Vec<Filter>),
    Ask {
        of: Place,
        ask: Ask,
    },
}

/// What of a row is looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Id,
    CreatedAt,
    UpdatedAt,
    /// By its id.
    Column {
        id: String,
        kind: ColumnKind,
    },
}

/// What is asked of it. Values are in the form in which they are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Is(Json),
    IsNot(Json),
    OneOf(Vec<Json>),
    NotOneOf(Vec<Json>),
    Above(Json),
    AtLeast(Json),
    Below(Json),
    AtMost(Json),
    Contains(String),
    NotContains(String),
    StartsWith(String),
    EndsWith(String),
    /// Of a column for yes and no; an empty cell is no.
    True,
    False,
    Empty,
    NotEmpty,
}

impl Filter {
    /// Every row.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Does it leave nothing out?
    pub fn is_everything(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(Self::is_everything),
            Self::Any(parts) => parts.iter().any(Self::is_everything),
            Self::Ask { .. } => false,
        }
    }

    /// Reads conditions whose expressions are worked out.
    ///
    /// # Errors
    /// The first comparison that this table can't be asked, with its column.
    pub fn read(schema: &Schema, conditions: &Conditions) -> Result<Self, Wrong> {
        let mut tests = 0;
        read(schema, conditions, 1, &mut tests)
    }
}

fn read(schema: &Schema, conditions: &Conditions, depth: usize, tests: &mut usize) -> Result<Filter, Wrong> {
    if depth > MAX_DEPTH {
        return Err(Wrong::new(format!("Groups stand in groups at most {MAX_DEPTH} deep.")));
    }
    let mut all = |parts: &[Conditions]| -> Result<Vec<Filter>, Wrong> {
        parts.iter().map(|part| read(schema, part, depth + 1, tests)).collect()
    };
    match conditions {
        Conditions::All { all: parts } => all(parts).map(Filter::All),
        Conditions::Any { any: parts } => all(parts).map(Filter::Any),
        Conditions::Expression { .. } => Err(Wrong::new(
            "A table can't be asked an expression. Compare a column with a value, or filter the found rows afterwards.",
        )),
        Conditions::Test(test) => {
            *tests += 1;
            if *tests > MOST_TESTS {
                return Err(Wrong::new(format!("At most {MOST_TESTS} comparisons at once.")));
            }
            ask(schema, test)
        }
    }
}

fn ask(schema: &Schema, test: &Test) -> Result<Filter, Wrong> {
    let named = test.value.as_str().map(str::trim).unwrap_or_default();
    if named.is_empty() {
        return Err(Wrong::new("Choose the column that is looked at."));
    }
    let (of, column) = match (named, schema.column(named)) {
        (_, Some(column)) => (Place::Column { id: column.id.clone(), kind: column.kind }, column.clone()),
        ("id", None) => (Place::Id, reserved(RESERVED[0], ColumnKind::Text)),
        ("created_at", None) => (Place::CreatedAt, reserved(RESERVED[1], ColumnKind::DateTime)),
        ("updated_at", None) => (Place::UpdatedAt, reserved(RESERVED[2], ColumnKind::DateTime)),
        (name, None) => return Err(schema.no_column(name)),
    };
    let null = Json::Null;
    let to = test.to.as_ref().unwrap_or(&null);
    let value = |to: &Json| cell::read(&loose(&column), to);
    let needed = |to: &Json| match value(to)? {
        Json::Null => Err(Wrong::at(&column.name, format!("Say what “{}” is compared with.", column.name))),
        value => Ok(value),
    };
    let words = |to: &Json| match to {
        Json::Array(_) | Json::Object(_) => {
            Err(Wrong::at(&column.name, format!("“{}” is compared with a text, not {}.", column.name, show(to))))
        }
        to => Ok(crate::expr::print::text(to)),
    };
    // A value that turned out to be missing must not quietly mean empty cells, or all rows.
    let blank = match to {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty() && test.is == Operator::NotOneOf,
        _ => false,
    };
    if blank && test.is.compares() {
        let message = format!("There is nothing to compare “{}” with. Say what, or ask whether it is empty.", column.name);
        return Err(Wrong::at(&column.name, message));
    }
    let list = |to: &Json| -> Result<Vec<Json>, Wrong> {
        let values: Vec<Json> = match to {
            Json::Array(items) => items.iter().map(&value).collect::<Result<_, _>>()?,
            Json::String(text) => text.split([',', '\n']).map(|item| value(&item.trim().into())).collect::<Result<_, _>>()?,
            other => vec![value(other)?],
        };
        if values.len() > MOST_VALUES {
            return Err(Wrong::at(&column.name, format!("“Is one of” takes at most {MOST_VALUES} values.")));
        }
        Ok(values.into_iter().filter(|value| !value.is_null()).collect())
    };
    check(&column, &of, test.is)?;
    let ask = match test.is {
        Operator::Equals => Ask::Is(needed(to)?),
        Operator::NotEquals => Ask::IsNot(needed(to)?),
        Operator::GreaterThan | Operator::After => Ask::Above(needed(to)?),
        Operator::AtLeast => Ask::AtLeast(needed(to)?),
        Operator::LessThan | Operator::Before => Ask::Below(needed(to)?),
        Operator::AtMost => Ask::AtMost(needed(to)?),
        Operator::Between => {
            let (low, high) = match to {
                Json::Array(ends) if ends.len() == 2 => (needed(&ends[0])?, needed(&ends[1])?),
                _ => {
                    return Err(Wrong::at(&column.name, "“Is between” needs two values: the lowest and the highest that count."));
                }
            };
            return Ok(Filter::All(vec![
                Filter::Ask { of: of.clone(), ask: Ask::AtLeast(low) },
                Filter::Ask { of, ask: Ask::AtMost(high) },
            ]));
        }
        Operator::Contains => Ask::Contains(words(to)?),
        Operator::NotContains => Ask::NotContains(words(to)?),
        Operator::StartsWith => Ask::StartsWith(words(to)?),
        Operator::EndsWith => Ask::EndsWith(words(to)?),
        Operator::OneOf => Ask::OneOf(list(to)?),
        Operator::NotOneOf => Ask::NotOneOf(list(to)?),
        Operator::IsTrue => Ask::True,
        Operator::IsFalse => Ask::False,
        Operator::IsEmpty | Operator::DoesNotExist => Ask::Empty,
        Operator::IsNotEmpty | Operator::Exists => Ask::NotEmpty,
        Operator::Matches => return Err(no_such(&column)),
    };
    Ok(Filter::Ask { of, ask })
}

fn reserved(name: &str, kind: ColumnKind) -> Column {
    Column { id: name.to_owned(), name: name.to_owned(), kind, required: false, options: Vec::new() }
}

/// A choice may be compared with what is no option any more: then no row has it.
fn loose(column: &Column) -> Column {
    let kind = if column.kind == ColumnKind::Choice { ColumnKind::Text } else { column.kind };
    Column { kind, ..column.clone() }
}

/// Can a column of this kind be asked that?
fn check(column: &Column, of: &Place, is: Operator) -> Result<(), Wrong> {
    use ColumnKind::{Boolean, Choice, Date, DateTime, Json as Any, Number, Text};
    let fits = match is {
        Operator::IsEmpty | Operator::IsNotEmpty | Operator::Exists | Operator::DoesNotExist => true,
        Operator::Equals | Operator::NotEquals | Operator::OneOf | Operator::NotOneOf => column.kind != Any,
        _ if *of == Place::Id => false,
        Operator::GreaterThan | Operator::AtLeast | Operator::LessThan | Operator::AtMost | Operator::Between => {
            matches!(column.kind, Number | Date | DateTime)
        }
        Operator::Before | Operator::After => matches!(column.kind, Date | DateTime),
        Operator::Contains | Operator::NotContains | Operator::StartsWith | Operator::EndsWith => {
            matches!(column.kind, Text | Choice)
        }
        Operator::IsTrue | Operator::IsFalse => column.kind == Boolean,
        Operator::Matches => false,
    };
    if fits { Ok(()) } else { Err(no_such(column)) }
}

fn no_such(column: &Column) -> Wrong {
    let can = match column.kind {
        ColumnKind::Text | ColumnKind::Choice => "is, is not, contains, starts with, ends with, is one of, is empty",
        ColumnKind::Number => "is, is not, is greater than, is less than, is between, is one of, is empty",
        ColumnKind::Boolean => "is, is true, is false, is empty",
        ColumnKind::Date | ColumnKind::DateTime => "is, is before, is after, is between, is empty",
        ColumnKind::Json => "is empty, is not empty",
    };
    Wrong::at(&column.name, format!("“{}” can't be asked that. It can be asked: {can}.", column.name))
}
