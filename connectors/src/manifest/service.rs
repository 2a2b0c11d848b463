//! A whole manifest compiled: the connector as the gallery and the vault see it, and its operations as the registry holds them.

use super::{
    action::Action,
    compile::{APPLY, BASE, Fault, PROBE, Service, text_at},
    document::{self, AuthKind, AuthSpec, Manifest},
    input::{self, Format, Input},
    pick::Pick,
    poll::Poll,
    receive::Receive,
};
use crate::sdk::{
    Entry,
    connector::{Attach, Auth, Connector, Hosts, Probe},
};
use indexmap::IndexMap;
use std::sync::Arc;
use towpath_engine::catalogue::{Category, ConnectionNeed, Effect, EffectRule, Operation, Role};

/// A manifest that runs.
pub struct Compiled {
    pub connector: Connector,
    pub entries: Vec<Entry>,
    /// The actions by their ids, internal ones included.
    pub actions: IndexMap<String, Arc<Action>>,
    pub polls: IndexMap<String, Arc<Poll>>,
    pub receivers: IndexMap<String, Arc<Receive>>,
}

/// Compiles everything, or says what can't be.
///
/// # Errors
/// Every fault that was found, at most one for each operation.
pub fn compile(manifest: &Manifest) -> Result<Compiled, Vec<Fault>> {
    let one = |fault| vec![fault];
    let service = Service::compile(manifest).map_err(one)?;
    let connector = connector(manifest).map_err(one)?;
    let mut compiled =
        Compiled { connector, entries: Vec::new(), actions: IndexMap::new(), polls: IndexMap::new(), receivers: IndexMap::new() };
    let mut faults = Vec::new();
    for (id, spec) in manifest.actions.iter().filter(|(_, spec)| !spec.native) {
        let action = inputs(manifest, &format!("actions.{id}"), &spec.input)
            .and_then(|inputs| Action::compile(&service, id, spec, &inputs));
        match action {
            Ok(action) => _ = compiled.actions.insert(id.clone(), Arc::new(action)),
            Err(fault) => faults.push(fault),
        }
    }
    for (id, trigger) in &manifest.triggers {
        if let Err(fault) = hear(manifest, &service, id, trigger, &mut compiled) {
            faults.push(fault);
        }
    }
    if faults.is_empty() {
        match entries(manifest, &compiled) {
            Ok(entries) => compiled.entries = entries,
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(compiled) } else { Err(faults) }
}

fn hear(
    manifest: &Manifest,
    service: &Arc<Service>,
    id: &str,
    trigger: &document::Trigger,
    compiled: &mut Compiled,
) -> Result<(), Fault> {
    let inputs = inputs(manifest, &format!("triggers.{id}"), &trigger.input)?;
    if let Some(spec) = &trigger.poll {
        compiled.polls.insert(id.into(), Arc::new(Poll::compile(service, id, trigger, spec, &inputs)?));
    }
    if let Some(hook) = &trigger.webhook {
        compiled.receivers.insert(id.into(), Arc::new(Receive::compile(id, trigger, hook, &inputs)?));
    }
    Ok(())
}

/// An operation's inputs with `use` followed.
pub fn inputs(manifest: &Manifest, path: &str, inputs: &IndexMap<String, Input>) -> Result<IndexMap<String, Input>, Fault> {
    let find = |operation: &str, field: &str| {
        let action = manifest.actions.get(operation).and_then(|action| action.input.get(field));
        action.or_else(|| manifest.triggers.get(operation)?.input.get(field)).cloned()
    };
    input::resolved(inputs, &find).map_err(|(name, message)| Fault::new(format!("{path}.input.{name}.use"), message))
}

fn entries(manifest: &Manifest, compiled: &Compiled) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for (id, trigger) in &manifest.triggers {
        let inputs = inputs(manifest, &format!("triggers.{id}"), &trigger.input)?;
        let mut entry = Entry::from(trigger_operation(manifest, id, trigger, &inputs));
        entry.picks = picks(compiled, &format!("triggers.{id}"), &inputs)?;
        if let Some(poll) = compiled.polls.get(id) {
            entry.poll = Some(Box::new(Arc::clone(poll)));
        }
        if let Some(receive) = compiled.receivers.get(id) {
            entry.receive = Some(Box::new(Arc::clone(receive)));
        }
        entries.push(entry);
    }
    for (id, spec) in &manifest.actions {
        let inputs = inputs(manifest, &format!("actions.{id}"), &spec.input)?;
        let mut entry = Entry::from(action_operation(manifest, id, spec, &inputs));
        entry.picks = picks(compiled, &format!("actions.{id}"), &inputs)?;
        entry.internal = spec.internal;
        if let Some(action) = compiled.actions.get(id) {
            entry.action = Some(Box::new(Arc::clone(action)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn picks(
    compiled: &Compiled,
    path: &str,
    inputs: &IndexMap<String, Input>,
) -> Result<IndexMap<String, Box<dyn crate::sdk::pick::Pick>>, Fault> {
    let mut picks: IndexMap<String, Box<dyn crate::sdk::pick::Pick>> = IndexMap::new();
    for (name, input) in inputs {
        let Some(spec) = &input.pick else { continue };
        let path = format!("{path}.input.{name}");
        let action = compiled.actions.get(&spec.from).ok_or_else(|| {
            Fault::new(format!("{path}.pick.from"), format!("there is no action “{}” in this manifest", spec.from))
        })?;
        picks.insert(name.clone(), Box::new(Pick::compile(&path, spec, Arc::clone(action))?));
    }
    Ok(picks)
}

fn action_operation(manifest: &Manifest, id: &str, spec: &document::Action, inputs: &IndexMap<String, Input>) -> Operation {
    Operation {
        name: format!("{}.{id}", manifest.connector.id),
        role: Role::Action,
        connector: manifest.connector.id.clone(),
        connection: need(manifest, true),
        title: spec.title.clone(),
        sentence: spec.sentence.clone(),
        keywords: keywords(manifest, &spec.keywords),
        icon: manifest.connector.id.clone(),
        category: Category::Connect,
        inputs: inputs.iter().map(|(name, input)| input.field(name, true)).collect(),
        effect: Some(EffectRule::Always(spec.effect)),
        sample: spec.sample.clone(),
        help: spec.help.clone(),
    }
}

fn trigger_operation(manifest: &Manifest, id: &str, trigger: &document::Trigger, inputs: &IndexMap<String, Input>) -> Operation {
    Operation {
        name: format!("{}.{id}", manifest.connector.id),
        role: Role::Trigger,
        connector: manifest.connector.id.clone(),
        connection: if trigger.no_connection { None } else { need(manifest, true) },
        title: trigger.title.clone(),
        sentence: trigger.sentence.clone(),
        keywords: keywords(manifest, &trigger.keywords),
        icon: manifest.connector.id.clone(),
        category: Category::Start,
        inputs: inputs.iter().map(|(name, input)| input.field(name, false)).collect(),
        effect: None,
        sample: serde_json::json!({ "body": trigger.sample }),
        help: trigger.help.clone(),
    }
}

fn need(manifest: &Manifest, required: bool) -> Option<ConnectionNeed> {
    (!manifest.auth.is_empty()).then(|| ConnectionNeed { connector: manifest.connector.id.clone(), required })
}

/// People search by the service's name, too.
fn keywords(manifest: &Manifest, own: &[String]) -> Vec<String> {
    let name = manifest.connector.name.to_lowercase();
    own.iter().cloned().chain([name]).collect()
}

fn connector(manifest: &Manifest) -> Result<Connector, Fault> {
    let identity = &manifest.connector;
    Ok(Connector {
        id: identity.id.clone(),
        name: identity.name.clone(),
        icon: identity.id.clone(),
        sentence: identity.sentence.clone(),
        categories: identity.categories.clone(),
        docs: identity.docs.clone(),
        auth: manifest.auth.iter().enumerate().map(|(index, auth)| authentication(index, auth)).collect::<Result<_, _>>()?,
        hosts: Hosts::Fixed(identity.hosts.clone()),
        test: probe(manifest)?,
    })
}

fn probe(manifest: &Manifest) -> Result<Option<Probe>, Fault> {
    let Some(connection) = &manifest.connection else { return Ok(None) };
    let (method, path) = match (&connection.test.get, &connection.test.post) {
        (Some(path), None) => ("GET", path),
        (None, Some(path)) => ("POST", path),
        _ => return Err(Fault::new("connection.test", "name get or post")),
    };
    let base = manifest.http.as_ref().map(|http| http.base.trim_end_matches('/')).unwrap_or_default();
    let url = format!("{base}{path}");
    text_at("connection.test", &url, BASE)?;
    let success = manifest.http.as_ref().and_then(|http| http.success.clone());
    let account = connection.account.as_ref();
    for (name, text) in [("id", account.map(|it| &it.id)), ("label", account.map(|it| &it.label)), ("success", success.as_ref())]
    {
        if let Some(text) = text {
            text_at(&format!("connection.account.{name}"), text, PROBE)?;
        }
    }
    Ok(Some(Probe {
        method: method.into(),
        url,
        success,
        account_id: account.map(|it| it.id.clone()),
        account_label: account.map(|it| it.label.clone()),
    }))
}

fn authentication(index: usize, spec: &AuthSpec) -> Result<Auth, Fault> {
    let path = format!("auth[{index}]");
    let secrets: Vec<&String> =
        spec.fields.iter().filter(|(_, field)| field.format == Some(Format::Secret)).map(|(name, _)| name).collect();
    let mut apply = Vec::new();
    if let Some(spec) = &spec.apply {
        apply.extend(spec.header.iter().map(|(name, value)| Attach::Header { name: name.clone(), value: value.clone() }));
        apply.extend(spec.query.iter().map(|(name, value)| Attach::Query { name: name.clone(), value: value.clone() }));
        apply.extend(spec.basic.iter().map(|it| Attach::Basic { user: it.user.clone(), password: it.password.clone() }));
    }
    if apply.is_empty() {
        apply.push(match (spec.kind, secrets.first()) {
            (AuthKind::Bearer, Some(secret)) => {
                Attach::Header { name: "Authorization".into(), value: format!("Bearer {{{{ secret.{secret} }}}}") }
            }
            (AuthKind::Basic, Some(secret)) => {
                Attach::Basic { user: "{{ connection.user }}".into(), password: format!("{{{{ secret.{secret} }}}}") }
            }
            (AuthKind::Bearer | AuthKind::Basic, None) => {
                return Err(Fault::new(format!("{path}.fields"), "one field needs format: secret"));
            }
            (AuthKind::ApiKey | AuthKind::Custom, _) => {
                return Err(Fault::new(format!("{path}.apply"), "say where the key goes: header, query or basic"));
            }
        });
    }
    for attach in &apply {
        let values = match attach {
            Attach::Header { value, .. } | Attach::Query { value, .. } => vec![value],
            Attach::Basic { user, password } => vec![user, password],
        };
        for value in values {
            let template = text_at(&format!("{path}.apply"), value, APPLY)?;
            for read in template.paths() {
                let known = match read.split_once('.') {
                    Some(("secret", name)) => secrets.iter().any(|secret| *secret == name),
                    Some((_, name)) => spec.fields.contains_key(name) && !secrets.iter().any(|secret| *secret == name),
                    None => false,
                };
                if !known {
                    return Err(Fault::new(format!("{path}.apply"), format!("{read} is none of the fields")));
                }
            }
        }
    }
    Ok(Auth {
        id: spec.id.clone(),
        title: spec.title.clone(),
        help: spec.help.clone(),
        fields: spec.fields.iter().map(|(name, field)| field.field(name, false)).collect(),
        apply,
    })
}

/// The effect that an action's manifest may claim.
pub fn effect_fits(effect: Effect, method: &str, keyed: bool) -> Result<(), &'static str> {
    match (effect, method) {
        (Effect::Keyed, _) if !keyed => Err("effect: keyed needs {{ run.key }} in the request, where the service looks for it"),
        (Effect::Read, "PUT" | "PATCH" | "DELETE") => Err("a request with this method changes something: it is no read"),
        (Effect::Idempotent | Effect::Keyed | Effect::Unsafe, "GET") => Err("a GET reads; say effect: read"),
        _ => Ok(()),
    }
}
