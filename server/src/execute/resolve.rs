//! From a step's templates to its input: expressions resolved, required fields there.

use towpath_engine::{
    Json, Object,
    catalogue::{Catalogue, Field},
    error::StepError,
    expr::{Context, Template},
};

/// The input of an action. `context` stands at the step.
pub fn resolve(operation: &str, template: &Template, context: &Context, catalogue: &dyn Catalogue) -> Result<Object, StepError> {
    let resolved = template.resolve_noting(context)?;
    let input = match resolved.value {
        Some(Json::Object(input)) => input,
        _ => return Err(StepError::invalid_input("The step's input is not a set of fields.")),
    };
    let fields = catalogue.operation(operation).map(|operation| operation.inputs.as_slice()).unwrap_or_default();
    for field in fields.iter().filter(|field| field.required && field.default.is_none() && is_shown(field, fields, &input)) {
        if input.get(&field.name).is_none_or(Json::is_null) {
            return Err(match resolved.missing.iter().find(|missing| missing.field == field.name) {
                Some(missing) => StepError::from(missing.clone()),
                None => StepError::invalid_input(format!("{} is missing.", field.title)).field(&field.name),
            });
        }
    }
    Ok(input)
}

/// Is the field asked for, given what the other fields hold?
fn is_shown(field: &Field, fields: &[Field], input: &Object) -> bool {
    let Some(condition) = &field.show_if else { return true };
    let default = || fields.iter().find(|other| other.name == condition.field).and_then(|other| other.default.as_ref());
    input.get(&condition.field).or_else(default).is_some_and(|value| condition.is.contains(value))
}
