//! The reference of the API, rendered from the same document that programs read.

use crate::{
    api::openapi,
    auth::{Actor, visit::Visit},
    pages,
    problem::Problem,
};
use axum::{extract::State, response::Response};
use serde_json::{Value, json};
use towpath_web::help::api::{Answer, ApiReference, Field, Group, Operation};

/// How deep the fields of a body are listed.
const DEEPEST: usize = 4;

/// `GET /help/api`
pub async fn show(State(app): State<crate::app::App>, visit: Visit, actor: Option<Actor>) -> Result<Response, Problem> {
    pages::html(&ApiReference {
        page: super::page(actor.as_ref(), &visit, "The API"),
        origin: app.auth.settings.origin(&visit),
        groups: groups(openapi::document()),
    })
}

fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for described in openapi::operations() {
        let operation = &document["paths"][described.path][described.method.as_str().to_lowercase()];
        if operation.is_null() {
            continue;
        }
        if groups.last().is_none_or(|group| group.title != described.group) {
            groups.push(Group {
                title: described.group.to_owned(),
                anchor: described.group.to_lowercase().replace(' ', "-"),
                operations: Vec::new(),
            });
        }
        if let Some(group) = groups.last_mut() {
            group.operations.push(read(document, described.method.as_str(), described.path, operation));
        }
    }
    groups
}

fn read(document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let parameters =
        operation["parameters"].as_array().into_iter().flatten().map(|it| named(document, it)).map(|parameter| Field {
            name: text(&parameter["name"]),
            kind: kind(document, &parameter["schema"]),
            required: parameter["required"] == true,
            text: text(&parameter["description"]),
        });
    let mut body = Vec::new();
    let content = &operation["requestBody"]["content"]["application/json"];
    list_fields(document, &one_shape(document, &content["schema"]), "", 0, &mut body);
    let example = &content["example"];
    let example = (!example.is_null()).then(|| serde_json::to_string_pretty(example).unwrap_or_default());
    // Refusals are the same everywhere; the page says once what is in them.
    let shared = |response: &Value| response["$ref"].is_string();
    let all = || operation["responses"].as_object().into_iter().flatten();
    let mut refusals: Vec<&str> =
        all().filter(|(status, response)| *status != "default" && shared(response)).map(|(status, _)| status.as_str()).collect();
    refusals.sort_unstable();
    let responses = all().filter(|(_, response)| !shared(response));
    let answers = responses.map(|(status, response)| {
        let mut fields = Vec::new();
        let content = &response["content"];
        let schema = if content["application/json"].is_null() {
            &content["application/problem+json"]
        } else {
            &content["application/json"]
        };
        list_fields(document, &schema["schema"], "", 0, &mut fields);
        Answer {
            status: status.clone(),
            text: match &response["content"]["text/event-stream"] {
                Value::Null => String::new(),
                _ => format!("Server-sent events: {}", text(&response["description"])),
            },
            fields,
        }
    });
    Operation {
        anchor: text(&operation["operationId"]),
        method: method.to_owned(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        text: text(&operation["description"]).replace('`', "\""),
        parameters: parameters.collect(),
        body,
        example,
        answers: answers.collect(),
        refusals: refusals.join(", "),
    }
}

/// What a reference leads to, or the value itself.
fn named<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#'))).unwrap_or(value)
}

/// A body that may have several shapes, as one that has the fields of all: needed is what all of them need, and what tells them apart
/// has a list of values.
fn one_shape(document: &Value, schema: &Value) -> Value {
    let schema = named(document, schema);
    let Some(shapes) = schema["anyOf"].as_array().filter(|shapes| shapes.len() > 1) else { return schema.clone() };
    let mut fields = serde_json::Map::new();
    let mut needed: Option<Vec<Value>> = None;
    for shape in shapes.iter().map(|shape| named(document, shape)) {
        for (name, field) in shape["properties"].as_object().into_iter().flatten() {
            let known = fields.entry(name).or_insert_with(|| field.clone());
            if let Some(value) = field.get("const") {
                let values = known.as_object_mut().map(|known| {
                    known.remove("const");
                    known.entry("enum").or_insert_with(|| Value::Array(Vec::new()))
                });
                if let Some(Value::Array(values)) = values
                    && !values.contains(value)
                {
                    values.push(value.clone());
                }
            } else if known["properties"].is_object() {
                let more = field["properties"].as_object().cloned().unwrap_or_default();
                for (name, inner) in more {
                    known["properties"].as_object_mut().map(|known| known.entry(name).or_insert(inner));
                }
                if known["required"] != field["required"] {
                    known["required"] = Value::Array(Vec::new());
                    known["description"] = "What the way to authenticate asks for.".into();
                }
            }
        }
        let asks = shape["required"].as_array().cloned().unwrap_or_default();
        needed = Some(match needed {
            None => asks,
            Some(before) => before.into_iter().filter(|name| asks.contains(name)).collect(),
        });
    }
    json!({ "type": "object", "properties": fields, "required": needed })
}

/// The fields of an object, and of the objects inside it, each as one line.
fn list_fields(document: &Value, schema: &Value, before: &str, depth: usize, into: &mut Vec<Field>) {
    let schema = follow(document, schema);
    if schema["type"] == "array" || schema["items"].is_object() {
        return list_fields(document, &schema["items"], &format!("{before}[]"), depth + 1, into);
    }
    let Some(fields) = schema["properties"].as_object().filter(|_| depth < DEEPEST) else { return };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in fields {
        let at = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        into.push(Field {
            kind: kind(document, field),
            required: required.contains(&name.as_str()),
            text: text(&field["description"]),
            name: at.clone(),
        });
        list_fields(document, field, &at, depth + 1, into);
    }
}

fn follow<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let named = schema["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#')));
    let alternative = || schema["anyOf"].as_array().and_then(|any| any.iter().find(|it| it["type"] != "null"));
    match (named, alternative()) {
        (Some(named), _) => named,
        (None, Some(one)) => follow(document, one),
        (None, None) => schema,
    }
}

/// "string", "integer or null", "one of read, edit".
fn kind(document: &Value, schema: &Value) -> String {
    let followed = follow(document, schema);
    let values: Vec<String> = match followed["oneOf"].as_array() {
        Some(one) => one
            .iter()
            .flat_map(|it| it["enum"].as_array().cloned().unwrap_or_else(|| vec![it["const"].clone()]))
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect(),
        None => followed["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    if !values.is_empty() {
        return format!("one of {}", values.join(", "));
    }
    let names: Vec<&str> = match &followed["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any JSON"],
    };
    let mut said = names.join(" or ");
    if names.contains(&"array") {
        said = said.replace("array", &format!("list of {}", kind(document, &followed["items"])));
    }
    match followed["format"].as_str() {
        Some("uuid") => said.replace("string", "id"),
        Some("date-time") => said.replace("string", "time (RFC 3339)"),
        _ => said,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_document_is_on_the_page() {
        let groups = groups(openapi::document());
        let shown: usize = groups.iter().map(|group| group.operations.len()).sum();
        assert_eq!(shown, openapi::operations().len());
        let mut titles: Vec<&str> = groups.iter().map(|group| group.title.as_str()).collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), groups.len(), "a chapter stands in one place");
        let invite = groups.iter().flat_map(|group| &group.operations).find(|it| it.anchor == "post_invitations").unwrap();
        assert!(invite.example.as_ref().is_some_and(|it| it.contains("grace@example.com")) && invite.refusals.contains("409"));
        assert_eq!(invite.answers.len(), 1, "refusals are listed by their numbers alone");
        assert!(invite.parameters.iter().any(|it| it.name == "Idempotency-Key" && !it.text.is_empty()));
        let connect = groups.iter().flat_map(|group| &group.operations).find(|it| it.anchor == "post_connections").unwrap();
        let field = |name: &str| connect.body.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{name}"));
        assert!(
            field("connector").required && field("connector").kind.contains("http") && field("connector").kind.contains("slack")
        );
        assert!(!field("hosts").required && !field("fields.token").required && !field("fields.password").required);
        let names: Vec<&str> = invite.body.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["email", "role"]);
        assert!(invite.body[1].kind.starts_with("one of viewer"), "{}", invite.body[1].kind);
    }
}
