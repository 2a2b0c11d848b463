//! Data tables: what their columns are, and what may stand in a row. Values are read as generously as people write them and kept in one
//! form; what can't be read is told with the column and the value. Where rows are kept is nothing that is known here.

pub mod cell;
pub mod filter;
pub mod sheet;
#[cfg(test)]
mod tests;

use crate::{Json, Object, expr::closest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The most columns of a table.
pub const MOST_COLUMNS: usize = 100;
/// The most columns of a key.
pub const MOST_KEYS: usize = 5;
/// The most options of a column.
pub const MOST_OPTIONS: usize = 200;
/// The largest row, in bytes of JSON.
pub const LARGEST_ROW: usize = 64 << 10;
/// The longest name of a table or a column, in characters.
pub const LONGEST_NAME: usize = 60;
/// What every row has besides its columns.
pub const RESERVED: [&str; 3] = ["id", "created_at", "updated_at"];

/// What kind of values a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    Text,
    Number,
    Boolean,
    /// A day: `2026-11-20`.
    Date,
    /// A moment, kept in UTC: `2026-11-20T10:25:00.000Z`.
    DateTime,
    /// One of the column's options.
    Choice,
    /// Any JSON.
    Json,
}

impl ColumnKind {
    pub const ALL: [Self; 7] = [Self::Text, Self::Number, Self::Boolean, Self::Date, Self::DateTime, Self::Choice, Self::Json];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "date_time",
            Self::Choice => "choice",
            Self::Json => "json",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Boolean => "Yes or no",
            Self::Date => "Date",
            Self::DateTime => "Date and time",
            Self::Choice => "Choice",
            Self::Json => "JSON",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TableColumn")]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Stays the same when the column gets another name. Given by the server.
    #[serde(default)]
    pub id: String,
    /// What people and expressions call it.
    pub name: String,
    pub kind: ColumnKind,
    /// May not be empty.
    #[serde(default)]
    pub required: bool,
    /// What a choice chooses from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// The columns of a table, and which of them tell its rows apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub columns: Vec<Column>,
    /// Ids of columns that no two rows have the same values in; empty for a table whose rows nothing tells apart.
    #[serde(default)]
    pub key: Vec<String>,
}

/// What is wrong with a value, a row or a column, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// The name of the column that it is about, where it is about one.
    pub column: Option<String>,
    pub message: String,
}

impl Wrong {
    pub fn new(message: impl Into<String>) -> Self {
        Self { column: None, message: message.into() }
    }

    fn at(column: &str, message: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), message: message.into() }
    }
}

/// What is done about fields that the table has no column for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    Refuse,
    LeaveOut,
}

/// What is asked of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A new row: what is needed has to be there.
    Whole,
    /// A change: what is left out stays as it is. With a key, the columns of the key have to be there.
    Part { with_key: bool },
}

impl Schema {
    /// The column of that name; capitals don't count.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let name = name.trim();
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|column| column.name.to_lowercase() == name.to_lowercase()))
    }

    pub fn by_id(&self, id: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.id == id)
    }

    /// The names of the key's columns.
    pub fn key_names(&self) -> Vec<&str> {
        self.key.iter().filter_map(|id| self.by_id(id)).map(|column| column.name.as_str()).collect()
    }

    fn is_needed(&self, column: &Column) -> bool {
        column.required || self.key.contains(&column.id)
    }

    /// What to say about a name that no column has.
    pub fn no_column(&self, name: &str) -> Wrong {
        let names = self.columns.iter().map(|column| column.name.as_str());
        let near = closest(name, names.clone()).map(|near| format!(" Did you mean “{near}”?"));
        let hint = near.unwrap_or_else(|| format!(" It has: {}.", names.collect::<Vec<_>>().join(", ")));
        Wrong::at(name, format!("The table has no column “{name}”.{hint}"))
    }

    /// Reads a row: values by the names of their columns become values by the columns' ids, each in its one form, null where it is
    /// empty.
    ///
    /// # Errors
    /// The first value that doesn't fit, or is missing.
    pub fn row(&self, given: &Object, extent: Extent, unknown: Unknown) -> Result<Object, Wrong> {
        let mut row = Object::with_capacity(given.len());
        for (name, value) in given {
            match self.column(name) {
                Some(column) => {
                    let value = cell::read(column, value)?;
                    if value.is_null() && self.is_needed(column) {
                        return Err(self.empty(column));
                    }
                    row.insert(column.id.clone(), value);
                }
                None if unknown == Unknown::LeaveOut || RESERVED.contains(&name.as_str()) => {}
                None => return Err(self.no_column(name)),
            }
        }
        let missing = self.columns.iter().filter(|column| !row.contains_key(&column.id)).find(|column| match extent {
            Extent::Whole => self.is_needed(column),
            Extent::Part { with_key } => with_key && self.key.contains(&column.id),
        });
        if let Some(column) = missing {
            return Err(self.empty(column));
        }
        let size = crate::json::size(&Json::Object(row.clone()));
        if size > LARGEST_ROW {
            return Err(Wrong::new(format!("The row has {} KB; a row has {} KB at most.", size >> 10, LARGEST_ROW >> 10)));
        }
        Ok(row)
    }

    fn empty(&self, column: &Column) -> Wrong {
        let why = if self.key.contains(&column.id) { "it is part of the table's key" } else { "every row needs it" };
        Wrong::at(&column.name, format!("“{}” is empty, and {why}.", column.name))
    }

    /// A stored row as people and expressions see it: every column by its name, null where it is empty.
    pub fn shown(&self, stored: &Object) -> Object {
        let value = |column: &Column| stored.get(&column.id).cloned().unwrap_or(Json::Null);
        self.columns.iter().map(|column| (column.name.clone(), value(column))).collect()
    }

    /// An example of a row, for mapping before there is one.
    pub fn example(&self) -> Object {
        self.columns.iter().map(|column| (column.name.clone(), cell::example(column))).collect()
    }

    /// Is this a table that can be made? Names get their blanks trimmed, columns without an id get one.
    ///
    /// # Errors
    /// What is wrong first, with the column that it is about.
    pub fn tidy(mut self) -> Result<Self, Wrong> {
        if self.columns.is_empty() {
            return Err(Wrong::new("A table needs at least one column."));
        }
        if self.columns.len() > MOST_COLUMNS {
            return Err(Wrong::new(format!("A table has at most {MOST_COLUMNS} columns.")));
        }
        let mut names = HashSet::new();
        let mut ids: HashSet<String> = HashSet::new();
        for column in &mut self.columns {
            column.name = name(&column.name, "column")?;
            if RESERVED.contains(&column.name.to_lowercase().as_str()) {
                return Err(Wrong::at(&column.name, format!("Every row has “{}” already. Choose another name.", column.name)));
            }
            if !names.insert(column.name.to_lowercase()) {
                return Err(Wrong::at(&column.name, format!("Two columns have the name “{}”.", column.name)));
            }
            if !column.id.is_empty() && !ids.insert(column.id.clone()) {
                return Err(Wrong::at(&column.name, format!("Two columns have the id \"{}\".", column.id)));
            }
            options(column)?;
        }
        let mut next = 0_usize;
        for column in self.columns.iter_mut().filter(|column| column.id.is_empty()) {
            column.id = loop {
                next += 1;
                let id = format!("c{next}");
                if ids.insert(id.clone()) {
                    break id;
                }
            };
        }
        if self.key.len() > MOST_KEYS {
            return Err(Wrong::new(format!("A key has at most {MOST_KEYS} columns.")));
        }
        let mut keys = HashSet::new();
        for id in &self.key {
            match self.by_id(id) {
                None => return Err(Wrong::new("The table's key names a column that isn't there.")),
                Some(column) if column.kind == ColumnKind::Json => {
                    return Err(Wrong::at(&column.name, format!("“{}” holds JSON and can't be part of the key.", column.name)));
                }
                Some(column) if !keys.insert(id) => {
                    return Err(Wrong::at(&column.name, format!("“{}” is in the key twice.", column.name)));
                }
                Some(_) => {}
            }
        }
        Ok(self)
    }
}

/// A name of a table or a column, as a person typed it.
///
/// # Errors
/// A sentence when it can't be one.
pub fn name(typed: &str, of: &str) -> Result<String, Wrong> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Wrong::new(format!("Give the {of} a name.")));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(Wrong::at(&name, format!("The name of a {of} has at most {LONGEST_NAME} characters.")));
    }
    if name.chars().any(char::is_control) || name.contains(['"', '\\', '{', '}']) {
        return Err(Wrong::at(&name, format!("The name of a {of} can't have quotation marks, braces or backslashes.")));
    }
    Ok(name)
}

fn options(column: &mut Column) -> Result<(), Wrong> {
    if column.kind != ColumnKind::Choice {
        column.options.clear();
        return Ok(());
    }
    let options = column.options.iter().map(|option| option.trim().to_owned()).filter(|option| !option.is_empty()).collect();
    column.options = options;
    let mut seen = HashSet::new();
    if column.options.is_empty() {
        return Err(Wrong::at(&column.name, format!("“{}” is a choice and needs options to choose from.", column.name)));
    }
    if column.options.len() > MOST_OPTIONS || column.options.iter().any(|option| option.chars().count() > 100) {
        return Err(Wrong::at(
            &column.name,
            format!("“{}” has at most {MOST_OPTIONS} options of at most 100 characters.", column.name),
        ));
    }
    match column.options.iter().find(|option| option.contains('\0') || !seen.insert(option.to_lowercase())) {
        Some(option) => Err(Wrong::at(&column.name, format!("“{}” has the option “{option}” twice.", column.name))),
        None => Ok(()),
    }
}
