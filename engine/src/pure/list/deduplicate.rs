//! `list.deduplicate`: of items with the same key only the first or the last.

use super::{List, key::Key, listed};
use crate::{
    Json,
    error::StepError,
    expr::{Context, Template},
    pure::data::{Compiled, DataStep, Form},
};
use std::collections::HashSet;

#[derive(Debug)]
struct Deduplicate {
    list: List,
    /// `None`: the item as a whole.
    key: Option<Template>,
    last: bool,
    fold: bool,
}

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    Ok(Box::new(Deduplicate {
        list: List::needed(form, "list", "The list", "")?,
        key: form.template("key")?,
        last: form.choice("keep", &["first", "last"])? == "last",
        fold: form.on("ignore_case", false)?,
    }))
}

impl DataStep for Deduplicate {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let list = self.list.read(context)?;
        let keys = self.list.keys(&list, self.key.as_ref(), "key", self.fold, context)?;
        let before = list.len();
        let mut seen: HashSet<Key> = HashSet::with_capacity(before);
        // What has no key is like no other item.
        let mut keep: Vec<bool> = vec![true; before];
        let mut look = |(keep, key): (&mut bool, Option<Key>)| *keep = key.is_none_or(|key| seen.insert(key));
        if self.last {
            keep.iter_mut().zip(keys).rev().for_each(&mut look);
        } else {
            keep.iter_mut().zip(keys).for_each(&mut look);
        }
        let kept: Vec<Json> = list.into_iter().zip(keep).filter_map(|(item, keep)| keep.then_some(item)).collect();
        let removed = before - kept.len();
        Ok(listed(kept, [("removed", removed.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        std::iter::once((&self.list.template, false)).chain(self.key.as_ref().map(|key| (key, true))).collect()
    }
}
