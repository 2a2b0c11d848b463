//! What expressions come to, for the lines under the builder's fields: evaluated over samples, nothing is stored or sent.

use super::{first_odd, no_odd};
use crate::{api::extract::Sent, app::App, auth::Actor, execute, problem::Problem, store::workflows};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::{collections::BTreeMap, sync::Arc};
use towpath_engine::{
    Json,
    expr::{Context, Roots, RunInfo, Template, Vars},
    ids::{RunId, WorkflowId},
    lines::Round,
    pure::PureStep,
    workflow::{Step, StepId, StepPath},
};

/// The data that a step is tried with: the trigger's sample and what the steps before it gave.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    #[serde(default)]
    trigger: Json,
    #[serde(default)]
    steps: BTreeMap<String, Json>,
    /// What the round of a for-each is for, inside one.
    #[serde(default)]
    item: Option<Json>,
    /// The number of the round, inside a loop.
    #[serde(default)]
    index: Option<u32>,
}

impl Samples {
    /// What expressions of `step` see. The run's id and key are new ones: nothing of a trial is repeatable.
    pub fn into_context(self, step: &StepId, now: DateTime<Utc>, language: String, vars: Vars) -> Context {
        let id = RunId::new();
        let run = RunInfo { id, key: id.0, started_at: now };
        let mut context = Context::new(Roots { trigger: self.trigger.into(), run, now, vars, language });
        for (id, output) in self.steps {
            context.set_step(&StepPath(id), output);
        }
        if self.item.is_some() || self.index.is_some() {
            let list = self.item.map(|item| Arc::new(vec![item]));
            context.set_rounds(vec![Round { list, index: self.index.unwrap_or(0) }]);
        }
        context.at(&StepPath::from(step), now);
        context
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Expressions")]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    #[serde(default)]
    samples: Samples,
    /// Any values whose texts may hold expressions, by a name of the caller's choice.
    #[schemars(extend("maxProperties" = MOST))]
    values: Map<String, Json>,
    /// Steps that work on data, which do nothing outside; each comes to its output.
    #[serde(default)]
    #[schemars(extend("maxProperties" = MOST))]
    steps: BTreeMap<String, Step>,
}

/// What became of each value, by its name.
#[derive(Serialize, JsonSchema)]
pub struct Resolved {
    #[schemars(with = "BTreeMap<String, ResolvedValue>")]
    results: Map<String, Json>,
}

/// One value: what it comes to, what is missing for it, or what is wrong with it.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "describes what `one` answers")]
struct ResolvedValue {
    #[serde(skip_serializing_if = "Json::is_null")]
    value: Json,
    /// What the samples do not have, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    /// What can't be read, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The most values at a time.
const MOST: usize = 200;

/// `POST /api/v1/workflows/{id}/resolve`: for each value `{ "value": … }`, `{ "missing": sentence }` or `{ "error": sentence }`.
pub async fn post(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
    Sent(resolve): Sent<Resolve>,
) -> Result<Body<Resolved>, Problem> {
    workflows::find(&app.pool, actor.workspace, id).await?;
    if resolve.values.len() + resolve.steps.len() > MOST {
        return Err(Problem::invalid("values", format!("At most {MOST} values at a time.")));
    }
    no_odd("steps", first_odd(resolve.steps.values()))?;
    let mut context = resolve.samples.into_context(
        &StepId("preview".into()),
        app.clock.now(),
        actor.language,
        app.variables.current(actor.workspace).vars(),
    );
    let mut results: Map<String, Json> = resolve.values.into_iter().map(|(name, value)| (name, one(&value, &context))).collect();
    for (name, step) in resolve.steps {
        context.at(&StepPath::from(&step.id), app.clock.now());
        results.insert(name, worked_out(&step, &context));
    }
    Ok(Body(Resolved { results }))
}

/// What a data step gives; nothing else is tried here.
fn worked_out(step: &Step, context: &Context) -> Json {
    let output = match PureStep::compile(step) {
        Ok(Some(pure @ PureStep::Data(_))) => execute::evaluate(&pure, context),
        Ok(_) => return json!({ "error": "Only steps that work on data can be worked out here." }),
        Err(error) => return json!({ "error": error.to_string() }),
    };
    match output {
        Ok(outcome) => json!({ "value": outcome.output() }),
        Err(error) => json!({ "error": error.message }),
    }
}

fn one(value: &Json, context: &Context) -> Json {
    match Template::compile(value).and_then(|template| template.resolve_noting(context)) {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(resolved) => match (resolved.value, resolved.missing.first()) {
            (Some(value), None) => json!({ "value": value }),
            (Some(value), Some(missing)) => json!({ "value": value, "missing": missing.to_string() }),
            (None, Some(missing)) => json!({ "missing": missing.to_string() }),
            (None, None) => json!({ "missing": "There is no value." }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_its_absence_and_a_mistake_are_told_apart() {
        let samples = Samples { trigger: json!({ "body": { "total": 12 } }), steps: BTreeMap::new(), ..Samples::default() };
        let context = samples.into_context(&StepId("x".into()), DateTime::UNIX_EPOCH, "en".into(), Vars::default());
        assert_eq!(one(&json!("{{ trigger.body.total }}"), &context), json!({ "value": 12 }));
        assert_eq!(one(&json!("Total: {{ trigger.body.total }}"), &context), json!({ "value": "Total: 12" }));
        assert!(one(&json!("{{ trigger.body.name }}"), &context)["missing"].is_string());
        assert!(one(&json!("{{ trigger.body. }}"), &context)["error"].is_string());
    }

    #[test]
    fn only_data_steps_are_worked_out() {
        let samples = Samples { trigger: json!({ "body": { "lines": [2, 1] } }), ..Samples::default() };
        let context = samples.into_context(&StepId("x".into()), DateTime::UNIX_EPOCH, "en".into(), Vars::default());
        let step = |operation: &str, list: &str| {
            serde_json::from_value::<Step>(json!({ "id": "it", "use": operation, "input": { "list": list } })).unwrap()
        };
        let sorted = worked_out(&step("list.sort", "{{ trigger.body.lines }}"), &context);
        assert_eq!(sorted, json!({ "value": { "items": [1, 2], "count": 2 } }));
        assert_eq!(
            worked_out(&step("list.sort", "{{ trigger.body }}"), &context)["error"],
            "A list is needed here, not an object with lines."
        );
        assert!(worked_out(&step("list.sort", ""), &context)["error"].is_string());
        assert!(worked_out(&step("http.request", ""), &context)["error"].is_string());
    }
}
