//! Regular expressions that people write: bounded in size, compiled once, with plain words for what is wrong with one.

use super::{error::ExprError, value::show};
use crate::Json;
use regex::{Regex, RegexBuilder};
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

/// How many compiled patterns are kept; a workflow's patterns are few, so the store is emptied when it is full.
const KEPT: usize = 256;

static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// The pattern, compiled. A pattern that was compiled before is not compiled again.
pub(crate) fn compile(written: &str) -> Result<Regex, ExprError> {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = compiled.get(written) {
        return Ok(regex.clone());
    }
    let regex =
        RegexBuilder::new(written).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(50).build().map_err(|error| {
            let why = match &error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            let message = format!("This is not a pattern that can be used: {}.", why.trim_end_matches('.'));
            ExprError { saw: Some(show(&Json::from(written))), ..ExprError::new(message) }
        })?;
    if compiled.len() == KEPT {
        compiled.clear();
    }
    compiled.insert(written.to_owned(), regex.clone());
    Ok(regex)
}
