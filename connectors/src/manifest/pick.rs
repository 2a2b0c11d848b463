//! A field's options from an internal action: its list, each item as a value and a label.

use super::{
    action::Action,
    compile::{Fault, PICK, PICKED, at, text_at, whole_at},
    input::{PickSpec, needs},
};
use crate::sdk::{
    Call,
    pick::{Option as Choice, Options, Pick as ListOptions},
    value,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use towpath_engine::{
    Json, Object,
    error::StepError,
    expr::{Context, Template},
};
use uuid::Uuid;

/// The options of one field.
pub struct Pick {
    action: Arc<Action>,
    input: Template,
    value: Template,
    label: Template,
    search: Option<String>,
    needs: Vec<String>,
}

impl Pick {
    /// `path`: of the input, in the manifest.
    pub fn compile(path: &str, spec: &PickSpec, action: Arc<Action>) -> Result<Self, Fault> {
        Ok(Self {
            action,
            input: at(&format!("{path}.pick.input"), &Json::Object(spec.input.clone()), PICK)?,
            value: whole_at(&format!("{path}.pick.value"), &spec.value, PICKED)?,
            label: text_at(&format!("{path}.pick.label"), &spec.label, PICKED)?,
            search: spec.search.clone(),
            needs: needs(&spec.input),
        })
    }

    fn input(&self, given: &Object, query: &str) -> Result<Object, StepError> {
        let empty = |name: &&String| given.get(*name).is_none_or(|value| value.is_null() || *value == "");
        if let Some(name) = self.needs.iter().find(empty) {
            return Err(
                StepError::invalid_input(format!("Fill in “{name}” first: what can be picked here depends on it.")).field(name)
            );
        }
        let context = named("input", Json::Object(given.clone()));
        let mut input = match self.input.resolve(&context)? {
            Some(Json::Object(input)) => input,
            _ => Object::new(),
        };
        if let Some(search) = self.search.as_ref().filter(|_| !query.is_empty()) {
            input.insert(search.clone(), query.into());
        }
        Ok(input)
    }
}

fn named(name: &str, value: Json) -> Context {
    Context::named(Object::from_iter([(name.to_owned(), value)]), Uuid::nil(), chrono::DateTime::UNIX_EPOCH)
}

impl ListOptions for Pick {
    fn options<'a>(&'a self, call: Call<'a>, query: &'a str) -> BoxFuture<'a, Result<Options, StepError>> {
        Box::pin(async move {
            let input = self.input(call.input, query)?;
            let (items, complete, _) = self.action.list(&input, &call).await?;
            let mut options = Vec::with_capacity(items.len());
            let mut context = named("item", Json::Null);
            for item in items {
                context.set_named("item", item);
                // An item without an id can't be picked.
                let Ok(Some(picked)) = self.value.resolve(&context) else { continue };
                let label = self.label.resolve(&context).ok().flatten().as_ref().map(value::text).unwrap_or_default();
                let label = if label.trim().is_empty() { value::text(&picked) } else { label };
                options.push(Choice { value: picked, label });
            }
            Ok(Options { options, complete })
        })
    }
}
