//! One connector's page: its help, how connections sign in, and each operation with its fields and a sample.

use crate::{
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use towpath_connectors::sdk::connector::{Auth, Hosts};
use towpath_engine::catalogue::{self, Catalogue, Effect, EffectRule, FieldKind, Role};
use towpath_web::{
    connectors::show::{Field, Operation, Show, SignIn},
    layout::Area,
    markdown,
};

/// `GET /connectors/{connector}`
pub async fn show(State(app): State<App>, actor: Actor, Path(connector): Path<String>) -> Result<Response, Problem> {
    let listed = app.registry.listed(&connector).ok_or_else(Problem::not_found)?;
    let known = &listed.connector;
    let of = |role: Role| {
        let operations = app.registry.operations();
        operations.filter(|operation| operation.connector == known.id && operation.role == role).map(operation).collect()
    };
    pages::html(&Show {
        page: actor.page(&known.name, Area::Elsewhere),
        id: known.id.clone(),
        name: known.name.clone(),
        icon: known.icon.clone(),
        sentence: known.sentence.clone(),
        docs: known.docs.clone(),
        hosts: match &known.hosts {
            Hosts::Fixed(hosts) => hosts.clone(),
            _ => Vec::new(),
        },
        sign_in: known.auth.iter().map(sign_in).collect(),
        connects: actor.role.may(Action::EditConnections),
        help: listed.readme.as_deref().map(markdown::page),
        triggers: of(Role::Trigger),
        actions: of(Role::Action),
    })
}

fn sign_in(auth: &Auth) -> SignIn {
    let fields = auth.fields.iter().map(|field| field.title.clone()).collect();
    SignIn { title: auth.title.clone(), help: auth.help.clone(), fields }
}

fn operation(operation: &catalogue::Operation) -> Operation {
    Operation {
        name: operation.name.clone(),
        title: operation.title.clone(),
        sentence: operation.sentence.clone(),
        help: operation.help.clone(),
        repeat: operation.effect.as_ref().map(repeat),
        fields: operation.inputs.iter().map(field).collect(),
        sample: serde_json::to_string_pretty(&operation.sample).unwrap_or_default(),
    }
}

fn repeat(effect: &EffectRule) -> &'static str {
    match effect {
        EffectRule::Always(Effect::Read) => "It only reads: a repeat changes nothing.",
        EffectRule::Always(Effect::Idempotent) => {
            "A repeat leaves the same state, so it is tried again when its outcome is unknown."
        }
        EffectRule::Always(Effect::Keyed) => "The service ignores a repeat, so it is tried again when its outcome is unknown.",
        EffectRule::Always(Effect::Unsafe) => "A repeat would do it twice: when its outcome is unknown, a person decides.",
        EffectRule::ByMethod { .. } => "What a repeat does depends on the method.",
    }
}

fn field(field: &catalogue::Field) -> Field {
    Field {
        title: field.title.clone(),
        help: field.help.clone(),
        required: field.required && field.default.is_none(),
        kind: match (&field.kind, &field.pick) {
            (_, Some(_)) => "picked from a list",
            (FieldKind::Number, _) => "number",
            (FieldKind::Boolean, _) => "yes or no",
            (FieldKind::Choice { .. }, _) => "one of several",
            (FieldKind::Choices { .. }, _) => "some of several",
            (FieldKind::Pairs, _) => "names and values",
            (FieldKind::Conditions, _) => "conditions",
            (FieldKind::Json, _) => "data",
            (FieldKind::Lines, _) => "lines",
            (FieldKind::Files, _) => "files",
            (FieldKind::DateTime, _) => "date and time",
            (FieldKind::Emails, _) => "e-mail addresses",
            _ => "text",
        },
    }
}
