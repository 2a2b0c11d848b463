//! One documented route: what it takes and what it answers. The path, the method and the rule are those of the route table.

use axum::http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

/// Makes a schema, in the generator of its direction.
pub type MakeSchema = Box<dyn Fn(&mut SchemaGenerator) -> Value + Send + Sync>;

/// What an answer's body is.
pub enum Content {
    Nothing,
    Json(MakeSchema),
    /// Server-sent events, described in words.
    Events(&'static str),
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
    /// May the body be left out?
    pub optional_body: bool,
    pub status: u16,
    pub answer: Content,
    /// Statuses besides the usual one, each with its body.
    pub also: Vec<(u16, &'static str, MakeSchema)>,
}

fn schema_of<T: JsonSchema>() -> MakeSchema {
    Box::new(|generator| generator.subschema_for::<T>().to_value())
}

fn fixed(schema: Value) -> MakeSchema {
    Box::new(move |_| schema.clone())
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

    /// What stands after the question mark, as a schema written by hand.
    pub fn asks_raw(self, schema: Value) -> Self {
        Self { query: Some(fixed(schema)), ..self }
    }

    /// The body.
    pub fn takes<T: JsonSchema>(self) -> Self {
        Self { body: Some(schema_of::<T>()), ..self }
    }

    /// The body, as a schema written by hand.
    pub fn takes_raw(self, schema: Value) -> Self {
        Self { body: Some(fixed(schema)), ..self }
    }

    pub fn body_is_optional(self) -> Self {
        Self { optional_body: true, ..self }
    }

    pub fn answers<T: JsonSchema>(self, status: u16) -> Self {
        Self { status, answer: Content::Json(schema_of::<T>()), ..self }
    }

    /// The answer, as a schema written by hand.
    pub fn answers_raw(self, status: u16, schema: Value) -> Self {
        Self { status, answer: Content::Json(fixed(schema)), ..self }
    }

    pub fn streams(self, what: &'static str) -> Self {
        Self { status: 200, answer: Content::Events(what), ..self }
    }

    /// Another status with a body of its own.
    pub fn also(mut self, status: u16, what: &'static str, schema: Value) -> Self {
        self.also.push((status, what, fixed(schema)));
        self
    }
}

/// An object with these fields, all of them there; others are not.
pub fn object(fields: Value) -> Value {
    let names: Vec<String> = fields.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
    json!({ "type": "object", "properties": fields, "required": names, "additionalProperties": false })
}

/// An object of which some fields may be missing.
pub fn object_with(fields: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": fields, "required": required, "additionalProperties": false })
}

/// A list of such.
pub fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

pub fn text() -> Value {
    json!({ "type": "string" })
}

pub fn text_or_null() -> Value {
    json!({ "type": ["string", "null"] })
}

pub fn number() -> Value {
    json!({ "type": "integer" })
}

pub fn number_or_null() -> Value {
    json!({ "type": ["integer", "null"] })
}

pub fn flag() -> Value {
    json!({ "type": "boolean" })
}

pub fn id() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// An object of the service's or the workflow's own.
pub fn any_object(what: &str) -> Value {
    json!({ "type": "object", "description": what })
}

/// Any JSON.
pub fn anything(what: &str) -> Value {
    json!({ "description": what })
}
