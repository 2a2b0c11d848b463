//! One documented route: what it takes and what it answers. The path, the method and the rule are those of the route table; schemas come
//! from the types that are read and written.

use axum::http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// Makes a schema, in the generator of its direction.
pub type MakeSchema = Box<dyn Fn(&mut SchemaGenerator) -> Value + Send + Sync>;

/// What an answer's body is.
pub enum Content {
    Nothing,
    Json(MakeSchema),
    /// Server-sent events, described in words.
    Events(&'static str),
    /// A CSV file, described in words.
    Csv(&'static str),
}

/// A documented route.
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    /// The chapter that it stands in.
    pub group: &'static str,
    pub summary: &'static str,
    pub text: &'static str,
    pub query: Option<MakeSchema>,
    pub body: Option<MakeSchema>,
    /// A body that somebody could send.
    pub example: Option<Value>,
    /// May the body be left out?
    pub optional_body: bool,
    pub status: u16,
    pub answer: Content,
    /// A refusal that says more than others do: its status, in words, and its body.
    pub also: Vec<(u16, &'static str, MakeSchema)>,
}

fn schema_of<T: JsonSchema>() -> MakeSchema {
    Box::new(|generator| generator.subschema_for::<T>().to_value())
}

/// An operation that answers 204 and takes nothing, until it is told otherwise.
pub fn operation(group: &'static str, method: Method, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        method,
        path,
        group,
        summary,
        text: "",
        query: None,
        body: None,
        example: None,
        optional_body: false,
        status: 204,
        answer: Content::Nothing,
        also: Vec::new(),
    }
}

impl Operation {
    /// More about it, in sentences.
    pub fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    /// What stands after the question mark.
    pub fn asks<T: JsonSchema>(self) -> Self {
        Self { query: Some(schema_of::<T>()), ..self }
    }

    /// The body, and one that somebody could send.
    pub fn takes<T: JsonSchema>(self, example: Value) -> Self {
        Self { body: Some(schema_of::<T>()), example: Some(example), ..self }
    }

    pub fn body_is_optional(self) -> Self {
        Self { optional_body: true, ..self }
    }

    pub fn answers<T: JsonSchema>(self, status: u16) -> Self {
        Self { status, answer: Content::Json(schema_of::<T>()), ..self }
    }

    pub fn downloads(self, what: &'static str) -> Self {
        Self { status: 200, answer: Content::Csv(what), ..self }
    }

    pub fn streams(self, what: &'static str) -> Self {
        Self { status: 200, answer: Content::Events(what), ..self }
    }

    /// A refusal with more in its body than other problems have.
    pub fn also<T: JsonSchema>(mut self, status: u16, what: &'static str) -> Self {
        self.also.push((status, what, schema_of::<T>()));
        self
    }
}
