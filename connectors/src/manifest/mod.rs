//! Connectors as data: a manifest is read, checked, compiled, and then runs.
//!
//! Read in this order: [`document`] and [`input`] are what authors write; [`read`] turns text into them; [`check`] says what is
//! incomplete; [`compile`] prepares every expression with the names known in its place. [`request`], [`answer`] and [`pages`] are
//! pure; [`exchange`] sends. [`action`], [`poll`], [`receive`] and [`pick`] are the operations.

pub mod action;
pub mod answer;
pub mod check;
pub mod compile;
pub mod document;
pub mod exchange;
pub mod folder;
pub mod input;
pub mod limits;
pub mod pages;
pub mod pick;
pub mod poll;
pub mod position;
pub mod read;
pub mod receive;
pub mod request;
mod service;
#[cfg(test)]
mod tests;

pub use folder::Folder;
pub use read::{Problem, read};
pub use service::{Compiled, compile};

use towpath_engine::{Json, Object};

/// The JSON Schema of manifests, for editors. `docs/connector.schema.json` is a copy of it.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(document::Manifest);
    schema.insert("title".into(), "A Towpath connector".into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// A value as fields: an object's own, and anything else under `value`.
pub fn fields_of(value: Json) -> Object {
    match value {
        Json::Object(fields) => fields,
        Json::Null => Object::new(),
        other => Object::from_iter([("value".to_owned(), other)]),
    }
}
