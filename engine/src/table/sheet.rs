//! A table as a CSV file: read line by line so that a mistake is told with its line, and written so that a spreadsheet takes no text for a
//! formula.

use super::{Column, ColumnKind, Extent, Schema, Unknown, Wrong, cell};
use crate::{
    Json, Object,
    expr::{
        filters::csv::{guess, open_quote},
        print,
    },
    json,
};
use std::collections::HashSet;

/// The most lines of a file that is read.
pub const MOST_LINES: usize = 100_000;
/// Mistakes that are told; whoever has more has seen enough.
const MOST_TOLD: usize = 50;
/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A file, read: the names of its columns, and its lines with their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    pub names: Vec<String>,
    pub lines: Vec<(u64, Vec<String>)>,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// As a text editor counts; `None`: about the file as a whole.
    pub line: Option<u64>,
    pub message: String,
}

/// What a file comes to for a table: its rows, or what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Fitted {
    /// By the columns' ids, with the numbers of their lines.
    pub rows: Vec<(u64, Object)>,
    pub mistakes: Vec<Mistake>,
    /// How many mistakes there are; not all are told.
    pub wrong: usize,
    /// Columns of the file that the table has none for.
    pub left_out: Vec<String>,
}

impl Sheet {
    /// Reads a file whose first line has the names of the columns. The separator is found out.
    ///
    /// # Errors
    /// A sentence, with the line where there is one.
    pub fn read(text: &str) -> Result<Self, Mistake> {
        let whole = |message: &str| Mistake { line: None, message: message.to_owned() };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(whole("The file is empty. Its first line holds the names of the columns."));
        }
        if text.contains('\0') {
            return Err(whole("This is no text file: it holds the character NUL. Save it as CSV (UTF-8) and try again."));
        }
        let separator = guess(text);
        if let Some(at) = open_quote(text, separator) {
            let place = json::place(&text.as_bytes()[..at]);
            return Err(whole(&format!("This quotation mark is never closed ({place}).")));
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
        let (mut names, mut lines) = (None::<Vec<String>>, Vec::new());
        let mut counting = Counting { text: text.as_bytes(), at: 0, line: 1 };
        for record in reader.records() {
            let record = record.map_err(|_| whole("This text can't be read as CSV."))?;
            let line = counting.line_at(record.position().map_or(0, csv::Position::byte));
            let cells: Vec<String> = record.iter().map(armed).collect();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let Some(names) = &names else {
                names = Some(cells.into_iter().map(|name| name.split_whitespace().collect::<Vec<_>>().join(" ")).collect());
                continue;
            };
            if cells.len() > names.len() && cells[names.len()..].iter().any(|cell| !cell.trim().is_empty()) {
                let message = format!("This line has {} cells, and the first line names {} columns.", cells.len(), names.len());
                return Err(Mistake { line: Some(line), message });
            }
            if lines.len() == MOST_LINES {
                return Err(whole("The file has more than 100,000 lines. Import it in parts."));
            }
            lines.push((line, cells));
        }
        let names = names.unwrap_or_default();
        let mut seen = HashSet::new();
        for name in names.iter().filter(|name| !name.is_empty()) {
            if !seen.insert(name.to_lowercase()) {
                return Err(Mistake { line: Some(1), message: format!("Two columns have the name “{name}”.") });
            }
        }
        Ok(Self { names, lines })
    }

    /// The columns that a table made for this file would have.
    pub fn columns(&self) -> Vec<Column> {
        let kinds = |at: usize| cell::guess(self.lines.iter().filter_map(move |(_, cells)| cells.get(at)).map(String::as_str));
        let named = self.names.iter().enumerate().filter(|(_, name)| !name.is_empty());
        named
            .map(|(at, name)| Column { id: String::new(), name: name.clone(), kind: kinds(at), required: false, options: vec![] })
            .collect()
    }

    /// Reads the lines as rows of a table. Columns that the table doesn't have are left out, and named.
    pub fn fit(&self, schema: &Schema) -> Fitted {
        let mut fitted = Fitted::default();
        let columns: Vec<Option<&Column>> = self.names.iter().map(|name| schema.column(name)).collect();
        let unknown = self
            .names
            .iter()
            .zip(&columns)
            .filter(|(name, column)| column.is_none() && !name.is_empty() && !super::RESERVED.contains(&name.as_str()));
        fitted.left_out = unknown.map(|(name, _)| name.clone()).collect();
        if columns.iter().all(Option::is_none) {
            let has = schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!(
                "The first line names none of the table's columns. It has: {}. The table has: {has}.",
                self.names.join(", ")
            );
            fitted.tell(Some(1), message);
            return fitted;
        }
        for (line, cells) in &self.lines {
            let mut given = Object::new();
            for (cell, column) in cells.iter().zip(&columns) {
                if let Some(column) = column {
                    given.insert(column.name.clone(), written(column, cell));
                }
            }
            match schema.row(&given, Extent::Whole, Unknown::Refuse) {
                Ok(row) => fitted.rows.push((*line, row)),
                Err(Wrong { message, .. }) => fitted.tell(Some(*line), message),
            }
        }
        fitted
    }
}

/// Counts lines as a text editor does. The reader's own count is of the place where the line before ended.
struct Counting<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Counting<'_> {
    fn line_at(&mut self, byte: u64) -> u64 {
        let until = usize::try_from(byte).unwrap_or(usize::MAX).max(self.at);
        while let Some(byte) = self.text.get(self.at).filter(|byte| self.at < until || matches!(byte, b'\r' | b'\n')) {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

impl Fitted {
    /// Notes one more mistake.
    pub fn tell(&mut self, line: Option<u64>, message: String) {
        self.wrong += 1;
        if self.mistakes.len() < MOST_TOLD {
            self.mistakes.push(Mistake { line, message });
        }
    }
}

/// A cell of a file as a value: JSON where the column holds JSON and the text is some, else the text.
fn written(column: &Column, text: &str) -> Json {
    let json = (column.kind == ColumnKind::Json).then(|| serde_json::from_str(text).ok()).flatten();
    json.unwrap_or_else(|| text.into())
}

/// A value as a cell of a file. A text that a spreadsheet would take for a formula gets an apostrophe in front.
pub fn cell_of(kind: ColumnKind, value: &Json) -> String {
    let text = print::text(value);
    match kind {
        ColumnKind::Text | ColumnKind::Choice | ColumnKind::Json if text.starts_with(FORMULA) => format!("'{text}"),
        _ => text,
    }
}

/// The opposite: what was exported comes back as it was.
fn armed(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

/// Lines of a file.
pub fn write(lines: &[Vec<String>]) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        // Writing into memory fails for no line that is even.
        let _ = writer.write_record(line);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
