//! Tests of the language as a whole; what they share is made here.

mod filters;
mod language;
mod limits;
mod oracle;
mod reference;

use super::{Context, ExprError, Roots, RunInfo, Template};
use crate::{Json, ids::RunId, workflow::StepPath};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

pub(crate) fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A run whose trigger has this body, standing at the step `here`.
pub(crate) fn context(body: Json) -> Context {
    context_of(json!({ "body": body, "method": "POST" }).into())
}

pub(crate) fn context_of(trigger: super::TriggerData) -> Context {
    let run = RunInfo { id: RunId(Uuid::from_u128(1)), key: Uuid::from_u128(2), started_at: moment("2026-11-20T10:00:00Z") };
    let mut context =
        Context::new(Roots { trigger, run, now: run.started_at, vars: crate::expr::Vars::default(), language: "en".into() });
    context.at(&StepPath("here".into()), moment("2026-11-20T10:25:00.5Z"));
    context
}

/// What the value of a field comes to.
pub(crate) fn resolve(value: Json, context: &Context) -> Result<Option<Json>, ExprError> {
    Template::compile(&value)?.resolve(context)
}

/// What one expression comes to, over an order as shops send them.
fn value(source: &str) -> Json {
    Template::expression(source).unwrap().resolve(&order()).unwrap_or_else(|error| panic!("{source}: {error:?}")).unwrap()
}

/// What is wrong with an expression, when it is compiled or when it is evaluated.
fn complaint(source: &str) -> String {
    let resolved = Template::expression(source).and_then(|template| template.resolve_noting(&order()));
    match resolved {
        Ok(resolved) if resolved.value.is_none() => resolved.missing[0].message.clone(),
        Ok(resolved) => panic!("{source} is {:?}", resolved.value),
        Err(error) => match error.saw {
            Some(saw) => format!("{} It saw {saw}.", error.message),
            None => error.message,
        },
    }
}

fn order() -> Context {
    let mut context = context(json!({
        "total": 120.5, "currency": "EUR", "count": "3", "note": null, "paid": true, "big": 9_007_199_254_740_993_i64,
        "customer": { "name": "Ada", "e-mail": "ada@example.com" },
        "lines": [{ "sku": "A1", "price": 19.99 }, { "sku": "B2", "price": 5 }],
    }));
    context.set_step(&StepPath("find".into()), json!({ "status": 200, "body": { "items": [1, 2, 3] } }));
    context
}
