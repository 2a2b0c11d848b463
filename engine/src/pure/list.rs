//! Steps over lists, and what they share: how a list is read, how an item is named in an error, what makes two keys the same and
//! which of two values comes first. A list has at most [`MAX_ITEMS`] items; each step goes through it once or sorts it.

pub(super) mod collect;
pub(super) mod deduplicate;
pub(super) mod filter;
pub(super) mod group;
pub(super) mod join;
pub(super) mod key;
pub(super) mod map;
mod order;
pub(super) mod reconcile;
pub(super) mod sort;
pub(super) mod split;
#[cfg(test)]
mod tests;

use super::{
    data::{Form, object, room},
    refuse, shown,
};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template, items::Items},
    json,
};
use key::Key;

/// How many items a list of a step may have, and how many it may give.
pub const MAX_ITEMS: usize = 100_000;

/// A field that holds a list.
#[derive(Debug)]
pub(super) struct List {
    field: &'static str,
    /// What is said after "item 3", such as " of the second list".
    words: &'static str,
    pub template: Template,
}

impl List {
    pub fn needed(form: &Form<'_>, field: &'static str, title: &str, words: &'static str) -> Result<Self, ExprError> {
        Ok(Self { field, words, template: form.needed(field, title)? })
    }

    /// The items. Null is an empty list; a value that is missing is none at all.
    pub fn read(&self, context: &Context) -> Result<Vec<Json>, StepError> {
        let resolved = self.template.resolve_noting(context).map_err(|error| error.within(self.field))?;
        match (resolved.value, resolved.missing.into_iter().next()) {
            (Some(Json::Array(items)), _) if items.len() <= MAX_ITEMS => Ok(items),
            (Some(Json::Array(items)), _) => {
                Err(refuse(self.field, format!("This list has {} items; a step works on {MAX_ITEMS} at most.", items.len())))
            }
            (Some(Json::Null), _) => Ok(Vec::new()),
            (None, Some(why)) => Err(StepError::from(why.within(self.field)).hint("Pick a field that holds a list.")),
            (value, _) => Err(refuse(self.field, format!("A list is needed here, not {}.", shown(value.as_ref())))
                .hint("Pick a field that holds a list: the data below the form shows how many items each has.")),
        }
    }

    /// An error at one of the items, in the field whose value it was.
    pub fn at(&self, index: usize, field: &str, error: ExprError) -> StepError {
        let mut error = StepError::from(error.within(field));
        error.message = format!("Item {}{}: {}", index + 1, self.words, error.message);
        error
    }

    /// [`List::at`] for what no expression said.
    pub fn refuse(&self, index: usize, field: &str, message: &str) -> StepError {
        self.at(index, field, ExprError::new(message))
    }

    /// The key of each item, worked out by `template`; of the item itself where there is none.
    pub fn keys(
        &self,
        list: &[Json],
        template: Option<&Template>,
        field: &str,
        fold: bool,
        context: &Context,
    ) -> Result<Vec<Option<Key>>, StepError> {
        match template {
            None => Ok(list.iter().map(|item| Key::of(Some(item), fold)).collect()),
            Some(template) => {
                let values = self.values(list, template, field, context)?;
                Ok(values.iter().map(|value| Key::of(value.as_ref(), fold)).collect())
            }
        }
    }

    /// A value of each item; `None` where it is missing.
    pub fn values(
        &self,
        list: &[Json],
        template: &Template,
        field: &str,
        context: &Context,
    ) -> Result<Vec<Option<Json>>, StepError> {
        let (items, mut bytes) = (Items::over(context, list.len()), 0);
        let value = |(index, item): (usize, &Json)| {
            let value = items.at(item, index).resolve(template).map_err(|error| self.at(index, field, error))?;
            bytes += value.as_ref().map_or(0, json::size);
            room(bytes)?;
            Ok(value)
        };
        list.iter().enumerate().map(value).collect()
    }
}

/// `{ "items": …, "count": … }`, and more.
fn listed(items: Vec<Json>, more: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    let count = items.len();
    object([("items", Json::Array(items)), ("count", count.into())].into_iter().chain(more))
}
