//! A file for a table: chosen, then looked at, then taken in.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "tables/import.html")]
pub struct Import {
    pub page: Page,
    pub id: String,
    pub name: String,
    pub columns: String,
    /// The names of the key's columns; none: rows can't be told apart.
    pub key: String,
    pub csv: String,
    pub upsert: bool,
    /// Absent before there is a file.
    pub preview: Option<Preview>,
}

impl Import {
    /// Is a file asked for: the first, or one that has no mistakes?
    fn asks(&self) -> bool {
        self.preview.as_ref().is_none_or(|preview| !preview.mistakes.is_empty())
    }
}

pub struct Preview {
    pub rows: String,
    pub wrong: String,
    pub left_out: Vec<String>,
    /// Line and sentence.
    pub mistakes: Vec<(Option<u64>, String)>,
    /// How many mistakes aren't told.
    pub more: usize,
    pub heads: Vec<String>,
    /// The first rows, as they would be kept.
    pub first: Vec<Vec<String>>,
}
