//! `list.group`: the items that share a key, together, with how many they are and what their values come to.

use super::{
    List,
    key::Key,
    order::{As, Column},
};
use crate::{
    Json, Object,
    error::StepError,
    expr::{
        Context, ExprError, Template,
        number::{self, Num},
    },
    json,
    pure::data::{Compiled, DataStep, Form, object, room},
};
use indexmap::IndexMap;
use std::cmp::Ordering;

#[derive(Debug)]
struct Group {
    list: List,
    key: Template,
    fold: bool,
    totals: Vec<Total>,
    keep: bool,
}

/// What the values of a group come to.
#[derive(Debug)]
struct Total {
    what: What,
    name: String,
    of: Template,
    /// The place in the form, for errors: `sum.revenue`.
    field: String,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Sum,
    Average,
    Smallest,
    Largest,
}

const TOTALS: [(&str, What); 4] =
    [("sum", What::Sum), ("average", What::Average), ("smallest", What::Smallest), ("largest", What::Largest)];

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let list = List::needed(form, "list", "The list", "")?;
    let key = form.needed("key", "Group by")?;
    let mut totals: Vec<Total> = Vec::new();
    for (field, what) in TOTALS {
        for (name, of) in form.named(field)? {
            if totals.iter().any(|total| total.name == name) {
                let message = format!("Two totals are called “{name}”. Give each its own name.");
                return Err(ExprError::new(message).within(&name).within(field));
            }
            totals.push(Total { what, of, field: format!("{field}.{name}"), name });
        }
    }
    let (fold, keep) = (form.on("ignore_case", false)?, form.on("keep_items", true)?);
    Ok(Box::new(Group { list, key, fold, totals, keep }))
}

impl DataStep for Group {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let list = self.list.read(context)?;
        let keys = self.list.values(&list, &self.key, "key", context)?;
        let mut groups: IndexMap<Option<Key>, Vec<usize>> = IndexMap::new();
        for (index, key) in keys.iter().enumerate() {
            groups.entry(Key::of(key.as_ref(), self.fold)).or_default().push(index);
        }
        let mut columns = Vec::with_capacity(self.totals.len());
        for total in &self.totals {
            let values = self.list.values(&list, &total.of, &total.field, context)?;
            columns.push((total, total.column(&values, &self.list)?, values));
        }
        let mut keys = keys;
        let mut list: Vec<Option<Json>> = list.into_iter().map(Some).collect();
        let (mut out, mut bytes) = (Vec::with_capacity(groups.len()), 0);
        for places in groups.into_values() {
            let mut totals = Object::with_capacity(columns.len());
            for (total, column, values) in &columns {
                totals.insert(total.name.clone(), total.of_group(&places, column, values, &self.list)?);
            }
            bytes += totals.iter().map(|(name, value)| name.len() + json::size(value)).sum::<usize>();
            room(bytes)?;
            let key = places.first().and_then(|first| keys[*first].take()).unwrap_or(Json::Null);
            let fields = [("key", key), ("count", places.len().into()), ("totals", Json::Object(totals))];
            let items = self.keep.then(|| ("items", places.into_iter().filter_map(|place| list[place].take()).collect()));
            out.push(object(fields.into_iter().chain(items)));
        }
        let count = out.len();
        Ok(object([("groups", Json::Array(out)), ("count", count.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        let each = std::iter::once(&self.key).chain(self.totals.iter().map(|total| &total.of));
        std::iter::once((&self.list.template, false)).chain(each.map(|template| (template, true))).collect()
    }
}

impl Total {
    fn column(&self, values: &[Option<Json>], list: &List) -> Result<Column, StepError> {
        let read = if matches!(self.what, What::Sum | What::Average) { As::Number } else { As::Fitting };
        Column::of(values, read).map_err(|(index, message)| list.refuse(index, &self.field, &message))
    }

    /// Values that are missing or empty don't count. Without any the sum is 0 and the others are null.
    fn of_group(&self, places: &[usize], column: &Column, values: &[Option<Json>], list: &List) -> Result<Json, StepError> {
        let there = places.iter().copied().filter(|place| column.has(*place));
        let best = |wanted: Ordering| {
            let best =
                there.clone().reduce(|best, place| if column.compare(place, best, false) == wanted { place } else { best });
            best.map_or(Json::Null, |place| match column.number(place).map(Num::into_json) {
                Some(Ok(number)) => number,
                _ => values[place].clone().unwrap_or(Json::Null),
            })
        };
        match self.what {
            What::Smallest => Ok(best(Ordering::Less)),
            What::Largest => Ok(best(Ordering::Greater)),
            What::Sum | What::Average => {
                let (mut sum, mut count) = (Num::Int(0), 0);
                for place in there.clone() {
                    let Some(number) = column.number(place) else { continue };
                    sum = number::add(sum, number).map_err(|fault| list.refuse(place, &self.field, &fault.message))?;
                    count += 1;
                }
                if matches!(self.what, What::Average) {
                    if count == 0 {
                        return Ok(Json::Null);
                    }
                    sum = number::divide(sum, Num::Int(count)).map_err(|fault| self.refuse(&fault.message))?;
                }
                sum.into_json().map_err(|fault| self.refuse(&fault.message))
            }
        }
    }

    fn refuse(&self, message: &str) -> StepError {
        crate::pure::refuse(&self.field, message.to_owned())
    }
}
