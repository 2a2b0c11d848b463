//! The one registry: every operation a workflow may use, triggers and flow steps included, and every connector. It knows nothing about
//! any of them but what their entries say. A connector that is a manifest is its folder and nothing else; an operation in Rust is its
//! folder and one line in its family's list.

use crate::{
    code, data, email, flow, http,
    manifest::{Folder, check::check},
    native,
    sdk::{
        Entry,
        connector::Connector,
        poll::{CHECK_EVERY, check_every},
    },
    table, triggers,
};
use indexmap::IndexMap;
use std::{io, path::Path};
use towpath_engine::catalogue::{Catalogue, Operation};

/// Operations by name, in the order in which a person should meet them, and connectors by id.
#[derive(Default)]
pub struct Registry {
    entries: IndexMap<String, Entry>,
    connectors: IndexMap<String, Listed>,
}

/// A connector and the pages of its folder.
pub struct Listed {
    pub connector: Connector,
    /// A drawing, for connectors that are folders; others are drawn by the name in `connector.icon`.
    pub icon: Option<String>,
    /// The help page, as Markdown.
    pub readme: Option<String>,
}

/// A manifest of an installation that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum NotLoaded {
    #[error("the connectors' directory can't be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the connector “{name}” is not in order:\n{}", .problems.join("\n"))]
    Wrong { name: String, problems: Vec<String> },
    #[error("the connector “{0}” is built in already; give yours another id")]
    Twice(String),
}

impl Registry {
    /// Everything that is built in.
    pub fn built_in() -> Self {
        let mut registry: Self = [
            triggers::entries(),
            http::entries(),
            email::entries(),
            flow::entries(),
            data::entries(),
            code::entries(),
            table::entries(),
        ]
        .into_iter()
        .flatten()
        .collect();
        registry.insert(Listed { connector: http::connector(), icon: None, readme: None });
        registry.insert(Listed { connector: email::connector(), icon: None, readme: None });
        for folder in Folder::embedded() {
            let name = folder.name.clone();
            // A test holds every folder of this repository to it.
            if let Err(error) = registry.add(&folder) {
                panic!("the connector {name}: {error}");
            }
        }
        registry
    }

    /// Adds the connectors below a directory of the installation.
    ///
    /// # Errors
    /// When one of them is not in order, or has the id of another.
    pub fn with_directory(mut self, directory: &Path) -> Result<Self, NotLoaded> {
        for folder in Folder::below(directory)? {
            self.add(&folder)?;
        }
        Ok(self)
    }

    fn add(&mut self, folder: &Folder) -> Result<(), NotLoaded> {
        let checked = check(folder).map_err(|problems| NotLoaded::Wrong {
            name: folder.name.clone(),
            problems: problems.iter().map(ToString::to_string).collect(),
        })?;
        let connector = checked.compiled.connector;
        if self.connectors.contains_key(&connector.id) {
            return Err(NotLoaded::Twice(connector.id));
        }
        for mut entry in checked.compiled.entries {
            native::complete(&mut entry);
            self.entries.insert(entry.operation.name.clone(), complete(entry));
        }
        let text = |file: &str| folder.text(file).map(ToOwned::to_owned);
        self.insert(Listed { icon: text("icon.svg"), readme: text("README.md"), connector });
        Ok(())
    }

    fn insert(&mut self, listed: Listed) {
        self.connectors.insert(listed.connector.id.clone(), listed);
    }

    /// What carries the operation out; `None` for triggers and for the steps that the engine does itself.
    pub fn action(&self, name: &str) -> Option<&dyn crate::sdk::Action> {
        self.entries.get(name)?.action.as_deref()
    }

    /// What asks the service for news; `None` for what isn't a polling trigger.
    pub fn poll(&self, name: &str) -> Option<&dyn crate::sdk::poll::Poll> {
        self.entries.get(name)?.poll.as_deref()
    }

    /// What understands the service's deliveries; `None` for what the service doesn't call.
    pub fn receive(&self, name: &str) -> Option<&dyn crate::sdk::receive::Receive> {
        self.entries.get(name)?.receive.as_deref()
    }

    /// What lists the options of a field.
    pub fn pick(&self, name: &str, field: &str) -> Option<&dyn crate::sdk::pick::Pick> {
        self.entries.get(name)?.picks.get(field).map(AsRef::as_ref)
    }

    /// All connectors, in the order in which a person should meet them.
    pub fn connectors(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.values().map(|listed| &listed.connector)
    }

    pub fn connector(&self, id: &str) -> Option<&Connector> {
        Some(&self.connectors.get(id)?.connector)
    }

    /// A connector with its icon and its help page.
    pub fn listed(&self, id: &str) -> Option<&Listed> {
        self.connectors.get(id)
    }
}

/// A later entry of the same name replaces the earlier one in its place.
impl FromIterator<Entry> for Registry {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.operation.name.clone(), complete(entry))).collect();
        Self { entries, connectors: IndexMap::new() }
    }
}

/// What every operation of a kind has in common is added here.
fn complete(mut entry: Entry) -> Entry {
    if let Some(poll) = entry.poll.as_ref().filter(|_| entry.operation.field(CHECK_EVERY).is_none()) {
        entry.operation.inputs.push(check_every(poll.every()));
    }
    entry
}

impl Catalogue for Registry {
    fn operation(&self, name: &str) -> Option<&Operation> {
        self.entries.get(name).filter(|entry| !entry.internal).map(|entry| &entry.operation)
    }

    fn operations(&self) -> Box<dyn Iterator<Item = &Operation> + '_> {
        Box::new(self.entries.values().filter(|entry| !entry.internal).map(|entry| &entry.operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use towpath_engine::{
        Json,
        catalogue::{Category, EffectRule, FieldKind, Role},
    };

    fn all() -> Vec<Operation> {
        Registry::built_in().operations().cloned().collect()
    }

    #[test]
    fn the_first_slice_is_complete() {
        let names: HashSet<String> = all().into_iter().map(|operation| operation.name).collect();
        for name in [
            "webhook",
            "form",
            "schedule",
            "manual",
            "http.request",
            "email.send",
            "set",
            "filter",
            "branch",
            "delay",
            "respond",
            "stop",
        ] {
            assert!(names.contains(name), "{name} is missing");
        }
    }

    #[test]
    fn every_operation_says_what_it_is_in_words() {
        for operation in all() {
            let name = &operation.name;
            assert!(!operation.title.is_empty() && operation.title.len() <= 40, "{name}: title");
            assert!(!operation.sentence.is_empty() && operation.sentence.chars().count() <= 60, "{name}: sentence");
            assert!(!operation.sentence.ends_with('.'), "{name}: the picker's sentence has no full stop");
            assert!(operation.help.len() > 40 && operation.help.ends_with('.'), "{name}: help");
            assert!(!operation.help.contains("  "), "{name}: help has doubled spaces");
            assert!(!operation.keywords.is_empty(), "{name}: keywords");
            assert!(operation.keywords.iter().all(|word| word.to_lowercase() == *word), "{name}: keywords are lower case");
            assert!(
                !operation.icon.is_empty() && operation.icon.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{name}: icon"
            );
            assert!(operation.sample.is_object(), "{name}: sample");
            assert_eq!(
                operation.role == Role::Trigger,
                operation.category == Category::Start,
                "{name}: triggers start, actions don't"
            );
        }
    }

    #[test]
    fn every_field_of_every_form_is_well_formed() {
        for operation in all() {
            let mut names = HashSet::new();
            for field in &operation.inputs {
                let at = format!("{}.{}", operation.name, field.name);
                assert!(names.insert(&field.name), "{at}: twice");
                assert!(field.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{at}: name");
                assert!(!field.title.is_empty() && field.title.chars().count() <= 45, "{at}: title");
                assert!(field.title.chars().next().is_some_and(char::is_uppercase), "{at}: title starts with a capital");
                assert!(field.help.is_empty() || field.help.ends_with('.'), "{at}: help is sentences");
                assert!(
                    !(field.required && field.advanced && field.default.is_none()),
                    "{at}: a required field is never tucked away"
                );
                if let Some(condition) = &field.show_if {
                    let other =
                        operation.field(&condition.field).unwrap_or_else(|| panic!("{at}: shown by a field that isn't there"));
                    assert!(!other.expressions, "{at}: shown by a field that may hold an expression");
                    assert!(
                        position(&operation, &other.name) < position(&operation, &field.name),
                        "{at}: shown by a later field"
                    );
                    for value in &condition.is {
                        assert!(options(&other.kind).is_none_or(|options| options.contains(value)), "{at}: shown by no option");
                    }
                }
                if let Some(list) = &field.each {
                    let list = operation.field(list).unwrap_or_else(|| panic!("{at}: goes through a field that isn't there"));
                    assert!(list.each.is_none() && list.expressions && field.expressions, "{at}: goes through no list");
                }
                if operation.role == Role::Trigger {
                    assert!(!field.expressions, "{at}: a trigger has nothing to compute from");
                }
            }
        }
    }

    #[test]
    fn every_default_is_a_value_that_its_field_takes() {
        for operation in all() {
            for field in &operation.inputs {
                let at = format!("{}.{}", operation.name, field.name);
                if let Some(options) = options(&field.kind) {
                    let distinct: HashSet<String> = options.iter().map(ToString::to_string).collect();
                    assert_eq!(distinct.len(), options.len(), "{at}: an option twice");
                }
                let Some(default) = &field.default else { continue };
                let fits = match &field.kind {
                    FieldKind::Choice { options } => options.iter().any(|option| option.value == *default),
                    FieldKind::Choices { options } => default
                        .as_array()
                        .is_some_and(|picked| picked.iter().all(|value| options.iter().any(|option| option.value == *value))),
                    FieldKind::Boolean => default.is_boolean(),
                    FieldKind::Number => default.is_number(),
                    FieldKind::Span => {
                        default.as_str().is_some_and(|text| text.parse::<towpath_engine::workflow::Span>().is_ok())
                    }
                    FieldKind::Time => default.as_str().is_some_and(|text| towpath_engine::schedule::time_of_day(text).is_some()),
                    FieldKind::Zone => default.as_str().is_some_and(|name| towpath_engine::schedule::zone(name).is_ok()),
                    FieldKind::Pairs | FieldKind::Row { .. } => default.is_object(),
                    FieldKind::Lines => default.is_array(),
                    FieldKind::FormFields | FieldKind::Inputs => {
                        serde_json::from_value::<Vec<triggers::question::Question>>(default.clone()).is_ok()
                    }
                    FieldKind::Conditions | FieldKind::RowConditions { .. } => {
                        serde_json::from_value::<towpath_engine::condition::Conditions>(default.clone()).is_ok()
                    }
                    FieldKind::Json => true,
                    FieldKind::Text
                    | FieldKind::Secret
                    | FieldKind::Multiline
                    | FieldKind::Html
                    | FieldKind::Code
                    | FieldKind::DateTime
                    | FieldKind::Emails
                    | FieldKind::Files => default.is_string(),
                };
                assert!(fits, "{at}: {default}");
            }
        }
    }

    #[test]
    fn an_effect_by_method_names_fields_that_are_there() {
        for operation in all() {
            if let Some(EffectRule::ByMethod { method, keyed }) = &operation.effect {
                assert!(
                    matches!(operation.field(method).map(|field| &field.kind), Some(FieldKind::Choice { .. })),
                    "{}",
                    operation.name
                );
                assert!(
                    matches!(operation.field(keyed).map(|field| &field.kind), Some(FieldKind::Boolean)),
                    "{}",
                    operation.name
                );
                // Whether a repeat is safe is decided before the step's expressions are worked out.
                assert!(operation.field(method).is_some_and(|field| !field.expressions), "{}", operation.name);
            }
        }
    }

    #[test]
    fn every_connection_that_an_operation_takes_has_a_connector_with_a_way_to_authenticate() {
        let registry = Registry::built_in();
        for operation in all() {
            let Some(need) = operation.connection else { continue };
            let connector = registry.connector(&need.connector).unwrap_or_else(|| panic!("{}: no connector", operation.name));
            assert!(!connector.auth.is_empty(), "{}: nothing to connect with", operation.name);
        }
    }

    #[test]
    fn every_way_to_authenticate_says_what_it_asks_for_and_attaches_it() {
        for connector in Registry::built_in().connectors() {
            let id = &connector.id;
            assert!(!connector.name.is_empty() && connector.sentence.chars().count() <= 80, "{id}");
            let mut ways = HashSet::new();
            for auth in &connector.auth {
                let at = format!("{id}.{}", auth.id);
                assert!(ways.insert(&auth.id), "{at}: twice");
                assert!(!auth.title.is_empty() && auth.help.ends_with('.'), "{at}: title, help");
                assert!(auth.fields.iter().any(|field| field.kind == FieldKind::Secret), "{at}: nothing is secret");
                assert!(auth.fields.iter().all(|field| !field.expressions), "{at}: a connection's fields are plain texts");
                let filled = |secret: bool| {
                    let fields = auth.fields.iter().filter(|field| (field.kind == FieldKind::Secret) == secret);
                    fields.map(|field| (field.name.clone(), Json::from("x"))).collect::<towpath_engine::Object>()
                };
                crate::sdk::attach::attach(&auth.apply, &filled(false), &filled(true))
                    .unwrap_or_else(|error| panic!("{at}: {error}"));
            }
        }
    }

    fn position(operation: &Operation, name: &str) -> Option<usize> {
        operation.inputs.iter().position(|field| field.name == name)
    }

    fn options(kind: &FieldKind) -> Option<Vec<Json>> {
        match kind {
            FieldKind::Choice { options } | FieldKind::Choices { options } => {
                Some(options.iter().map(|option| option.value.clone()).collect())
            }
            _ => None,
        }
    }

    #[test]
    fn an_empty_object_is_data_to_send_and_nothing_is_not() {
        use towpath_engine::{
            validate::validate,
            workflow::{Step, Trigger, Workflow},
        };
        let issues = |input: Json| {
            let mut step = Step::new("call", "http.request");
            step.input = input.as_object().unwrap().clone();
            let workflow = Workflow { towpath: 1, name: "x".into(), trigger: Some(Trigger::new("manual")), steps: vec![step] };
            validate(&workflow, &Registry::built_in()).into_iter().filter_map(|issue| issue.field).collect::<Vec<_>>()
        };
        let with = |json: Json| {
            issues(serde_json::json!({ "method": "POST", "url": "https://x.example", "body_kind": "json", "json": json }))
        };
        assert!(with(serde_json::json!({})).is_empty());
        assert_eq!(with(Json::Null), ["json"]);
        assert_eq!(with("".into()), ["json"]);
    }
}
