//! From the document to what runs: every expression compiled once, with the names that are known in its place and no others.

use super::{
    document::{ErrorSpec, Manifest, Pages, Request},
    input::Input,
    limits::Limits,
};
use http::Method;
use indexmap::IndexMap;
use std::sync::Arc;
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    expr::Template,
};

/// The names that expressions know, by place.
pub const BASE: &[&str] = &["connection"];
pub const APPLY: &[&str] = &["secret", "connection"];
pub const REQUEST: &[&str] = &["input", "connection", "page", "cursor", "found", "run"];
pub const ANSWER: &[&str] = &["input", "connection", "page", "found", "run", "response"];
pub const ERROR: &[&str] = &["input", "connection", "response"];
pub const PROBE: &[&str] = &["response"];
pub const LIMIT: &[&str] = &["input"];
pub const ITEM: &[&str] = &["input", "connection", "response", "item"];
pub const PICK: &[&str] = &["input"];
pub const PICKED: &[&str] = &["item"];
pub const EVENT: &[&str] = &["input", "request", "item"];
pub const DELIVERY: &[&str] = &["input", "request"];
pub const VERIFY: &[&str] = &["request", "secret"];

/// Something that can't be compiled: where in the manifest, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `actions.send_message.json.text`
    pub path: String,
    pub message: String,
}

impl Fault {
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

pub fn template(value: &Json, names: &'static [&'static str]) -> Result<Template, towpath_engine::expr::ExprError> {
    Template::compile_named(value, names)
}

/// Compiles the value at `path`.
pub fn at(path: &str, value: &Json, names: &'static [&'static str]) -> Result<Template, Fault> {
    template(value, names).map_err(|error| {
        let place = if error.field.is_empty() || error.field.starts_with('[') { "" } else { "." };
        let part = if error.part.is_empty() { String::new() } else { format!(" In {{{{ {} }}}}.", error.part) };
        Fault::new(format!("{path}{place}{}", error.field), format!("{}{part}", error.message))
    })
}

/// Compiles a text at `path`.
pub fn text_at(path: &str, text: &str, names: &'static [&'static str]) -> Result<Template, Fault> {
    at(path, &Json::from(text), names)
}

/// Compiles a text that must be one expression and nothing else.
pub fn whole_at(path: &str, text: &str, names: &'static [&'static str]) -> Result<Template, Fault> {
    let trimmed = text.trim();
    if !(trimmed.starts_with("{{") && trimmed.ends_with("}}")) {
        return Err(Fault::new(path, "here one expression between {{ and }} is needed, and nothing around it"));
    }
    text_at(path, trimmed, names)
}

fn optional(path: &str, text: Option<&String>, names: &'static [&'static str]) -> Result<Option<Template>, Fault> {
    text.map(|text| whole_at(path, text, names)).transpose()
}

/// What the operations of one connector share.
pub struct Service {
    pub id: String,
    pub name: String,
    pub hosts: Vec<String>,
    pub base: Template,
    pub headers: Template,
    pub success: Option<Template>,
    pub errors: Vec<Failure>,
    pub limits: Limits,
}

/// A compiled [`ErrorSpec`].
pub struct Failure {
    pub test: Option<Template>,
    pub kind: ErrorKind,
    pub say: Option<Template>,
    pub hint: Option<Template>,
    pub wait: Option<Template>,
}

impl Service {
    pub fn compile(manifest: &Manifest) -> Result<Arc<Self>, Fault> {
        let http = manifest.http.as_ref();
        let base = http.map_or_else(String::new, |http| http.base.trim_end_matches('/').to_owned());
        Ok(Arc::new(Self {
            id: manifest.connector.id.clone(),
            name: manifest.connector.name.clone(),
            hosts: manifest.connector.hosts.clone(),
            base: text_at("http.base", &base, BASE)?,
            headers: at("http.headers", &Json::Object(http.map(|http| http.headers.clone()).unwrap_or_default()), REQUEST)?,
            success: optional("http.success", http.and_then(|http| http.success.as_ref()), ERROR)?,
            errors: http
                .map(|http| http.errors.as_slice())
                .unwrap_or_default()
                .iter()
                .enumerate()
                .map(|(index, error)| Failure::compile(&format!("http.errors[{index}]"), error))
                .collect::<Result<_, _>>()?,
            limits: Limits::compile(http.map(|http| http.limits.as_slice()).unwrap_or_default())?,
        }))
    }
}

impl Failure {
    fn compile(path: &str, spec: &ErrorSpec) -> Result<Self, Fault> {
        let text = |name: &str, text: &Option<String>| {
            text.as_ref().map(|text| text_at(&format!("{path}.{name}"), text, ERROR)).transpose()
        };
        Ok(Self {
            test: optional(&format!("{path}.if"), spec.test.as_ref(), ERROR)?,
            kind: spec.kind,
            say: text("say", &spec.say)?,
            hint: text("hint", &spec.hint)?,
            wait: optional(&format!("{path}.wait"), spec.wait.as_ref(), ERROR)?,
        })
    }
}

/// A compiled request.
pub struct Plan {
    pub method: Method,
    pub path: Template,
    pub query: Template,
    pub headers: Template,
    pub body: Body,
}

pub enum Body {
    Empty,
    Json(Template),
    Form(Template),
}

impl Plan {
    pub fn compile(path: &str, request: &Request) -> Result<Self, Fault> {
        if !request.one {
            return Err(Fault::new(path, "only one of get, post, put, patch and delete can be named"));
        }
        let lower = request.method.to_ascii_lowercase();
        if !request.path.starts_with('/') && !request.path.starts_with("https://") {
            return Err(Fault::new(format!("{path}.{lower}"), "the path begins with a slash"));
        }
        if request.path.contains('?') {
            return Err(Fault::new(format!("{path}.{lower}"), "what follows the question mark belongs under query"));
        }
        let body = match (&request.json, &request.form) {
            (Some(_), Some(_)) => return Err(Fault::new(path, "a request has json or form, not both")),
            (Some(_), _) | (_, Some(_)) if matches!(request.method, "GET" | "DELETE") => {
                return Err(Fault::new(path, format!("a {} has no body here", request.method)));
            }
            (Some(json), None) => Body::Json(at(&format!("{path}.json"), json, REQUEST)?),
            (None, Some(form)) => Body::Form(at(&format!("{path}.form"), &Json::Object(form.clone()), REQUEST)?),
            (None, None) => Body::Empty,
        };
        Ok(Self {
            method: request.method.parse().expect("a known method"),
            path: text_at(&format!("{path}.{lower}"), &request.path, REQUEST)?,
            query: at(&format!("{path}.query"), &Json::Object(request.query.clone()), REQUEST)?,
            headers: at(&format!("{path}.headers"), &Json::Object(request.headers.clone()), REQUEST)?,
            body,
        })
    }

    /// All its templates, for rules about what they read.
    pub fn templates(&self) -> Vec<&Template> {
        let mut all = vec![&self.path, &self.query, &self.headers];
        if let Body::Json(template) | Body::Form(template) = &self.body {
            all.push(template);
        }
        all
    }
}

/// A compiled [`Pages`].
pub struct Paging {
    pub way: Way,
    pub max: u32,
}

pub enum Way {
    Next(Template),
    Link(String),
    Url(Template),
    Number { first: u64, size: u64 },
    Offset { first: u64, size: u64 },
}

impl Paging {
    pub fn compile(path: &str, pages: &Pages) -> Result<Self, Fault> {
        let path = format!("{path}.pages");
        let size = || pages.size.filter(|size| *size > 0).ok_or_else(|| Fault::new(&path, "number and offset need size"));
        let named =
            [pages.next.is_some(), pages.link.is_some(), pages.url.is_some(), pages.number.is_some(), pages.offset.is_some()];
        if named.iter().filter(|named| **named).count() != 1 {
            return Err(Fault::new(&path, "one of next, link, url, number and offset must be there, and no other"));
        }
        if pages.max == 0 {
            return Err(Fault::new(format!("{path}.max"), "at least one page is fetched"));
        }
        let way = if let Some(next) = &pages.next {
            Way::Next(whole_at(&format!("{path}.next"), next, ANSWER)?)
        } else if let Some(url) = &pages.url {
            Way::Url(whole_at(&format!("{path}.url"), url, ANSWER)?)
        } else if let Some(relation) = &pages.link {
            Way::Link(relation.clone())
        } else if let Some(first) = pages.number {
            Way::Number { first, size: size()? }
        } else {
            Way::Offset { first: pages.offset.unwrap_or(0), size: size()? }
        };
        Ok(Self { way, max: pages.max })
    }
}

/// A compiled [`super::document::OutputSpec`].
pub struct Shaping {
    pub from: Option<Template>,
    pub add: Vec<(String, Template)>,
}

impl Shaping {
    pub fn compile(
        path: &str,
        spec: Option<&super::document::OutputSpec>,
        names: &'static [&'static str],
    ) -> Result<Self, Fault> {
        let Some(spec) = spec else { return Ok(Self { from: None, add: Vec::new() }) };
        let add =
            spec.add.iter().map(|(name, value)| Ok((name.clone(), at(&format!("{path}.output.add.{name}"), value, names)?)));
        Ok(Self {
            from: spec.from.as_ref().map(|from| at(&format!("{path}.output.from"), from, names)).transpose()?,
            add: add.collect::<Result<_, Fault>>()?,
        })
    }
}

/// The inputs of an operation as a call needs them: defaults, and addresses that people paste in place of ids.
pub struct Inputs {
    pub defaults: Object,
    pub addresses: Vec<(String, regex::Regex)>,
    rules: Vec<Rule>,
}

/// What a value must be like.
struct Rule {
    name: String,
    title: String,
    pattern: Option<regex::Regex>,
    placeholder: Option<String>,
    max_length: Option<usize>,
}

impl Rule {
    fn check(&self, value: &Json) -> Result<(), StepError> {
        let Json::String(text) = value else { return Ok(()) };
        let wrong = |what: String| Err(StepError::invalid_input(format!("{} {what}", self.title)).field(&self.name));
        match self.max_length {
            Some(most) if text.chars().count() > most => {
                return wrong(format!("may have {most} characters at most; it has {}.", text.chars().count()));
            }
            _ => {}
        }
        match (&self.pattern, &self.placeholder) {
            (Some(pattern), Some(like)) if !pattern.is_match(text) => wrong(format!("must look like {like}.")),
            (Some(pattern), None) if !pattern.is_match(text) => wrong("is not written as the service wants it.".into()),
            _ => Ok(()),
        }
    }
}

impl Inputs {
    pub fn compile(path: &str, inputs: &IndexMap<String, Input>) -> Result<Self, Fault> {
        let mut compiled = Self { defaults: Object::new(), addresses: Vec::new(), rules: Vec::new() };
        for (name, input) in inputs {
            if let Some(default) = &input.default {
                compiled.defaults.insert(name.clone(), default.clone());
            }
            if input.pattern.is_some() || input.max_length.is_some() {
                let place = format!("{path}.input.{name}.pattern");
                let pattern = input.pattern.as_ref().map(|pattern| regex::Regex::new(pattern)).transpose();
                compiled.rules.push(Rule {
                    name: name.clone(),
                    title: input.title.clone().unwrap_or_else(|| name.clone()),
                    pattern: pattern.map_err(|error| Fault::new(place, error.to_string()))?,
                    placeholder: input.placeholder.clone(),
                    max_length: input.max_length,
                });
            }
            if let Some(pattern) = &input.accept_url {
                let path = format!("{path}.input.{name}.accept_url");
                let regex = regex::Regex::new(pattern).map_err(|error| Fault::new(&path, error.to_string()))?;
                if regex.captures_len() < 2 {
                    return Err(Fault::new(path, "the expression needs a group around the value"));
                }
                compiled.addresses.push((name.clone(), regex));
            }
        }
        Ok(compiled)
    }

    /// The input with defaults filled in, empty values left out, and ids taken out of pasted addresses.
    ///
    /// # Errors
    /// A value that doesn't fit what the manifest says about it.
    pub fn complete(&self, input: &Object) -> Result<Object, StepError> {
        let mut complete = self.defaults.clone();
        for (name, value) in input.iter().filter(|(_, value)| !value.is_null() && *value != "") {
            complete.insert(name.clone(), value.clone());
        }
        for (name, pattern) in &self.addresses {
            let Some(Json::String(text)) = complete.get_mut(name) else { continue };
            if let Some(found) = pattern.captures(text).and_then(|found| found.get(1)) {
                *text = found.as_str().to_owned();
            }
        }
        for rule in &self.rules {
            if let Some(value) = complete.get(&rule.name) {
                rule.check(value)?;
            }
        }
        Ok(complete)
    }
}
