//! CSV, written and read.

use crate::{
    Json, Object,
    expr::{
        MAX_TOTAL,
        error::Fault,
        functions::Arguments,
        print,
        value::{Val, count, is_true, wrong},
    },
    json,
};

type Value<'a> = Result<Val<'a>, Fault>;

/// The most cells that a table may have.
const MOST: usize = 200_000;

fn separator(call: &mut Arguments<'_>) -> Result<Option<u8>, Fault> {
    if !call.given(1) {
        return Ok(None);
    }
    let written = call.text(1)?;
    match (&*written, written.as_bytes()) {
        ("tab" | "\\t", _) => Ok(Some(b'\t')),
        (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(Fault::new("The separator of CSV is one character, such as a comma, a semicolon or tab.")
            .saw(format!("\"{written}\""))),
    }
}

fn header(call: &mut Arguments<'_>) -> Result<bool, Fault> {
    if call.given(2) { Ok(is_true(call.take(2)?.json()?)) } else { Ok(true) }
}

/// `list | csv`
pub(super) fn write(mut call: Arguments<'_>) -> Value<'_> {
    let rows = call.list(0)?;
    let separator = separator(&mut call)?.unwrap_or(b',');
    let header = header(&mut call)?;
    write_rows(&rows, separator, header, |steps| call.scope.spend(steps), |bytes| call.scope.room(bytes)).map(Val::text)
}

/// Writes a list of objects (their fields are the columns) or of lists as a table. `spend` is asked for the work, `room` for the bytes
/// so far.
pub(crate) fn write_rows(
    rows: &[Json],
    separator: u8,
    header: bool,
    spend: impl Fn(usize) -> Result<(), Fault>,
    room: impl Fn(usize) -> Result<(), Fault>,
) -> Result<String, Fault> {
    let mut columns: Vec<&str> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for row in rows {
        match row {
            Json::Object(fields) => columns.extend(fields.keys().map(String::as_str).filter(|name| known.insert(*name))),
            Json::Array(_) => {}
            other => return Err(wrong("csv", "a list of objects or of lists", other)),
        }
    }
    spend(rows.len().saturating_mul(columns.len()) / 8)?;
    let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
    let failed = |_| Fault::new("This can't be written as CSV.");
    if header && !columns.is_empty() {
        writer.write_record(&columns).map_err(failed)?;
    }
    let null = Json::Null;
    let mut written = 0;
    for row in rows {
        let cells: Vec<String> = match row {
            Json::Object(fields) => columns.iter().map(|name| print::text(fields.get(*name).unwrap_or(&null))).collect(),
            Json::Array(items) => items.iter().map(print::text).collect(),
            _ => Vec::new(),
        };
        written += cells.iter().map(|cell| cell.len() + 1).sum::<usize>();
        room(written)?;
        writer.write_record(&cells).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|_| Fault::new("This can't be written as CSV."))?;
    String::from_utf8(bytes).map_err(|_| Fault::new("This can't be written as CSV."))
}

/// The separator that splits the first line most often.
pub(crate) fn guess(text: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => counts.iter_mut().filter(|(separator, _)| *separator == byte).for_each(|(_, count)| *count += 1),
            _ => {}
        }
    }
    // The first of several equal ones: a comma when nothing separates.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| *separator)
}

/// `text | parse_csv`
pub(super) fn read(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let separator = separator(&mut call)?;
    let header = header(&mut call)?;
    let reading = Reading { separator, header, most_cells: MOST, most_rows: usize::MAX, even: false };
    read_rows(&text, &reading, |steps| call.scope.spend(steps)).map(|rows| Json::Array(rows).into())
}

/// How a table is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Found out where it isn't named.
    pub separator: Option<u8>,
    /// Does the first line hold the columns' names?
    pub header: bool,
    pub most_cells: usize,
    pub most_rows: usize,
    /// Are lines refused that have more or fewer cells than the first?
    pub even: bool,
}

/// Reads a table: an object for each line, named by the first, or a list of cells. Cells are text. `spend` is asked for the work.
pub(crate) fn read_rows(text: &str, reading: &Reading, spend: impl Fn(usize) -> Result<(), Fault>) -> Result<Vec<Json>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = reading.separator.unwrap_or_else(|| guess(text));
    if let Some(at) = open_quote(text, separator) {
        return Err(Fault::new(format!("This quotation mark is never closed ({}).", json::place(&text.as_bytes()[..at]))));
    }
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut rows, mut names, mut cells, mut width) = (Vec::new(), None::<Vec<String>>, 0, None);
    // Every line repeats the names of the columns.
    let (mut repeated, mut made) = (0, text.len());
    for record in reader.records() {
        let record = record.map_err(|_| Fault::new("This text can't be read as CSV."))?;
        let line = record.position().map_or(0, csv::Position::line);
        cells += record.len();
        spend(record.len() / 8)?;
        if cells > reading.most_cells || rows.len() >= reading.most_rows {
            let (most, what) =
                if cells > reading.most_cells { (reading.most_cells, "cells") } else { (reading.most_rows, "lines") };
            let most = super::write_whole(i64::try_from(most).unwrap_or(i64::MAX), "en");
            return Err(Fault::new(format!("This table has more than {most} {what}.")));
        }
        made += repeated;
        if made > MAX_TOTAL {
            return Err(Fault::new("The names of this table's columns are too long for so many lines."));
        }
        let width = *width.get_or_insert(record.len());
        if reading.even && record.len() != width {
            let (has, first) = (count(record.len(), "cell"), count(width, "cell"));
            let column = record.len().min(width) + 1;
            return Err(Fault::new(format!("Line {line} has {has} and the first line {first} (line {line}, cell {column}).")));
        }
        match (&names, reading.header) {
            (None, true) => {
                repeated = record.as_slice().len() + record.len() * 8;
                names = Some(record.iter().map(|name| name.trim().to_owned()).collect());
            }
            (Some(names), true) => {
                let mut row: Object = names.iter().zip(&record).map(|(name, cell)| (name.clone(), cell.into())).collect();
                // Cells without a name of their own are named by their place.
                for (index, cell) in record.iter().enumerate().skip(names.len()) {
                    row.insert(format!("column {}", index + 1), cell.into());
                }
                rows.push(Json::Object(row));
            }
            (_, false) => rows.push(Json::Array(record.iter().map(Json::from).collect())),
        }
    }
    Ok(rows)
}

/// Where a quotation mark stands that opens a cell and that nothing closes: the rest of the text would silently be one cell.
pub(crate) fn open_quote(text: &str, separator: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut begins) = (0, true);
    while at < bytes.len() {
        if begins && bytes[at] == b'"' {
            let opened = at;
            at += 1;
            loop {
                match (bytes.get(at), bytes.get(at + 1)) {
                    (None, _) => return Some(opened),
                    (Some(b'"'), Some(b'"')) => at += 2,
                    (Some(b'"'), _) => break,
                    _ => at += 1,
                }
            }
            at += 1;
            begins = false;
            continue;
        }
        begins = matches!(bytes[at], b'\n' | b'\r') || bytes[at] == separator;
        at += 1;
    }
    None
}
