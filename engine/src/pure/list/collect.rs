//! `list.collect`: one list out of several values. Lists among them are put together item by item.

use super::{MAX_ITEMS, listed};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template, value::is_empty},
    pure::{
        data::{Compiled, DataStep, Form},
        refuse,
    },
};

#[derive(Debug)]
struct Collect {
    values: Vec<(&'static str, Template)>,
    flatten: bool,
    skip_empty: bool,
}

const FIELDS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let mut values = Vec::new();
    for field in FIELDS {
        if let Some(template) = form.template(field)? {
            values.push((field, template));
        }
    }
    if values.is_empty() {
        return Err(ExprError::new("Pick at least one value.").within("first"));
    }
    Ok(Box::new(Collect { values, flatten: form.on("flatten", true)?, skip_empty: form.on("skip_empty", true)? }))
}

impl DataStep for Collect {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let mut items = Vec::new();
        for (field, template) in &self.values {
            // A step that was skipped has no value, and so adds nothing.
            let Some(value) = template.resolve(context).map_err(|error| error.within(field))? else { continue };
            match value {
                Json::Array(list) if self.flatten => items.extend(list),
                value => items.push(value),
            }
            if items.len() > MAX_ITEMS {
                return Err(refuse(field, format!("The list would have more than {MAX_ITEMS} items.")));
            }
        }
        if self.skip_empty {
            items.retain(|item| !is_empty(item));
        }
        Ok(listed(items, []))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        self.values.iter().map(|(_, template)| (template, false)).collect()
    }
}
