//! The body that makes a connection: one shape for each way to authenticate at each service, so that a program reads from the document
//! what a form would ask a person. It says what [`form::read`] takes, and nothing else.

use super::patterns;
use crate::{
    api::connections::{New, Sharing},
    connections::form,
    problem::Problem,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use towpath_connectors::{
    registry::Registry,
    sdk::connector::{Auth, Connector, Hosts},
};
use towpath_engine::catalogue::{Field, FieldKind};

/// Text in one line.
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The same, with something to see.
const SOMETHING: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
/// What a header or an address can carry, without blanks around it.
const KEY: &str = r"^[!-~]([ -~]*[!-~])?$";
/// The name of a header.
const HEADER: &str = r"^[A-Za-z0-9!#$%&'*+.^_|~-]+$";

impl JsonSchema for New {
    fn schema_name() -> Cow<'static, str> {
        "NewConnection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let registry = Registry::built_in();
        let sharing = generator.subschema_for::<Sharing>().to_value();
        let shapes: Vec<Value> = registry
            .connectors()
            .flat_map(|connector| connector.auth.iter().map(|auth| shape(connector, auth, &sharing)))
            .collect();
        let mut schema = Schema::default();
        schema.insert("anyOf".into(), shapes.into());
        schema
    }
}

fn shape(connector: &Connector, auth: &Auth, sharing: &Value) -> Value {
    let fields: Map<String, Value> = auth.fields.iter().map(|field| (field.name.clone(), value(field))).collect();
    let needed: Vec<&str> = auth.fields.iter().filter(|field| is_needed(field)).map(|field| field.name.as_str()).collect();
    let mut properties = json!({
        "connector": { "const": connector.id },
        "auth": { "const": auth.id },
        "name": { "type": "string", "maxLength": 100, "pattern": form::NAME },
        "fields": {
            "type": "object", "description": auth.help, "properties": fields, "required": needed, "additionalProperties": false,
        },
        "sharing": sharing,
        "people": {
            "type": "array", "items": { "type": "string", "format": "uuid" }, "description": "With whom it is shared, for `people`.",
        },
    });
    let mut required = vec!["connector", "name"];
    if connector.auth.len() > 1 {
        required.push("auth");
    } else {
        properties["auth"] = json!({ "enum": [auth.id, null] });
    }
    if !needed.is_empty() {
        required.push("fields");
    }
    if connector.hosts == Hosts::Entered && !fields.contains_key("host") {
        properties["hosts"] = json!({
            "type": "array", "minItems": 1, "maxItems": 50, "items": { "type": "string", "pattern": patterns::host() },
            "description": "Where the secrets may be sent.", "examples": [["api.example.com"]],
        });
        required.push("hosts");
    }
    json!({
        "type": "object",
        "title": format!("{}: {}", connector.name, auth.title),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Is what a program sent written as the document says? Pages take more: they tidy what people paste.
///
/// # Errors
/// `InvalidInput` at the first field that isn't.
pub fn fits(connector: &Connector, auth: &Auth, new: &New) -> Result<(), Problem> {
    for (name, given) in &new.fields {
        let field = auth.fields.iter().find(|field| field.name == *name);
        if field.is_some_and(|field| !jsonschema::is_valid(&value(field), given)) {
            return Err(Problem::invalid(
                format!("fields.{name}"),
                "This is not written as the API's document says: look it up under NewConnection.",
            ));
        }
    }
    let names_hosts = connector.hosts == Hosts::Entered && !auth.fields.iter().any(|field| field.name == "host");
    if !names_hosts && !new.hosts.is_empty() {
        return Err(Problem::invalid("hosts", "Where these secrets may go is settled already. Leave this out."));
    }
    let pattern = json!({ "pattern": patterns::host() });
    match new.hosts.iter().position(|host| !jsonschema::is_valid(&pattern, &json!(host))) {
        Some(at) => Err(Problem::invalid(format!("hosts[{at}]"), "Write a host like api.example.com or *.example.com.")),
        None => Ok(()),
    }
}

/// Must it be there? What has a default may be left out.
fn is_needed(field: &Field) -> bool {
    field.required && field.default.as_ref().is_none_or(|it| it.as_str().is_some_and(|text| text.trim().is_empty()))
}

fn value(field: &Field) -> Value {
    let mut schema = match &field.kind {
        FieldKind::Number => json!({ "type": "integer", "minimum": 0, "maximum": super::EXACT }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Choice { options } => json!({ "enum": options.iter().map(|it| it.value.clone()).collect::<Vec<_>>() }),
        FieldKind::Secret if form::is_key(field) => {
            json!({ "type": "string", "minLength": form::SHORTEST_KEY, "maxLength": form::LONGEST_SECRET, "pattern": KEY })
        }
        FieldKind::Secret if field.name.contains("password") => {
            json!({ "type": "string", "maxLength": form::LONGEST_SECRET })
        }
        FieldKind::Secret => json!({ "type": "string", "maxLength": form::LONGEST_SECRET, "pattern": KEY }),
        _ => {
            let pattern = match field.name.as_str() {
                "host" => patterns::server(),
                name if name == "header" || name.starts_with("name_") => HEADER.to_owned(),
                _ if is_needed(field) => SOMETHING.to_owned(),
                _ => LINE.to_owned(),
            };
            json!({ "type": "string", "maxLength": form::LONGEST_TEXT, "pattern": pattern })
        }
    };
    schema["title"] = field.title.clone().into();
    if !field.help.is_empty() {
        schema["description"] = field.help.clone().into();
    }
    if field.kind == FieldKind::Secret {
        schema["writeOnly"] = true.into();
    }
    schema
}
