//! `csv.read` and `csv.write`.

use super::{room, source, unbounded, wrong};
use crate::{
    Json, Object,
    error::StepError,
    expr::{
        Context, ExprError, Template,
        filters::csv::{Reading, read_rows, write_rows},
        items::Items,
        number::Num,
        print,
    },
    json,
    pure::{
        MAX_ITEMS,
        data::{Compiled, DataStep, Form, object},
        list::List,
    },
};

/// The most cells of a table that is read.
const MOST_CELLS: usize = 2_000_000;

const SEPARATORS: [&str; 5] = ["found", "comma", "semicolon", "tab", "bar"];

fn separator(word: &str) -> Option<u8> {
    match word {
        "comma" => Some(b','),
        "semicolon" => Some(b';'),
        "tab" => Some(b'\t'),
        "bar" => Some(b'|'),
        _ => None,
    }
}

#[derive(Debug)]
struct Read {
    text: Template,
    reading: Reading,
    numbers: bool,
}

pub(in crate::pure) fn read(form: &Form<'_>) -> Compiled {
    let reading = Reading {
        separator: separator(form.choice("separator", &SEPARATORS)?),
        header: form.on("header", true)?,
        most_cells: MOST_CELLS,
        most_rows: MAX_ITEMS,
        even: form.choice("uneven", &["accept", "refuse"])? == "refuse",
    };
    Ok(Box::new(Read { text: form.needed("text", "The CSV text")?, reading, numbers: form.on("numbers", false)? }))
}

impl DataStep for Read {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let text = source(&self.text, context)?;
        let mut rows = read_rows(&text, &self.reading, unbounded).map_err(|fault| wrong("text", fault))?;
        if self.numbers {
            rows.iter_mut().for_each(count);
        }
        let columns: Vec<Json> = match rows.first() {
            Some(Json::Object(fields)) => fields.keys().map(|name| name.as_str().into()).collect(),
            _ => Vec::new(),
        };
        let count = rows.len();
        Ok(object([("items", Json::Array(rows)), ("count", count.into()), ("columns", Json::Array(columns))]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.text, false)]
    }
}

/// Turns the cells of a row into numbers that would be written the same way: `007` and `1e3` stay text.
fn count(row: &mut Json) {
    let cell = |cell: &mut Json| {
        if let Json::String(text) = cell
            && let Some(Ok(number)) = Num::parse(text).map(Num::into_json)
            && print::text(&number) == *text
        {
            *cell = number;
        }
    };
    match row {
        Json::Object(fields) => fields.values_mut().for_each(cell),
        Json::Array(cells) => cells.iter_mut().for_each(cell),
        _ => {}
    }
}

#[derive(Debug)]
struct Write {
    list: List,
    /// Name and value of each column; every field of the items where there is none.
    columns: Vec<(String, Template)>,
    separator: u8,
    header: bool,
    safe: bool,
}

pub(in crate::pure) fn write(form: &Form<'_>) -> Compiled {
    let separator = separator(form.choice("separator", &SEPARATORS[1..])?);
    Ok(Box::new(Write {
        list: List::needed(form, "list", "The list", "")?,
        columns: form.named("columns")?,
        separator: separator.ok_or_else(|| ExprError::new("Choose a separator.").within("separator"))?,
        header: form.on("header", true)?,
        safe: form.on("safe", false)?,
    }))
}

impl DataStep for Write {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let mut rows = self.list.read(context)?;
        if !self.columns.is_empty() {
            let (items, mut bytes) = (Items::over(context, rows.len()), 0);
            for (index, row) in rows.iter_mut().enumerate() {
                let mut cells = Object::with_capacity(self.columns.len());
                for (name, template) in &self.columns {
                    let value = items.at(row, index).resolve(template);
                    let value = value.map_err(|error| self.list.at(index, "columns", error.within(name)))?;
                    cells.insert(name.clone(), value.unwrap_or(Json::Null));
                }
                *row = Json::Object(cells);
                bytes += json::size(row);
                room(bytes).map_err(|fault| wrong("columns", fault))?;
            }
        }
        if self.safe {
            rows.iter_mut().for_each(disarm);
        }
        let text = write_rows(&rows, self.separator, self.header, unbounded, room).map_err(|fault| wrong("list", fault))?;
        Ok(object([("text", text.into()), ("count", rows.len().into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        let columns = self.columns.iter().map(|(_, template)| (template, true));
        std::iter::once((&self.list.template, false)).chain(columns).collect()
    }
}

/// Puts an apostrophe before texts that a spreadsheet would take for formulas.
fn disarm(row: &mut Json) {
    let cell = |cell: &mut Json| {
        if let Json::String(text) = cell
            && text.starts_with(['=', '+', '-', '@', '\t', '\r'])
            && Num::parse(text).is_none()
        {
            text.insert(0, '\'');
        }
    };
    match row {
        Json::Object(fields) => fields.values_mut().for_each(cell),
        Json::Array(cells) => cells.iter_mut().for_each(cell),
        _ => {}
    }
}
