//! Options that a service lists for a field of a form.

use super::Call;
use futures_util::future::BoxFuture;
use serde::Serialize;
use towpath_engine::{Json, error::StepError};

/// Asks the service for a field's options.
pub trait Pick: Send + Sync {
    /// `call.input` is what the form holds so far; `query` is what a person typed, for services that search.
    fn options<'a>(&'a self, call: Call<'a>, query: &'a str) -> BoxFuture<'a, Result<Options, StepError>>;
}

/// What may be picked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Options {
    pub options: Vec<Option>,
    /// False when there are more than were fetched.
    pub complete: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "PickOption")]
pub struct Option {
    pub value: Json,
    pub label: String,
}
