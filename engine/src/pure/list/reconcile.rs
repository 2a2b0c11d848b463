//! `list.reconcile`: two lists that should hold the same, compared item by item: what is missing on either side, and what differs.

use super::{
    List,
    key::{Key, alike},
};
use crate::{
    Json, Object,
    error::StepError,
    expr::{Context, ExprError, Template, items::Items},
    json,
    pure::data::{Compiled, DataStep, Form, object, room},
};
use std::collections::{HashMap, HashSet, hash_map::Entry};

#[derive(Debug)]
struct Reconcile {
    list: List,
    other: List,
    key: Template,
    /// `None`: the same as the first list's.
    other_key: Option<Template>,
    fold: bool,
    /// What is compared; every field where there is none.
    values: Vec<Compared>,
}

#[derive(Debug)]
struct Compared {
    name: String,
    first: Template,
    /// `None`: as in the first list.
    second: Option<Template>,
}

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let mut seconds: Object = match form.value("other_values") {
        Some(Json::Object(fields)) => fields.clone(),
        _ => Object::new(),
    };
    let mut others: HashMap<String, Template> = form.named("other_values")?.into_iter().collect();
    let values: Vec<Compared> =
        form.named("values")?.into_iter().map(|(name, first)| Compared { second: others.remove(&name), name, first }).collect();
    seconds.retain(|name, _| others.contains_key(name));
    if let Some(name) = seconds.keys().next() {
        let message = format!("Nothing of the first list is called “{name}”. Use the names of the values that are compared.");
        return Err(ExprError::new(message).within(name).within("other_values"));
    }
    Ok(Box::new(Reconcile {
        list: List::needed(form, "list", "First list", " of the first list")?,
        other: List::needed(form, "other", "Second list", " of the second list")?,
        key: form.needed("key", "Key in the first list")?,
        other_key: form.template("other_key")?,
        fold: form.on("ignore_case", false)?,
        values,
    }))
}

impl DataStep for Reconcile {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let (list, other) = (self.list.read(context)?, self.other.read(context)?);
        let keys = self.list.keys(&list, Some(&self.key), "key", self.fold, context)?;
        let (other_key, other_field) = self.other_key.as_ref().map_or((&self.key, "key"), |key| (key, "other_key"));
        let other_keys = self.other.keys(&other, Some(other_key), other_field, self.fold, context)?;
        let (firsts, seconds) = (Items::over(context, list.len()), Items::over(context, other.len()));

        let mut partners: HashMap<Key, usize> = HashMap::with_capacity(other.len());
        let mut repeated_second = Vec::new();
        let mut others: Vec<Option<Json>> = other.into_iter().map(Some).collect();
        for (place, key) in other_keys.into_iter().enumerate() {
            let Some(key) = key else { continue };
            match partners.entry(key) {
                Entry::Vacant(free) => {
                    free.insert(place);
                }
                Entry::Occupied(_) => repeated_second.extend(others[place].take()),
            }
        }
        let (mut seen, mut bytes) = (HashSet::with_capacity(list.len()), 0);
        let (mut missing, mut different, mut repeated, mut same) = (Vec::new(), Vec::new(), Vec::new(), 0_usize);
        for (index, (item, key)) in list.into_iter().zip(keys).enumerate() {
            let Some(key) = key else {
                missing.push(item);
                continue;
            };
            let place = partners.get(&key).copied();
            if !seen.insert(key) {
                repeated.push(item);
                continue;
            }
            let Some((place, partner)) = place.and_then(|place| Some((place, others[place].take()?))) else {
                missing.push(item);
                continue;
            };
            let fields = if self.values.is_empty() {
                all_fields(&item, &partner)
            } else {
                self.compared((&firsts, &item, index), (&seconds, &partner, place))?
            };
            if fields.is_empty() {
                same += 1;
                continue;
            }
            bytes += fields.iter().map(json::size).sum::<usize>();
            room(bytes)?;
            let key = firsts.at(&item, index).resolve(&self.key).map_err(|error| self.list.at(index, "key", error))?;
            let key = key.unwrap_or(Json::Null);
            different.push(object([("key", key), ("fields", Json::Array(fields)), ("first", item), ("second", partner)]));
        }
        let missing_in_first: Vec<Json> = others.into_iter().flatten().collect();
        let matches = [&missing, &missing_in_first, &different, &repeated, &repeated_second].iter().all(|list| list.is_empty());
        Ok(object([
            ("matches", Json::Bool(matches)),
            ("same", same.into()),
            ("missing_in_second", Json::Array(missing)),
            ("missing_in_first", Json::Array(missing_in_first)),
            ("different", Json::Array(different)),
            ("repeated_in_first", Json::Array(repeated)),
            ("repeated_in_second", Json::Array(repeated_second)),
        ]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        let compared = self.values.iter().flat_map(|value| std::iter::once(&value.first).chain(value.second.as_ref()));
        let each = std::iter::once(&self.key).chain(self.other_key.as_ref()).chain(compared);
        [&self.list, &self.other].map(|list| (&list.template, false)).into_iter().chain(each.map(|it| (it, true))).collect()
    }
}

type One<'a> = (&'a Items<'a>, &'a Json, usize);

impl Reconcile {
    /// The values that differ.
    fn compared(&self, first: One<'_>, second: One<'_>) -> Result<Vec<Json>, StepError> {
        let mut fields = Vec::new();
        for value in &self.values {
            let (items, item, index) = first;
            let a = items.at(item, index).resolve(&value.first);
            let a = a.map_err(|error| self.list.at(index, "values", error.within(&value.name)))?.unwrap_or(Json::Null);
            let (items, item, index) = second;
            let (template, field) = value.second.as_ref().map_or((&value.first, "values"), |second| (second, "other_values"));
            let b = items.at(item, index).resolve(template);
            let b = b.map_err(|error| self.other.at(index, field, error.within(&value.name)))?.unwrap_or(Json::Null);
            if !alike(&a, &b) {
                fields.push(difference(&value.name, a, b));
            }
        }
        Ok(fields)
    }
}

/// The fields in which two items differ; of items without fields, the items themselves.
fn all_fields(first: &Json, second: &Json) -> Vec<Json> {
    let (Json::Object(a), Json::Object(b)) = (first, second) else {
        return if alike(first, second) { Vec::new() } else { vec![difference("value", first.clone(), second.clone())] };
    };
    let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
    names
        .filter_map(|name| {
            let (a, b) = (a.get(name).unwrap_or(&Json::Null), b.get(name).unwrap_or(&Json::Null));
            (!alike(a, b)).then(|| difference(name, a.clone(), b.clone()))
        })
        .collect()
}

fn difference(name: &str, first: Json, second: Json) -> Json {
    object([("name", name.into()), ("first", first), ("second", second)])
}
