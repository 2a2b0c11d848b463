//! CSV, written and read.

use crate::{
    Json, Object,
    expr::{
        error::Fault,
        functions::Arguments,
        print,
        value::{Val, is_true, wrong},
    },
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
    let mut columns: Vec<&str> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for row in rows.iter() {
        match row {
            Json::Object(fields) => columns.extend(fields.keys().map(String::as_str).filter(|name| known.insert(*name))),
            Json::Array(_) => {}
            other => return Err(wrong("csv", "a list of objects or of lists", other)),
        }
    }
    call.scope.spend(rows.len().saturating_mul(columns.len()) / 8)?;
    let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
    let failed = |_| Fault::new("This can't be written as CSV.");
    if header && !columns.is_empty() {
        writer.write_record(&columns).map_err(failed)?;
    }
    let null = Json::Null;
    let mut written = 0;
    for row in rows.iter() {
        let cells: Vec<String> = match row {
            Json::Object(fields) => columns.iter().map(|name| print::text(fields.get(*name).unwrap_or(&null))).collect(),
            Json::Array(items) => items.iter().map(print::text).collect(),
            _ => Vec::new(),
        };
        written += cells.iter().map(|cell| cell.len() + 1).sum::<usize>();
        call.scope.room(written)?;
        writer.write_record(&cells).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|_| Fault::new("This can't be written as CSV."))?;
    String::from_utf8(bytes).map(Val::text).map_err(|_| Fault::new("This can't be written as CSV."))
}

/// The separator that splits the first line most often.
fn guess(text: &str) -> u8 {
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
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let separator = separator(&mut call)?.unwrap_or_else(|| guess(text));
    let header = header(&mut call)?;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut rows, mut names, mut cells) = (Vec::new(), None::<Vec<String>>, 0);
    for record in reader.records() {
        let record = record.map_err(|_| Fault::new("This text can't be read as CSV."))?;
        cells += record.len();
        call.scope.spend(record.len() / 8)?;
        if cells > MOST {
            return Err(Fault::new("This table has more than 200,000 cells."));
        }
        match (&names, header) {
            (None, true) => names = Some(record.iter().map(|name| name.trim().to_owned()).collect()),
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
    Ok(Json::Array(rows).into())
}
