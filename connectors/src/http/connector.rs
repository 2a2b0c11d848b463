//! Connections for services that have no connector of their own: whatever a service wants to see in a header or in the address. The
//! owner names the hosts that may see it.

use crate::sdk::{
    connector::{Attach, Auth, Connector, Hosts, Probe},
    form::{Change, field},
};
use serde_json::json;
use towpath_engine::catalogue::{Field, FieldKind};

/// How many headers of their own choice a connection can have.
const HEADERS: usize = 3;

pub fn connector() -> Connector {
    Connector {
        id: "http".into(),
        name: "HTTP".into(),
        icon: "globe".into(),
        sentence: "Any service with a web address".into(),
        categories: vec!["developer".into()],
        docs: None,
        auth: vec![bearer(), basic(), api_key_header(), api_key_query(), headers()],
        hosts: Hosts::Entered,
        // Which address answers is known to whoever made the connection: the test asks for one.
        test: Some(Probe {
            method: "GET".into(),
            url: "{{ connection.test_url }}".into(),
            success: None,
            account_id: None,
            account_label: None,
        }),
    }
}

fn secret(name: &str, title: &str) -> Field {
    field(name, title, FieldKind::Secret).required().literal()
}

fn text(name: &str, title: &str) -> Field {
    field(name, title, FieldKind::Text).literal()
}

fn bearer() -> Auth {
    Auth {
        id: "bearer".into(),
        title: "Bearer token".into(),
        help: "The service gave you one token, often called access token, personal token or API token. Its documentation says \
               “Authorization: Bearer …”."
            .into(),
        fields: vec![secret("token", "Token")],
        apply: vec![Attach::Header { name: "Authorization".into(), value: "Bearer {{ secret.token }}".into() }],
    }
}

fn basic() -> Auth {
    Auth {
        id: "basic".into(),
        title: "User name and password".into(),
        help: "The service asks for a user name and a password (HTTP Basic). Some services want an API key in one of the two fields; \
               their documentation says in which."
            .into(),
        fields: vec![text("user", "User name").required(), field("password", "Password", FieldKind::Secret).literal()],
        apply: vec![Attach::Basic { user: "{{ connection.user }}".into(), password: "{{ secret.password | default('') }}".into() }],
    }
}

fn api_key_header() -> Auth {
    Auth {
        id: "api_key_header".into(),
        title: "API key in a header".into(),
        help: "The service's documentation names a header, for example X-API-Key.".into(),
        fields: vec![text("header", "Name of the header").default(json!("X-API-Key")).required(), secret("key", "API key")],
        apply: vec![Attach::Header { name: "{{ connection.header }}".into(), value: "{{ secret.key }}".into() }],
    }
}

fn api_key_query() -> Auth {
    Auth {
        id: "api_key_query".into(),
        title: "API key in the address".into(),
        help:
            "The service's documentation shows an address with the key in it, for example ?api_key=…. Where there is a choice, a \
               header is safer: addresses end up in logs."
                .into(),
        fields: vec![text("parameter", "Name of the parameter").default(json!("api_key")).required(), secret("key", "API key")],
        apply: vec![Attach::Query { name: "{{ connection.parameter }}".into(), value: "{{ secret.key }}".into() }],
    }
}

fn headers() -> Auth {
    let mut fields = Vec::new();
    let mut apply = Vec::new();
    for number in 1..=HEADERS {
        let (name, value) = (format!("name_{number}"), format!("value_{number}"));
        let title = |what: &str| if number == 1 { what.to_owned() } else { format!("{what} {number}") };
        let (name_field, value_field) =
            (text(&name, &title("Header")), field(&value, &title("Its value"), FieldKind::Secret).literal());
        fields.extend(if number == 1 { [name_field.required(), value_field.required()] } else { [name_field, value_field] });
        apply.push(Attach::Header {
            name: format!("{{{{ connection.{name} | default('') }}}}"),
            value: format!("{{{{ secret.{value} | default('') }}}}"),
        });
    }
    Auth {
        id: "headers".into(),
        title: "Headers of your choice".into(),
        help: "For services that want several headers, such as a client id and a secret. The names are shown later, the values never."
            .into(),
        fields,
        apply,
    }
}
