//! Is a manifest complete, and do its parts fit together? Reads and compiles it, and says everything that is missing: words for people,
//! samples that fit their shapes, effects that fit their methods, hosts that fit the base. It sends nothing.

use super::{
    compile::Fault,
    document::{Action, Manifest, OutputSpec, Trigger},
    folder::Folder,
    input::{Format, Input, Kind},
    read::{Problem, locate, read},
    request::{fits, with_port},
    service::{Compiled, compile, effect_fits, inputs},
};
use indexmap::IndexMap;
use serde_json::json;
use towpath_engine::{Json, Object, catalogue::Effect};
use url::Url;

/// A folder whose manifest is in order.
pub struct Checked {
    pub manifest: Manifest,
    pub compiled: Compiled,
}

/// Checks a folder.
///
/// # Errors
/// Everything that is wrong, with its place.
pub fn check(folder: &Folder) -> Result<Checked, Vec<Problem>> {
    let text = folder.text("connector.yaml").unwrap_or_default();
    let manifest = read(text).map_err(|problem| vec![problem])?;
    let mut faults = Vec::new();
    let compiled = compile(&manifest).map_err(|more| faults.extend(more)).ok();
    identity(&manifest, folder, &mut faults);
    sign_in(&manifest, &mut faults);
    for (id, action) in &manifest.actions {
        check_action(&manifest, compiled.as_ref(), id, action, &mut faults);
    }
    for (id, trigger) in &manifest.triggers {
        check_trigger(&manifest, id, trigger, &mut faults);
    }
    files(folder, &mut faults);
    match compiled {
        Some(compiled) if faults.is_empty() => Ok(Checked { manifest, compiled }),
        _ => Err(faults.into_iter().map(|fault| placed(text, fault)).collect()),
    }
}

fn placed(text: &str, fault: Fault) -> Problem {
    let place = locate(text, &fault.path);
    Problem { path: fault.path, line: place.map(|at| at.0), column: place.map(|at| at.1), message: fault.message }
}

struct Book<'f> {
    path: String,
    faults: &'f mut Vec<Fault>,
}

impl Book<'_> {
    fn say(&mut self, place: &str, message: impl Into<String>) {
        let dot = if place.is_empty() { "" } else { "." };
        self.faults.push(Fault::new(format!("{}{dot}{place}", self.path), message));
    }

    fn need(&mut self, holds: bool, place: &str, message: &str) {
        if !holds {
            self.say(place, message);
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn identity(manifest: &Manifest, folder: &Folder, faults: &mut Vec<Fault>) {
    let identity = &manifest.connector;
    let book = &mut Book { path: "connector".into(), faults };
    book.need(is_name(&identity.id), "id", "small letters, digits and underscores, beginning with a letter");
    if !folder.name.is_empty() {
        book.need(identity.id == folder.name, "id", &format!("the folder is called “{}”; both must be the same", folder.name));
    }
    book.need(!identity.name.trim().is_empty(), "name", "the service's name is missing");
    let version: Vec<_> = identity.version.split('.').map(str::parse::<u32>).collect();
    book.need(version.len() == 3 && version.iter().all(Result::is_ok), "version", "a version is three numbers: 1.0.0");
    sentence(book, "sentence", &identity.sentence);
    book.need(!identity.categories.is_empty(), "categories", "name at least one");
    if let Some(docs) = &identity.docs {
        book.need(docs.starts_with("https://"), "docs", "an address that begins with https://");
    }
    book.need(!identity.hosts.is_empty(), "hosts", "without hosts it may talk to nobody");
    for host in &identity.hosts {
        let (plain, _) = with_port(host.strip_prefix("*.").unwrap_or(host));
        let named = plain.contains('.') && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        match host.as_str() {
            "*" => book.need(manifest.auth.is_empty(), "hosts", "“*” would send this connector's secrets anywhere"),
            _ => book.need(
                named,
                "hosts",
                &format!("“{host}” is no host name, such as api.example.com or crm.internal.example:8443"),
            ),
        }
    }
    if let Some(http) = &manifest.http {
        let literal = Url::parse(&http.base).ok().filter(|_| !http.base.contains("{{"));
        match literal {
            Some(url) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                let mut fitting = manifest.connector.hosts.iter().filter(|pattern| fits(pattern, &url)).peekable();
                let known = fitting.peek().is_some();
                // A host without a port stands for the scheme's own where secrets go.
                let reached =
                    url.port().is_none() || manifest.auth.is_empty() || fitting.any(|pattern| with_port(pattern).1.is_some());
                let book = &mut Book { path: "http".into(), faults };
                book.need(known, "base", &format!("{host} is not among the connector's hosts"));
                book.need(!known || reached, "base", "secrets go to a port of its own only if hosts names it: host:port");
                book.need(url.scheme() == "https" || manifest.auth.is_empty(), "base", "secrets travel by https only");
            }
            None if http.base.contains("{{") => {}
            None => Book { path: "http".into(), faults }.say("base", "an address that begins with https://"),
        }
    }
}

fn sentence(book: &mut Book<'_>, place: &str, text: &str) {
    book.need(!text.trim().is_empty(), place, "a sentence is missing");
    book.need(text.chars().count() <= 60, place, "60 characters are the most: it stands in a list");
    book.need(!text.ends_with('.'), place, "it stands in a list: no full stop");
}

fn sign_in(manifest: &Manifest, faults: &mut Vec<Fault>) {
    for (index, auth) in manifest.auth.iter().enumerate() {
        let book = &mut Book { path: format!("auth[{index}]"), faults };
        book.need(is_name(&auth.id), "id", "small letters, digits and underscores");
        book.need(!auth.title.trim().is_empty(), "title", "a title is missing");
        book.need(
            auth.help.len() > 40 && auth.help.ends_with('.'),
            "help",
            "say in a few sentences where a person finds what is asked for",
        );
        book.need(
            auth.fields.values().any(|field| field.format == Some(Format::Secret)),
            "fields",
            "one field needs format: secret",
        );
        for (name, field) in &auth.fields {
            check_input(book, &auth.fields, name, field, true);
        }
    }
    let book = &mut Book { path: "connection".into(), faults };
    if !manifest.auth.is_empty() {
        book.need(manifest.connection.is_some(), "test", "a connection needs a test: the request that shows whether it works");
    }
}

fn check_input(book: &mut Book<'_>, all: &IndexMap<String, Input>, name: &str, input: &Input, sign_in: bool) {
    let place = if sign_in { format!("fields.{name}") } else { format!("input.{name}") };
    let at = |part: &str| format!("{place}.{part}");
    book.need(
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit()),
        &place,
        "small letters, digits and underscores",
    );
    let title = input.title.as_deref().unwrap_or_default();
    book.need(!title.is_empty() && title.chars().count() <= 45, &at("title"), "a title of at most 45 characters");
    book.need(title.chars().next().is_none_or(char::is_uppercase), &at("title"), "a title begins with a capital");
    if let Some(help) = &input.help {
        book.need(help.ends_with('.'), &at("help"), "help is sentences, with full stops");
    }
    book.need(
        (input.format == Some(Format::Secret)) <= sign_in,
        &at("format"),
        "a secret belongs under auth: a step's fields can be read",
    );
    book.need(
        !(input.is_required() && input.advanced == Some(true) && input.default.is_none()),
        &at("advanced"),
        "a required field is never tucked away",
    );
    if let Some(pattern) = &input.pattern {
        match regex::Regex::new(pattern) {
            Err(error) => book.say(&at("pattern"), error.to_string()),
            Ok(regex) => {
                let fits = input.default.as_ref().and_then(Json::as_str).is_none_or(|text| regex.is_match(text));
                book.need(fits, &at("default"), "the default doesn't fit the pattern");
            }
        }
    }
    if let Some(show_if) = &input.show_if {
        let position = |name: &str| all.get_index_of(name);
        match (position(&show_if.field), position(name)) {
            (None, _) => book.say(&at("show_if.field"), format!("there is no field “{}”", show_if.field)),
            (Some(other), Some(own)) if other >= own => book.say(&at("show_if.field"), "a field is shown by an earlier one"),
            _ => {}
        }
    }
    if let Some(default) = &input.default {
        let fits = match input.kind() {
            _ if !input.options.is_empty() && input.kind() != Kind::Array => input.options.iter().any(|it| it.value == *default),
            Kind::String => default.is_string(),
            Kind::Integer => default.is_i64(),
            Kind::Number => default.is_number(),
            Kind::Boolean => default.is_boolean(),
            Kind::Object => default.is_object(),
            Kind::Array => default.is_array(),
        };
        book.need(fits, &at("default"), "the default is not of the field's type, or none of its options");
    }
}

fn words(book: &mut Book<'_>, title: &str, says: &str, help: &str, keywords: &[String]) {
    book.need(!title.is_empty() && title.chars().count() <= 40, "title", "a title of at most 40 characters");
    sentence(book, "sentence", says);
    book.need(
        help.len() > 40 && help.trim_end().ends_with('.') && !help.contains("  "),
        "help",
        "a paragraph of help: at least a sentence",
    );
    book.need(keywords.iter().all(|word| word.to_lowercase() == *word), "keywords", "small letters only");
}

fn check_action(manifest: &Manifest, compiled: Option<&Compiled>, id: &str, action: &Action, faults: &mut Vec<Fault>) {
    let resolved = inputs(manifest, &format!("actions.{id}"), &action.input);
    let book = &mut Book { path: format!("actions.{id}"), faults };
    book.need(is_name(id), "", "an operation's name is small letters, digits and underscores");
    if let Ok(inputs) = &resolved {
        for (name, input) in inputs {
            check_input(book, inputs, name, input, false);
            if let Some(pick) = &input.pick {
                let from = manifest.actions.get(&pick.from);
                book.need(
                    from.is_some_and(|from| from.effect == Effect::Read),
                    &format!("input.{name}.pick.from"),
                    "options come from an action that reads",
                );
                if let (Some(search), Some(from)) = (&pick.search, from) {
                    book.need(
                        from.input.contains_key(search),
                        &format!("input.{name}.pick.search"),
                        "that action has no such input",
                    );
                }
            }
        }
    }
    let compiled = compiled.and_then(|compiled| compiled.actions.get(id));
    if let (Some(request), Some(compiled)) = (action.request(), compiled)
        && let Err(message) = effect_fits(action.effect, request.method, compiled.is_keyed())
    {
        book.say("effect", message);
    }
    if action.internal {
        return;
    }
    words(book, &action.title, &action.sentence, &action.help, &action.keywords);
    book.need(action.sample.is_object(), "sample", "a sample of its output, as an object, is missing");
    if let Ok(inputs) = &resolved {
        example(book, inputs, &action.example);
    }
    sample(book, manifest, action.output.as_ref(), &action.sample);
    if let Some(compiled) = compiled
        && let Err(error) = compiled.request(&action.example)
    {
        book.say("example", format!("no request can be made of it: {}", error.message));
    }
}

fn check_trigger(manifest: &Manifest, id: &str, trigger: &Trigger, faults: &mut Vec<Fault>) {
    let resolved = inputs(manifest, &format!("triggers.{id}"), &trigger.input);
    let book = &mut Book { path: format!("triggers.{id}"), faults };
    book.need(is_name(id), "", "an operation's name is small letters, digits and underscores");
    words(book, &trigger.title, &trigger.sentence, &trigger.help, &trigger.keywords);
    book.need(trigger.sentence.starts_with("When "), "sentence", "a trigger's sentence begins with “When”");
    book.need(
        trigger.webhook.is_some() || trigger.poll.is_some() || trigger.native,
        "",
        "it needs a webhook, a poll, or Rust (native)",
    );
    if let Ok(inputs) = &resolved {
        for (name, input) in inputs {
            check_input(book, inputs, name, input, false);
        }
        example(book, inputs, &trigger.example);
    }
    if let Some(poll) = &trigger.poll {
        book.need(poll.every >= 15, "poll.every", "more often than every 15 seconds is no polling");
        book.need(poll.samples > 0 && poll.samples <= 10, "poll.samples", "1 to 10 samples");
        if let Some(hook) = &trigger.webhook {
            book.need(
                hook.key.is_some(),
                "webhook.key",
                "with a poll beside it, the same key keeps one thing from starting two runs",
            );
        }
    }
    if let Some(hook) = &trigger.webhook {
        let age = hook.verify.max_age.is_none_or(|age| (60..=3600).contains(&age));
        book.need(
            age,
            "webhook.verify.max_age",
            "between a minute and an hour: an old signature may have been recorded by somebody else",
        );
        book.need(
            hook.setup.len() > 40 && hook.setup.trim_end().ends_with('.'),
            "webhook.setup",
            "say where a person enters the address and the secret",
        );
    }
    sample(book, manifest, trigger.output.as_ref(), &trigger.sample);
}

/// The example fills in what is required, and nothing that isn't there.
fn example(book: &mut Book<'_>, inputs: &IndexMap<String, Input>, example: &Object) {
    for (name, input) in inputs {
        let hidden = input.show_if.as_ref().is_some_and(|it| !it.is.contains(example.get(&it.field).unwrap_or(&Json::Null)));
        if input.is_required() && input.default.is_none() && !hidden && !example.contains_key(name) {
            book.say(&format!("example.{name}"), "the example lacks a required input");
        }
    }
    for (name, value) in example {
        match inputs.get(name) {
            None => book.say(&format!("example.{name}"), "there is no such input"),
            Some(input) => {
                let long = value.as_str().is_some_and(|text| input.max_length.is_some_and(|most| text.chars().count() > most));
                book.need(!long, &format!("example.{name}"), "longer than max_length");
            }
        }
    }
}

/// A sample fits its shape.
fn sample(book: &mut Book<'_>, manifest: &Manifest, output: Option<&OutputSpec>, sample: &Json) {
    let Some(name) = output.and_then(|output| output.shape.as_ref()) else { return };
    let Some(schema) = manifest.types.get(name) else {
        return book.say("output.type", format!("there is no type “{name}”"));
    };
    match jsonschema::validator_for(&with_types(schema, &manifest.types)) {
        Err(error) => book.faults.push(Fault::new(format!("types.{name}"), error.to_string())),
        Ok(validator) => {
            let wrong: Vec<(String, String)> =
                validator.iter_errors(sample).map(|error| (error.instance_path().to_string(), error.to_string())).collect();
            for (place, message) in wrong {
                book.say(&format!("sample{}", place.replace('/', ".")), message);
            }
        }
    }
}

/// A shape whose `$ref: "#/types/…"` find what they name.
pub fn with_types(schema: &Json, types: &IndexMap<String, Json>) -> Json {
    let mut whole = super::fields_of(schema.clone());
    whole.insert("types".into(), json!(types));
    Json::Object(whole)
}

fn files(folder: &Folder, faults: &mut Vec<Fault>) {
    let book = &mut Book { path: String::new(), faults };
    match folder.text("icon.svg") {
        None => book.say("", "icon.svg is missing: a drawing of your own, no trademark"),
        Some(icon) => {
            let low = icon.to_ascii_lowercase();
            let active = ["<script", "<foreignobject", "<!entity", "href=\"http", "href='http", "javascript:", " on", "style="];
            let found: Vec<_> = active.iter().filter(|mark| low.contains(**mark)).collect();
            book.need(
                low.trim_start().starts_with("<svg") && low.contains("viewbox"),
                "",
                "icon.svg begins with <svg and has a viewBox",
            );
            book.need(
                found.is_empty() && icon.len() <= 8192,
                "",
                "icon.svg is a plain drawing: no scripts, links, styles, at most 8 KiB",
            );
        }
    }
    match folder.text("README.md") {
        None => book.say("", "README.md is missing: the help page that says where people find what is asked for"),
        Some(readme) => book.need(
            readme.trim_start().starts_with("# ") && readme.len() > 200,
            "",
            "README.md begins with a heading and says how to connect",
        ),
    }
}
