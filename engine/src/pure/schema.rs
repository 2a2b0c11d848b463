//! `json.validate`: whether a value has the shape that a JSON Schema describes; what is wrong is data, not a failure. A schema names
//! nothing outside of itself, nothing that contains itself, and its patterns run in linear time: checking is bounded.

use super::{
    data::{Compiled, DataStep, Form, object},
    refuse,
};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template, error::shorten},
    json,
};
use jsonschema::{PatternOptions, Validator};
use std::collections::HashMap;

/// The longest schema, in bytes.
const MAX_SCHEMA: usize = 64 << 10;
/// How many parts a schema may have when everything that it refers to is written out.
const MAX_PARTS: usize = 5_000;
/// How deep its parts may stand in each other.
const MAX_NESTING: usize = 100;
/// How many errors are told; all of them are counted.
const MOST_ERRORS: usize = 100;
/// The largest value that is looked at, in bytes of JSON.
const MAX_VALUE: usize = 10 << 20;

struct Validate {
    value: Template,
    schema: Validator,
}

impl std::fmt::Debug for Validate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validate").field("value", &self.value).finish_non_exhaustive()
    }
}

pub(super) fn compile(form: &Form<'_>) -> Compiled {
    let value = form.needed("value", "What is checked")?;
    let wrong = |message: String| ExprError::new(message).within("schema");
    let schema = match form.value("schema") {
        None => return Err(wrong("The schema is missing.".to_owned())),
        Some(Json::String(text)) if text.len() > MAX_SCHEMA => {
            return Err(wrong(format!("The schema is longer than {} KB.", MAX_SCHEMA >> 10)));
        }
        Some(Json::String(text)) => {
            json::read(text.as_bytes()).map_err(|error| wrong(format!("The schema is not JSON: {}", error.message)))?.value
        }
        Some(other) if json::size(other) > MAX_SCHEMA => {
            return Err(wrong(format!("The schema is longer than {} KB.", MAX_SCHEMA >> 10)));
        }
        Some(other) => other.clone(),
    };
    Parts { root: &schema, known: HashMap::new(), open: Vec::new() }.count(&schema, 0).map_err(wrong)?;
    let patterns = PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20);
    let schema = jsonschema::options()
        .offline()
        .with_pattern_options(patterns)
        .build(&schema)
        .map_err(|error| wrong(format!("This is not a JSON Schema: {}", sentence(&error.to_string()))))?;
    Ok(Box::new(Validate { value, schema }))
}

impl DataStep for Validate {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        // What is missing is checked as null: an absent answer is one that the schema may refuse.
        let value = self.value.resolve(context).map_err(|error| error.within("value"))?.unwrap_or(Json::Null);
        if json::size(&value) > MAX_VALUE {
            return Err(refuse("value", format!("This value is larger than {} MB.", MAX_VALUE >> 20)));
        }
        let mut count = 0_usize;
        let mut errors = Vec::new();
        for error in self.schema.iter_errors(&value) {
            count += 1;
            if errors.len() < MOST_ERRORS {
                let path = place(error.instance_path().as_str());
                errors.push(object([("path", path.into()), ("message", sentence(&error.to_string()).into())]));
            }
        }
        Ok(object([("valid", (count == 0).into()), ("errors", Json::Array(errors)), ("count", count.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.value, false)]
    }
}

/// `/lines/0/price` as expressions write it: `lines[0].price`. The value itself is nothing.
fn place(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{part}]"));
        } else if part.chars().all(|c| c.is_alphanumeric() || c == '_') && !part.is_empty() {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(&part);
        } else {
            path.push_str(&format!("[{}]", Json::from(part)));
        }
    }
    path
}

fn sentence(message: &str) -> String {
    let message = shorten(message.trim(), 300);
    if message.ends_with(['.', '…']) { message } else { format!("{message}.") }
}

/// Counts the parts of a schema with everything written out that it refers to.
struct Parts<'s> {
    root: &'s Json,
    known: HashMap<&'s str, usize>,
    /// What is being written out right now.
    open: Vec<&'s str>,
}

impl<'s> Parts<'s> {
    fn count(&mut self, part: &'s Json, depth: usize) -> Result<usize, String> {
        if depth > MAX_NESTING {
            return Err(format!("The schema nests more than {MAX_NESTING} levels deep."));
        }
        let mut total = 1_usize;
        match part {
            Json::Array(parts) => {
                for part in parts {
                    total = total.saturating_add(self.count(part, depth + 1)?);
                }
            }
            Json::Object(fields) => {
                for (name, value) in fields {
                    total = total.saturating_add(match (name.as_str(), value) {
                        ("$ref", Json::String(place)) => self.referred(place, depth)?,
                        (
                            "$dynamicRef" | "$recursiveRef" | "$dynamicAnchor" | "$recursiveAnchor" | "$anchor",
                            Json::String(_),
                        ) => {
                            return Err(format!(
                                "“{name}” is not possible here; refer to places with $ref, such as #/$defs/address."
                            ));
                        }
                        ("$id" | "id", Json::String(_)) if depth > 0 && fields.contains_key("$ref") => 0,
                        ("$id", Json::String(_)) if depth > 0 => {
                            return Err("Only the schema as a whole can have an “$id”.".to_owned());
                        }
                        ("$defs" | "definitions" | "enum" | "const" | "default" | "examples", _) => 0,
                        (_, value) => self.count(value, depth + 1)?,
                    });
                }
            }
            _ => {}
        }
        if total > MAX_PARTS {
            return Err(format!("The schema has more than {MAX_PARTS} parts when everything that it refers to is written out."));
        }
        Ok(total)
    }

    fn referred(&mut self, place: &'s str, depth: usize) -> Result<usize, String> {
        if let Some(known) = self.known.get(place) {
            return Ok(*known);
        }
        if self.open.contains(&place) || place == "#" {
            return Err(format!("The schema refers to “{place}” inside itself, which could go on without end."));
        }
        let pointer = place.strip_prefix('#').filter(|pointer| pointer.starts_with('/'));
        let Some(pointer) = pointer else {
            return Err(format!(
                "The schema refers to “{place}”; only places inside of it are possible, such as #/$defs/address."
            ));
        };
        let Some(part) = self.root.pointer(pointer) else {
            return Err(format!("The schema refers to “{place}”, which isn't there."));
        };
        self.open.push(place);
        let counted = self.count(part, depth + 1);
        self.open.pop();
        self.known.insert(place, counted.clone()?);
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(schema: &Json) -> Result<usize, String> {
        Parts { root: schema, known: HashMap::new(), open: Vec::new() }.count(schema, 0)
    }

    #[test]
    fn a_schema_that_could_grow_without_end_is_refused() {
        let refused = |schema: Json, part: &str| {
            let message = parts(&schema).unwrap_err();
            assert!(message.contains(part), "{message}");
        };
        refused(json!({ "properties": { "a": { "$ref": "#" } } }), "inside itself");
        refused(
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "$ref": "#/$defs/a" } } }),
            "inside itself",
        );
        refused(json!({ "$ref": "https://example.com/x" }), "only places inside");
        refused(json!({ "$ref": "#/$defs/b" }), "isn't there");
        refused(json!({ "$dynamicRef": "#x" }), "not possible");
        let mut defs = serde_json::Map::new();
        for n in 0..30 {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            defs.insert(format!("d{n}"), json!({ "allOf": [next, next] }));
        }
        defs.insert("d30".into(), json!(true));
        refused(json!({ "$ref": "#/$defs/d0", "$defs": defs }), "more than 5000 parts");
        let mut deep = json!({});
        for _ in 0..120 {
            deep = json!({ "not": deep });
        }
        refused(deep, "levels deep");
        assert!(parts(&json!({ "$defs": { "a": { "type": "string" } }, "properties": { "x": { "$ref": "#/$defs/a" }, "y": { "$ref": "#/$defs/a" } } })).is_ok());
    }

    #[test]
    fn a_place_reads_as_expressions_write_it() {
        for (pointer, path) in [("", ""), ("/a/0/b", "a[0].b"), ("/0", "[0]"), ("/a b/c~1d", "[\"a b\"][\"c/d\"]")] {
            assert_eq!(place(pointer), path);
        }
    }
}
