//! The document of the API (OpenAPI 3.1): the route table says which routes there are and who may call them, the operations say what
//! they take and answer, and the schemas come from the types that are read and written. A test calls every route and holds the
//! answers against it.

pub mod new_connection;
pub mod operation;
pub mod patterns;
mod people;
mod workflows;

use crate::{
    auth::{csrf, enforcement, permission::Rule},
    problem::Code,
    routes::{self, Route},
};
use axum::Json as Body;
use operation::{Content, Operation};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The type of every refusal.
const PROBLEM: &str = "application/problem+json";

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
    let mut paths = Map::new();
    for operation in operations {
        let Some(route) = table.iter().find(|route| route.path == operation.path && route.method == operation.method) else {
            continue;
        };
        let entry = paths.entry(operation.path).or_insert_with(|| json!({}));
        entry[operation.method.as_str().to_lowercase()] = describe(operation, route.rule, &mut reads, &mut writes);
    }
    let mut schemas = writes.take_definitions(true);
    // What goes both ways is described as it is taken: answers leave out nothing that may not be left out.
    schemas.extend(reads.take_definitions(true));
    schemas.insert("Problem".into(), problem());
    let refusal = |what: &str| json!({ "description": what, "content": { PROBLEM: { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let mut not_signed_in = refusal("No token, or one that does not work.");
    not_signed_in["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" }, "description": "`Bearer`" } });
    let mut too_many = refusal("Too many at once. Repeat it later.");
    too_many["headers"] = json!({ "Retry-After": { "schema": { "type": "integer", "minimum": 0 }, "description": "Seconds." } });
    let mut document = json!({
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
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key", "in": "header", "required": false,
                    "description": "1 to 200 printable characters, for example a UUID. Repeats of the request with the same key within a day are not carried out again and get the first answer.",
                    "schema": { "type": "string", "maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$" },
                },
            },
            "responses": {
                "Problem": refusal("Refused: what happened, why, and what to do."),
                "InvalidInput": refusal("What was sent does not fit this document; `fields` says where."),
                "NotSignedIn": not_signed_in,
                "Forbidden": refusal("The token has not the scope, or its person has not the role."),
                "NotFound": refusal("There is no such thing in this workspace."),
                "Conflict": refusal("It fits this document and clashes with what is there; `fields` says where."),
                "TooLarge": refusal("The body is larger than the server takes."),
                "UnsupportedMediaType": refusal("The body is not said to be JSON."),
                "TooManyRequests": too_many,
            },
        },
    });
    bound(&mut document);
    document
}

/// The largest whole number up to which every reader of JSON is exact.
const EXACT: u64 = (1 << 53) - 1;

/// Says of every whole number how large it may be, as its type on our side has it.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let (least, most) = match fields.get("format").and_then(Value::as_str) {
                Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
                Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
                Some("uint32") => (json!(0), json!(u32::MAX)),
                Some("uint" | "uint64") => (json!(0), json!(EXACT)),
                _ => (Value::Null, Value::Null),
            };
            for (name, limit) in [("minimum", least), ("maximum", most)] {
                if !limit.is_null() && !fields.contains_key(name) {
                    fields.insert(name.to_owned(), limit);
                }
            }
            fields.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}

fn describe(operation: &Operation, rule: Rule, reads: &mut SchemaGenerator, writes: &mut SchemaGenerator) -> Value {
    let mut parameters = path_parameters(operation.path);
    if let Some(query) = &operation.query {
        parameters.extend(query_parameters(query(reads), reads));
    }
    if csrf::changes_state(&operation.method) {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    let mut responses = Map::new();
    let content = match &operation.answer {
        Content::Nothing => json!({ "description": "Done." }),
        Content::Json(schema) => {
            json!({ "description": "Done.", "content": { "application/json": { "schema": schema(writes) } } })
        }
        Content::Csv(what) => json!({ "description": what, "content": { "text/csv": { "schema": { "type": "string" } } } }),
        Content::Events(what) => {
            // One event, as OpenAPI 3.2 has it for streams, and readers of 3.1 take it.
            let event = json!({
                "type": "object",
                "properties": {
                    "event": { "type": "string" },
                    "data": { "type": "string", "contentMediaType": "application/json" },
                    "retry": { "type": "integer", "minimum": 0, "description": "Milliseconds to wait before coming back." },
                },
                "required": ["event", "data"],
            });
            json!({ "description": what, "content": { "text/event-stream": { "schema": event } } })
        }
    };
    responses.insert(operation.status.to_string(), content);
    for (status, name) in refusals(operation, rule) {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    for (status, what, schema) in &operation.also {
        let either = json!({ "anyOf": [schema(writes), { "$ref": "#/components/schemas/Problem" }] });
        responses.insert(status.to_string(), json!({ "description": what, "content": { PROBLEM: { "schema": either } } }));
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
        let mut content = json!({ "schema": body(reads) });
        if let Some(example) = &operation.example {
            content["example"] = example.clone();
        }
        described["requestBody"] = json!({ "required": !operation.optional_body, "content": { "application/json": content } });
    }
    described
}

/// The refusals that a caller has to reckon with, besides those that may come anywhere.
fn refusals(operation: &Operation, rule: Rule) -> Vec<(u16, &'static str)> {
    let changes = csrf::changes_state(&operation.method);
    let mut all = vec![(401, "NotSignedIn"), (429, "TooManyRequests")];
    if operation.body.is_some() || operation.query.is_some() || operation.path.contains('{') || changes {
        all.push((400, "InvalidInput"));
    }
    if rule != Rule::Visitor {
        all.push((403, "Forbidden"));
    }
    if operation.path.contains('{') {
        all.push((404, "NotFound"));
    }
    if changes {
        all.push((409, "Conflict"));
    }
    if operation.body.is_some() {
        all.extend([(413, "TooLarge"), (415, "UnsupportedMediaType")]);
    }
    all
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
                "session" => json!({ "type": "string", "minLength": 1, "description": "As the list of sessions names it." }),
                "variable" => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$", "description": "Its name." }),
                "step" => json!({ "type": "string", "minLength": 1, "description": "Its id in the document." }),
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
