//! The filters and functions, one file for each group. They get evaluated arguments, look at nothing else, and say in a sentence
//! what they can't work with. What they make is bounded before it is made.

pub(crate) mod csv;
mod data;
mod date;
mod date_pattern;
mod list;
mod locale;
mod number;
mod object;
mod text;
pub(crate) mod xml;

use super::functions::Function;

pub(super) fn all() -> Vec<Function> {
    [text::TABLE, number::TABLE, date::TABLE, list::TABLE, object::TABLE, data::TABLE].concat()
}

/// Can numbers and amounts of money be written in this language? It is named by its BCP 47 tag, such as `de` or `de-CH`.
pub fn knows_language(tag: &str) -> bool {
    locale::find(tag).is_ok()
}

/// A whole number as this language writes it; an unknown language writes it as English does.
pub fn write_whole(number: i64, language: &str) -> String {
    let locale = locale::find(language).or_else(|_| locale::find("en"));
    locale.map_or_else(|_| number.to_string(), |locale| locale.number(number.into(), None))
}

/// Filters that people know by another name from elsewhere.
pub(super) const OTHER_NAMES: &[(&str, &str)] = &[
    ("capitalize", "title"),
    ("count", "length"),
    ("date_format", "format_date"),
    ("format", "format_date (for dates) or format_number"),
    ("float", "number"),
    ("from_json", "parse_json"),
    ("int", "number"),
    ("lowercase", "lower"),
    ("map", "map_to"),
    ("nl2br", "replace"),
    ("select", "filter_by"),
    ("size", "length"),
    ("string", "text"),
    ("strip", "trim"),
    ("to_json", "json"),
    ("tojson", "json"),
    ("uppercase", "upper"),
    ("urlencode", "url_encode"),
    ("where", "filter_by"),
];
