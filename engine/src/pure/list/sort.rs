//! `list.sort`: the same items in order, by up to three values of each. Items that are equal in all of them stay as they were.

use super::{
    List, listed,
    order::{As, Column},
};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template},
    pure::data::{Compiled, DataStep, Form},
};
use std::cmp::Ordering;

#[derive(Debug)]
struct Sort {
    list: List,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    field: &'static str,
    /// `None`: the item itself.
    by: Option<Template>,
    descending: bool,
    read: As,
}

impl Level {
    fn of(form: &Form<'_>, field: &'static str, order: &'static str, read: &'static str) -> Result<Self, ExprError> {
        Ok(Self {
            field,
            by: form.template(field)?,
            descending: form.choice(order, &["ascending", "descending"])? == "descending",
            read: As::named(form.choice(read, &As::WORDS)?),
        })
    }
}

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let list = List::needed(form, "list", "The list", "")?;
    let mut levels = vec![Level::of(form, "by", "order", "read")?];
    for (field, order, read) in [("then_by", "then_order", "then_read"), ("last_by", "last_order", "last_read")] {
        let level = Level::of(form, field, order, read)?;
        if level.by.is_some() {
            levels.push(level);
        }
    }
    Ok(Box::new(Sort { list, levels }))
}

impl DataStep for Sort {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let list = self.list.read(context)?;
        let mut columns = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            let values = match &level.by {
                Some(by) => self.list.values(&list, by, level.field, context)?,
                None => list.iter().cloned().map(Some).collect(),
            };
            let column = Column::of(&values, level.read);
            columns.push((column.map_err(|(index, message)| self.list.refuse(index, level.field, &message))?, level.descending));
        }
        let mut places: Vec<usize> = (0..list.len()).collect();
        places.sort_by(|a, b| {
            let orders = columns.iter().map(|(column, descending)| column.compare(*a, *b, *descending));
            orders.fold(Ordering::Equal, Ordering::then)
        });
        let mut list: Vec<Option<Json>> = list.into_iter().map(Some).collect();
        Ok(listed(places.into_iter().filter_map(|place| list[place].take()).collect(), []))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        let levels = self.levels.iter().filter_map(|level| level.by.as_ref()).map(|template| (template, true));
        std::iter::once((&self.list.template, false)).chain(levels).collect()
    }
}
