//! `list.join`: the items of one list, each with the item of another that has the same key.

use super::{List, MAX_ITEMS, key::Key, listed};
use crate::{
    Json, Object,
    error::StepError,
    expr::{Context, Template},
    json,
    pure::{
        data::{Compiled, DataStep, Form, room},
        shown,
    },
};
use std::collections::{HashMap, HashSet};

#[derive(Debug)]
struct Join {
    list: List,
    other: List,
    key: Template,
    /// `None`: the same as the first list's.
    other_key: Option<Template>,
    fold: bool,
    /// Items of the first list stay without a partner.
    left: bool,
    /// Of several partners only the first.
    once: bool,
    put: Put,
}

/// Where the fields of the second item go.
#[derive(Debug)]
enum Put {
    /// Beside those of the first; a field that both have keeps the first's value.
    Beside { prefix: String },
    /// All under one name.
    Under { name: String },
}

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let text = |name: &str| form.value(name).map(crate::expr::print::text).map(|text| text.trim().to_owned());
    Ok(Box::new(Join {
        list: List::needed(form, "list", "First list", " of the first list")?,
        other: List::needed(form, "other", "Second list", " of the second list")?,
        key: form.needed("key", "Key in the first list")?,
        other_key: form.template("other_key")?,
        fold: form.on("ignore_case", false)?,
        left: form.choice("keep", &["all", "matching"])? == "all",
        once: form.choice("several", &["all", "first"])? == "first",
        put: match form.choice("put", &["beside", "under"])? {
            "beside" => Put::Beside { prefix: text("prefix").unwrap_or_default() },
            _ => Put::Under { name: text("name").unwrap_or_else(|| "other".to_owned()) },
        },
    }))
}

impl DataStep for Join {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let (list, other) = (self.list.read(context)?, self.other.read(context)?);
        let keys = self.list.keys(&list, Some(&self.key), "key", self.fold, context)?;
        let (other_key, other_field) = self.other_key.as_ref().map_or((&self.key, "key"), |key| (key, "other_key"));
        let other_keys = self.other.keys(&other, Some(other_key), other_field, self.fold, context)?;
        let mut partners: HashMap<&Key, Vec<usize>> = HashMap::with_capacity(other.len());
        for (index, key) in other_keys.iter().enumerate() {
            let Some(key) = key else { continue };
            let places = partners.entry(key).or_default();
            if places.is_empty() || !self.once {
                places.push(index);
            }
        }
        let (mut items, mut used, mut unmatched, mut bytes) =
            (Vec::with_capacity(list.len()), HashSet::<usize>::new(), 0_usize, 0);
        for (index, (item, key)) in list.into_iter().zip(&keys).enumerate() {
            let places = key.as_ref().and_then(|key| partners.get(key)).map_or(&[][..], Vec::as_slice);
            let Some((last, others)) = places.split_last() else {
                unmatched += 1;
                if self.left {
                    items.push(item);
                }
                continue;
            };
            if items.len() + places.len() > MAX_ITEMS {
                let message =
                    format!("The result has more than {MAX_ITEMS} items: many items of both lists share the same keys.");
                return Err(crate::pure::refuse("key", message)
                    .hint("Take the first match only, or choose a key that tells items apart."));
            }
            used.extend(places);
            let Json::Object(fields) = item else {
                let message = format!("Only items with fields can be joined, and this one is {}.", shown(Some(&item)));
                return Err(self.list.refuse(index, "list", &message));
            };
            for place in others {
                bytes += json::size(&other[*place])
                    + self.put.repeated(&other[*place])
                    + fields.iter().map(|(name, value)| name.len() + json::size(value)).sum::<usize>();
                room(bytes)?;
                items.push(self.joined(fields.clone(), &other[*place], *place)?);
            }
            bytes += json::size(&other[*last]) + self.put.repeated(&other[*last]);
            room(bytes)?;
            items.push(self.joined(fields, &other[*last], *last)?);
        }
        let unused = other.len() - used.len();
        Ok(listed(items, [("unmatched", unmatched.into()), ("unused", unused.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        let keys = std::iter::once(&self.key).chain(self.other_key.as_ref());
        [&self.list, &self.other].map(|list| (&list.template, false)).into_iter().chain(keys.map(|key| (key, true))).collect()
    }
}

impl Put {
    /// How many bytes the names get longer.
    fn repeated(&self, partner: &Json) -> usize {
        match self {
            Self::Beside { prefix } => prefix.len() * partner.as_object().map_or(0, Object::len),
            Self::Under { name } => name.len(),
        }
    }
}

impl Join {
    fn joined(&self, mut fields: Object, partner: &Json, place: usize) -> Result<Json, StepError> {
        match (&self.put, partner) {
            (Put::Under { name }, partner) => {
                fields.insert(name.clone(), partner.clone());
            }
            (Put::Beside { prefix }, Json::Object(more)) => {
                for (name, value) in more {
                    let name = format!("{prefix}{name}");
                    if !fields.contains_key(&name) {
                        fields.insert(name, value.clone());
                    }
                }
            }
            (Put::Beside { .. }, partner) => {
                let message = format!(
                    "Only items with fields can be put beside others, and this one is {}. Put it under a name instead.",
                    shown(Some(partner))
                );
                return Err(self.other.refuse(place, "other", &message));
            }
        }
        Ok(Json::Object(fields))
    }
}
