//! `list.filter`: only the items for which conditions hold.

use super::{List, listed};
use crate::{
    Json,
    condition::{self, Conditions},
    error::StepError,
    expr::{
        Context, ExprError, Template,
        items::{Items, outside},
    },
    pure::data::{Compiled, DataStep, Form},
};

#[derive(Debug)]
struct Filter {
    list: List,
    condition: condition::Compiled,
}

const FIELD: &str = "condition";

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let list = List::needed(form, "list", "The list", "")?;
    let written = form.value(FIELD).ok_or_else(|| ExprError::new("Say which items to keep.").within(FIELD))?;
    let conditions: Conditions = serde_json::from_value(written.clone())
        .map_err(|error| ExprError::new(format!("These conditions can't be read: {error}.")).within(FIELD))?;
    let condition = condition::Compiled::compile(&conditions).map_err(|error| error.within(FIELD))?;
    Ok(Box::new(Filter { list, condition }))
}

impl DataStep for Filter {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let list = self.list.read(context)?;
        let (items, before) = (Items::over(context, list.len()), list.len());
        let mut kept = Vec::new();
        for (index, item) in list.into_iter().enumerate() {
            if self.condition.holds_for(&items.at(&item, index)).map_err(|error| self.list.at(index, FIELD, error))? {
                kept.push(item);
            }
        }
        let removed = before - kept.len();
        Ok(listed(kept, [("removed", removed.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.list.template, false)]
    }

    fn more_paths(&self) -> Vec<String> {
        outside(self.condition.paths()).collect()
    }
}
