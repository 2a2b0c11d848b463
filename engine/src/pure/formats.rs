//! The steps that read and write CSV, JSON and XML, by the same functions as the filters of expressions. What is read is bounded; what
//! can't be read is told with its line and column.

pub(super) mod csv;
pub(super) mod json;
#[cfg(test)]
mod tests;
pub(super) mod xml;

use super::refuse;
use crate::{
    error::StepError,
    expr::{Context, Template, error::Fault},
};

/// The longest text that is read, in bytes.
const MAX_TEXT: usize = 10 << 20;

/// The text to be read, without the mark that some programs put at its beginning.
fn source(template: &Template, context: &Context) -> Result<String, StepError> {
    let text = super::data::text(template, "text", context)?;
    if text.len() > MAX_TEXT {
        return Err(refuse("text", format!("This text is larger than {} MB.", MAX_TEXT >> 20)));
    }
    Ok(text)
}

fn room(bytes: usize) -> Result<(), Fault> {
    super::data::room(bytes).map_err(|error| Fault::new(error.message))
}

fn wrong(field: &str, fault: Fault) -> StepError {
    refuse(
        field,
        match fault.saw {
            Some(saw) => format!("{} It saw {saw}.", fault.message),
            None => fault.message,
        },
    )
}

/// Filters bound what they make; steps bound their result as a whole.
fn unbounded(_: usize) -> Result<(), Fault> {
    Ok(())
}

/// The value to be written; there must be one.
fn present(template: &Template, context: &Context) -> Result<crate::Json, StepError> {
    let resolved = template.resolve_noting(context).map_err(|error| error.within("value"))?;
    match (resolved.value, resolved.missing.into_iter().next()) {
        (Some(value), _) => Ok(value),
        (None, Some(why)) => Err(why.within("value").into()),
        (None, None) => Err(refuse("value", "There is nothing to write.".to_owned())),
    }
}
