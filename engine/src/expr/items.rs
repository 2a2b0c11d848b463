//! Expressions over the items of a list that one step works on: `item` and `index` beside everything that the run knows. What the
//! templates of one step take for all of its items together is bounded.

use super::{
    context::Context,
    error::ExprError,
    eval::Allowance,
    template::{Resolved, Template},
};
use crate::Json;

/// An item, and its place in its list, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub value: &'a Json,
    pub index: usize,
}

/// The work on one list: where it happens, and how much of it may still be done.
pub(crate) struct Items<'c> {
    context: &'c Context,
    allowance: Allowance,
}

impl<'c> Items<'c> {
    /// Work on a list of that many items.
    pub fn over(context: &'c Context, count: usize) -> Self {
        Self { context, allowance: Allowance::for_items(count) }
    }

    /// At one of them.
    pub fn at<'a>(&'a self, value: &'a Json, index: usize) -> Here<'a> {
        Here { context: self.context, allowance: Some(&self.allowance), item: Some(Item { value, index }) }
    }
}

/// Where templates are worked out: at a step of a run, or at an item of a list there.
pub(crate) struct Here<'a> {
    context: &'a Context,
    /// What is shared with other templates; without one each has its own.
    allowance: Option<&'a Allowance>,
    item: Option<Item<'a>>,
}

impl<'a> Here<'a> {
    /// At the step, at no item.
    pub fn of(context: &'a Context) -> Self {
        Self { context, allowance: None, item: None }
    }

    pub fn resolve(&self, template: &Template) -> Result<Option<Json>, ExprError> {
        Ok(self.resolve_noting(template)?.value)
    }

    pub fn resolve_noting(&self, template: &Template) -> Result<Resolved, ExprError> {
        match self.allowance {
            Some(allowance) => template.resolve_within(self.context, allowance, self.item),
            None => template.resolve_within(self.context, &Allowance::full(), self.item),
        }
    }
}

/// The paths among these that lead into the run's data, without those of the item.
pub(crate) fn outside(paths: Vec<String>) -> impl Iterator<Item = String> {
    let own = |path: &String| {
        let root = &path[..path.find(['.', '[']).unwrap_or(path.len())];
        matches!(root, "item" | "index")
    };
    paths.into_iter().filter(move |path| !own(path))
}
