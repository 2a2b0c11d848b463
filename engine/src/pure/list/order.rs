//! Which of two values comes first: numbers by size, dates by time, texts by their letters without regard to capitals. What a column
//! of values is, is decided for the whole column, so that the order is one.

use crate::{
    Json,
    expr::{
        moment,
        number::Num,
        print,
        value::{is_empty, show},
    },
};
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// As what the values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    /// As numbers if all can be, else as dates if all can be, else as texts.
    Fitting,
    Number,
    Date,
    Text,
}

impl As {
    pub const WORDS: [&'static str; 4] = ["fitting", "number", "date", "text"];

    pub fn named(word: &str) -> Self {
        match word {
            "number" => Self::Number,
            "date" => Self::Date,
            "text" => Self::Text,
            _ => Self::Fitting,
        }
    }
}

/// A value of each item, ready to be compared. Those that are missing or empty come last, whichever the direction.
#[derive(Debug)]
pub(super) enum Column {
    Numbers(Vec<Option<Num>>),
    Dates(Vec<Option<DateTime<Utc>>>),
    Texts(Vec<Option<(String, String)>>),
}

impl Column {
    /// Errors name the item by its index, and say what is wrong with its value.
    pub fn of(values: &[Option<Json>], read: As) -> Result<Self, (usize, String)> {
        match read {
            As::Fitting => Ok(Self::fitting(values)),
            As::Number => column(values, Num::read, "a number").map(Self::Numbers),
            As::Date => column(values, date, &format!("a date, {}", moment::FORMS)).map(Self::Dates),
            As::Text => Ok(Self::texts(values)),
        }
    }

    fn fitting(values: &[Option<Json>]) -> Self {
        if let Ok(numbers) = column(values, Num::read, "") {
            return Self::Numbers(numbers);
        }
        // A number alone is no date here: a column of numbers and dates is neither.
        match column(values, |value| value.as_str().and_then(moment::parse).map(|moment| moment.to_utc()), "") {
            Ok(dates) => Self::Dates(dates),
            Err(_) => Self::texts(values),
        }
    }

    fn texts(values: &[Option<Json>]) -> Self {
        let text = |value: &Json| {
            let text = print::text(value);
            (text.to_lowercase(), text)
        };
        Self::Texts(values.iter().map(|value| value.as_ref().filter(|value| !is_empty(value)).map(text)).collect())
    }

    /// Which of the items at these two places comes first.
    pub fn compare(&self, a: usize, b: usize, descending: bool) -> Ordering {
        match self {
            Self::Numbers(numbers) => {
                order(&numbers[a], &numbers[b], descending, |a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal))
            }
            Self::Dates(dates) => order(&dates[a], &dates[b], descending, Ord::cmp),
            Self::Texts(texts) => order(&texts[a], &texts[b], descending, Ord::cmp),
        }
    }

    /// Is there a value at this place?
    pub fn has(&self, index: usize) -> bool {
        match self {
            Self::Numbers(numbers) => numbers[index].is_some(),
            Self::Dates(dates) => dates[index].is_some(),
            Self::Texts(texts) => texts[index].is_some(),
        }
    }

    /// The number at this place, if the column is one of numbers.
    pub fn number(&self, index: usize) -> Option<Num> {
        match self {
            Self::Numbers(numbers) => numbers[index],
            Self::Dates(_) | Self::Texts(_) => None,
        }
    }
}

fn date(value: &Json) -> Option<DateTime<Utc>> {
    moment::read(value).map(|moment| moment.to_utc())
}

fn column<T>(values: &[Option<Json>], read: impl Fn(&Json) -> Option<T>, what: &str) -> Result<Vec<Option<T>>, (usize, String)> {
    let one = |(index, value): (usize, &Option<Json>)| match value.as_ref().filter(|value| !is_empty(value)) {
        None => Ok(None),
        Some(value) => read(value).map(Some).ok_or_else(|| (index, format!("{} can't be read as {what}.", show(value)))),
    };
    values.iter().enumerate().map(one).collect()
}

fn order<T>(a: &Option<T>, b: &Option<T>, descending: bool, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => compare(b, a),
        (Some(a), Some(b)) => compare(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
