//! `value.look_up`: what a table of names and values says for a value.

use super::{
    data::{Compiled, DataStep, Form, object},
    list::key::Key,
    refuse, shown,
};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template},
};
use std::collections::HashMap;

#[derive(Debug)]
struct LookUp {
    value: Template,
    places: HashMap<Key, usize>,
    table: Vec<(String, Template)>,
    otherwise: Otherwise,
    fold: bool,
}

/// What there is for a value that isn't in the table.
#[derive(Debug)]
enum Otherwise {
    Give(Option<Template>),
    Fail,
}

pub(super) fn compile(form: &Form<'_>) -> Compiled {
    let fold = form.on("ignore_case", true)?;
    let table = form.named("table")?;
    if table.is_empty() {
        return Err(ExprError::new("The table is empty: add a value to look for, and what it stands for.").within("table"));
    }
    let mut places = HashMap::with_capacity(table.len());
    for (place, (name, _)) in table.iter().enumerate() {
        let key = Key::of(Some(&name.as_str().into()), fold);
        if let Some(key) = key
            && places.insert(key, place).is_some()
        {
            return Err(ExprError::new(format!("“{name}” is in the table twice.")).within(name).within("table"));
        }
    }
    Ok(Box::new(LookUp {
        value: form.needed("value", "Look up")?,
        places,
        table,
        otherwise: match form.choice("missing", &["give", "fail"])? {
            "give" => Otherwise::Give(form.template("otherwise")?),
            _ => Otherwise::Fail,
        },
        fold,
    }))
}

impl DataStep for LookUp {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let value = self.value.resolve(context).map_err(|error| error.within("value"))?;
        let place = Key::of(value.as_ref(), self.fold).and_then(|key| self.places.get(&key));
        let given = match (place, &self.otherwise) {
            (Some(place), _) => {
                let (name, template) = &self.table[*place];
                template.resolve(context).map_err(|error| error.within(name).within("table"))?
            }
            (None, Otherwise::Give(Some(otherwise))) => otherwise.resolve(context).map_err(|error| error.within("otherwise"))?,
            (None, Otherwise::Give(None)) => None,
            (None, Otherwise::Fail) => {
                return Err(refuse("value", format!("The table doesn't have {}.", shown(value.as_ref())))
                    .hint("Add it to the table, or say what stands for values that aren't in it."));
            }
        };
        Ok(object([("value", given.unwrap_or(Json::Null)), ("found", place.is_some().into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        let otherwise = match &self.otherwise {
            Otherwise::Give(template) => template.as_ref(),
            Otherwise::Fail => None,
        };
        let table = self.table.iter().map(|(_, template)| template);
        std::iter::once(&self.value).chain(table).chain(otherwise).map(|template| (template, false)).collect()
    }
}
