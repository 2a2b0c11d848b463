//! Lists in pages: `?after=…&limit=…` in, `{ "items": […], "next": … }` out. `next` is what the next request says as `after`; it is
//! null on the last page.

use super::extract::Asked;
use crate::{app::App, problem::Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How many items a page has when nobody says.
const USUAL: u16 = 50;
/// The most items of a page.
pub const MOST: u16 = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asking<C> {
    /// The `next` of the page before.
    after: Option<C>,
    /// How many items, from 1 to 200; 50 unless given.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// Which page is asked for. An extractor on routes of lists that take nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Window<C> {
    pub after: Option<C>,
    limit: u16,
}

impl<C> Window<C> {
    /// # Errors
    /// `InvalidInput` at `limit` unless it is within 1 and 200.
    pub fn new(after: Option<C>, limit: Option<u16>) -> Result<Self, Problem> {
        match limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(Self { after, limit }),
            _ => Err(Problem::invalid("limit", "Ask for 1 to 200 items at once.")),
        }
    }

    /// How many rows to read: one more than the page has, to know whether there is another.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page made of those rows.
    pub fn page<R, T>(&self, mut rows: Vec<R>, cursor: impl Fn(&R) -> String, item: impl FnMut(R) -> T) -> Page<T> {
        let more = rows.len() > usize::from(self.limit);
        rows.truncate(usize::from(self.limit));
        let next = rows.last().filter(|_| more).map(cursor);
        Page { items: rows.into_iter().map(item).collect(), next }
    }
}

impl<C: DeserializeOwned> FromRequestParts<App> for Window<C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Asked(Asking { after, limit }) = Asked::<Asking<C>>::from_request_parts(parts, app).await?;
        Self::new(after, limit)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to ask for as `after`; null on the last page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_the_next_only_when_there_is_one() {
        let window = Window::<u8>::new(None, Some(2)).unwrap();
        assert_eq!(window.rows(), 3);
        let page = |rows: Vec<u8>| window.page(rows, u8::to_string, |row| row);
        assert_eq!(page(vec![1, 2, 3]).next.as_deref(), Some("2"));
        assert_eq!(page(vec![1, 2, 3]).items, [1, 2]);
        assert_eq!(page(vec![1, 2]).next, None);
        assert!(Window::<u8>::new(None, Some(0)).is_err() && Window::<u8>::new(None, Some(201)).is_err());
    }
}
