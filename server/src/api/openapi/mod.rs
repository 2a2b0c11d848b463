//! The document of the API (OpenAPI 3.1): the route table says which routes there are and who may call them, the operations say what
//! they take and answer, and the schemas come from the types that are read and written. A test calls every route and holds the
//! answers against it.

pub mod operation;
mod people;
mod workflows;

use crate::{
    auth::{enforcement, permission::Rule},
    problem::Code,
    routes::{self, Route},
};
use axum::Json as Body;
use operation::{Content, Operation};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use towpath_engine::workflow::Workflow;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| build(&routes::all().table, &operations()));

/// The document, made once.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// `GET /api/openapi.json`
pub async fn get() -> Body<&'static Value> {
    Body(document())
}

/// Every documented operation, chapter by chapter.
pub fn operations() -> Vec<Operation> {
    [workflows::operations(), people::operations()].into_iter().flatten().collect()
}

fn build(table: &[Route], operations: &[Operation]) -> Value {
    let settings = |settings: SchemaSettings| {
        settings
            .with(|it| {
                it.definitions_path = "/components/schemas".into();
                it.meta_schema = None;
            })
            .into_generator()
    };
    let mut reads = settings(SchemaSettings::draft2020_12().for_deserialize());
    let mut writes = settings(SchemaSettings::draft2020_12().for_serialize());
    // Schemas written by hand refer to it: the one shape of a workflow, in the API and in files.
    writes.subschema_for::<Workflow>();
    let mut paths = Map::new();
    for operation in operations {
        let Some(route) = table.iter().find(|route| route.path == operation.path && route.method == operation.method) else {
            continue;
        };
        let entry = paths.entry(operation.path).or_insert_with(|| json!({}));
        entry[operation.method.as_str().to_lowercase()] = describe(operation, route.rule, &mut reads, &mut writes);
    }
    let mut schemas = writes.take_definitions(true);
    schemas.extend(reads.take_definitions(true));
    schemas.insert("Problem".into(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Towpath",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything that the pages do. Lists come in pages: send the answer's `next` as `after`. A POST with the \
                header `Idempotency-Key` is carried out once; repeats within a day get the first answer.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An API token, made under Settings, API tokens." },
            },
            "responses": {
                "Problem": {
                    "description": "Refused: what happened, why, and what to do.",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
    })
}

fn describe(operation: &Operation, rule: Rule, reads: &mut SchemaGenerator, writes: &mut SchemaGenerator) -> Value {
    let mut parameters = path_parameters(operation.path);
    if let Some(query) = &operation.query {
        parameters.extend(query_parameters(query(reads), reads));
    }
    let mut responses = Map::new();
    let content = match &operation.answer {
        Content::Nothing => json!({ "description": "Done." }),
        Content::Json(schema) => {
            json!({ "description": "Done.", "content": { "application/json": { "schema": schema(writes) } } })
        }
        Content::Events(what) => {
            json!({ "description": what, "content": { "text/event-stream": { "schema": { "type": "string" } } } })
        }
    };
    responses.insert(operation.status.to_string(), content);
    for (status, what, schema) in &operation.also {
        let schema = schema(writes);
        responses
            .insert(status.to_string(), json!({ "description": what, "content": { "application/json": { "schema": schema } } }));
    }
    responses.insert("default".into(), json!({ "$ref": "#/components/responses/Problem" }));
    let scope = enforcement::scope_of(rule, &operation.method).map(|scope| scope.name());
    let who = match (rule, scope) {
        (Rule::InstanceOwner, _) => "For owners of the instance; a token needs the scope `manage`.".to_owned(),
        (_, Some(scope)) => format!("A token needs the scope `{scope}`."),
        (_, None) => String::new(),
    };
    let mut described = json!({
        "operationId": operation_id(operation),
        "tags": [operation.group],
        "summary": operation.summary,
        "description": format!("{} {who}", operation.text).trim(),
        "parameters": parameters,
        "responses": responses,
        "x-scope": scope,
    });
    if let Some(body) = &operation.body {
        described["requestBody"] =
            json!({ "required": !operation.optional_body, "content": { "application/json": { "schema": body(reads) } } });
    }
    described
}

/// `get_members_person` for `GET /api/v1/members/{person}`.
fn operation_id(operation: &Operation) -> String {
    let path = operation.path.trim_start_matches("/api/v1/").replace(['{', '}'], "").replace('/', "_");
    format!("{}_{path}", operation.method.as_str().to_lowercase())
}

fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "version" => json!({ "type": "integer", "format": "int32", "minimum": 1 }),
                "step" | "session" | "connector" | "field" | "code" => json!({ "type": "string", "minLength": 1 }),
                _ => json!({ "type": "string", "format": "uuid" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect()
}

/// The fields of a struct as parameters.
fn query_parameters(schema: Value, generator: &SchemaGenerator) -> Vec<Value> {
    let named =
        schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()).and_then(|name| generator.definitions().get(name));
    let fields = named.unwrap_or(&schema)["properties"].as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(name, mut schema)| {
            let text = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
            // Left out is what absent means here; nobody sends "null" in an address.
            if let Some(kinds) = schema["type"].as_array().cloned() {
                schema["type"] = kinds.into_iter().find(|kind| kind != "null").unwrap_or_default();
            }
            json!({ "name": name, "in": "query", "required": false, "description": text, "schema": schema })
        })
        .collect()
}

/// The body of every refusal (RFC 9457).
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What happened, why, and what to do. `type` is the page that explains the code.",
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "enum": Code::ALL.map(Code::name) },
            "detail": { "type": "string" },
            "fields": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "field": { "type": "string" }, "message": { "type": "string" } },
                    "required": ["field", "message"],
                },
            },
            "request": { "type": "string", "description": "The number under which the log has it." },
        },
        "required": ["type", "title", "status", "code", "detail", "fields"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_of_the_api_is_documented_and_nothing_else_is() {
        let table: BTreeSet<(String, &str)> = routes::all()
            .table
            .into_iter()
            .filter(|route| route.path.starts_with("/api/v1/"))
            .map(|route| (route.method.to_string(), route.path))
            .collect();
        let documented: BTreeSet<(String, &str)> =
            operations().into_iter().map(|operation| (operation.method.to_string(), operation.path)).collect();
        let missing: Vec<_> = table.difference(&documented).collect();
        let unknown: Vec<_> = documented.difference(&table).collect();
        assert!(missing.is_empty(), "not in the document: {missing:?}");
        assert!(unknown.is_empty(), "no such routes: {unknown:?}");
        assert_eq!(documented.len(), operations().len(), "documented twice");
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_name_is_one() {
        fn walk(value: &Value, at: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    if let Some(path) = fields.get("$ref").and_then(Value::as_str) {
                        at.push(path.to_owned());
                    }
                    fields.values().for_each(|value| walk(value, at));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, at)),
                _ => {}
            }
        }
        let mut references = Vec::new();
        walk(document(), &mut references);
        assert!(references.len() > 50);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document().pointer(pointer).is_some(), "{reference}");
        }
        for name in document()["components"]["schemas"].as_object().unwrap().keys() {
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{name}");
        }
    }
}
