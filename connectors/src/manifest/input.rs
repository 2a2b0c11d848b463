//! The inputs of a manifest: what is asked for, and the form field that it becomes. It refuses combinations that no form could show.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use towpath_engine::{
    Json, Object,
    catalogue::{Choice, Field, FieldKind, Pick, ShowIf},
};

/// Something that a person fills in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Like the input of another operation: `send_message.channel`. What is said here besides replaces what is said there.
    #[serde(rename = "use", default)]
    pub like: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
    /// Sentences, with full stops.
    #[serde(default)]
    pub help: Option<String>,
    #[serde(rename = "type", default)]
    pub kind: Option<Kind>,
    #[serde(default)]
    pub format: Option<Format>,
    #[serde(default)]
    pub required: Option<bool>,
    #[serde(default)]
    pub advanced: Option<bool>,
    #[serde(default)]
    pub default: Option<Json>,
    #[serde(default)]
    pub placeholder: Option<String>,
    /// The values that it may have; several of them for `type: array`.
    #[serde(default)]
    pub options: Vec<OptionSpec>,
    #[serde(default)]
    pub show_if: Option<ShowIfSpec>,
    #[serde(default)]
    pub pick: Option<PickSpec>,
    /// A regular expression over a pasted address; its first group is the value.
    #[serde(default)]
    pub accept_url: Option<String>,
    /// A regular expression that the value must fit.
    #[serde(default)]
    pub pattern: Option<String>,
    /// In characters.
    #[serde(default)]
    pub max_length: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    String,
    Integer,
    Number,
    Boolean,
    Object,
    /// Of texts.
    Array,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Sealed, and never shown again. Only in `auth`.
    Secret,
    Multiline,
    Html,
    DateTime,
    /// Names and values, for `type: object`.
    Pairs,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    pub value: Json,
    pub title: String,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowIfSpec {
    pub field: String,
    pub is: Vec<Json>,
}

/// Options that the service lists.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickSpec {
    /// An internal action that reads.
    pub from: String,
    /// Over `item`.
    pub value: String,
    /// Over `item`.
    pub label: String,
    /// The internal action's input, over this operation's `input`. The fields that it reads must be filled in first.
    #[serde(default)]
    pub input: Object,
    /// The input of the internal action that gets what a person typed, when the service itself searches.
    #[serde(default)]
    pub search: Option<String>,
}

impl Input {
    /// This input with what it doesn't say taken from `base`.
    pub fn over(&self, base: &Self) -> Self {
        Self {
            like: None,
            title: self.title.clone().or_else(|| base.title.clone()),
            help: self.help.clone().or_else(|| base.help.clone()),
            kind: self.kind.or(base.kind),
            format: self.format.or(base.format),
            required: self.required.or(base.required),
            advanced: self.advanced.or(base.advanced),
            default: self.default.clone().or_else(|| base.default.clone()),
            placeholder: self.placeholder.clone().or_else(|| base.placeholder.clone()),
            options: if self.options.is_empty() { base.options.clone() } else { self.options.clone() },
            show_if: self.show_if.clone().or_else(|| base.show_if.clone()),
            pick: self.pick.clone().or_else(|| base.pick.clone()),
            accept_url: self.accept_url.clone().or_else(|| base.accept_url.clone()),
            pattern: self.pattern.clone().or_else(|| base.pattern.clone()),
            max_length: self.max_length.or(base.max_length),
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or_default()
    }

    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(false)
    }

    /// The form field. `expressions`: may what is typed hold expressions?
    pub fn field(&self, name: &str, expressions: bool) -> Field {
        let kind = self.field_kind();
        let fixed = matches!(kind, FieldKind::Choice { .. } | FieldKind::Choices { .. } | FieldKind::Boolean | FieldKind::Secret);
        Field {
            name: name.into(),
            title: self.title.clone().unwrap_or_default(),
            help: self.help.clone().unwrap_or_default(),
            required: self.is_required(),
            advanced: self.advanced.unwrap_or(false),
            default: match (&self.default, &kind) {
                (None, FieldKind::Boolean) => Some(json!(false)),
                (default, _) => default.clone(),
            },
            placeholder: self.placeholder.clone().unwrap_or_default(),
            show_if: self.show_if.as_ref().map(|it| ShowIf { field: it.field.clone(), is: it.is.clone() }),
            expressions: expressions && !fixed,
            each: None,
            pick: self.pick.as_ref().map(|pick| Pick {
                needs: needs(&pick.input),
                searches: pick.search.is_some(),
                accept_url: self.accept_url.clone(),
            }),
            kind,
        }
    }

    fn field_kind(&self) -> FieldKind {
        let options = || self.options.iter().map(|it| Choice { value: it.value.clone(), title: it.title.clone() }).collect();
        match (self.kind(), self.format, self.options.is_empty()) {
            (Kind::Array, _, false) => FieldKind::Choices { options: options() },
            (_, _, false) => FieldKind::Choice { options: options() },
            (Kind::Array, ..) => FieldKind::Lines,
            (Kind::Boolean, ..) => FieldKind::Boolean,
            (Kind::Integer | Kind::Number, ..) => FieldKind::Number,
            (Kind::Object, Some(Format::Pairs), _) => FieldKind::Pairs,
            (Kind::Object, ..) => FieldKind::Json,
            (Kind::String, Some(Format::Secret), _) => FieldKind::Secret,
            (Kind::String, Some(Format::Multiline), _) => FieldKind::Multiline,
            (Kind::String, Some(Format::Html), _) => FieldKind::Html,
            (Kind::String, Some(Format::DateTime), _) => FieldKind::DateTime,
            (Kind::String, ..) => FieldKind::Text,
        }
    }
}

/// The inputs that a tree of values reads: `input.repository` → `repository`.
pub fn needs(values: &Object) -> Vec<String> {
    let Ok(template) = super::compile::template(&Json::Object(values.clone()), super::compile::PICK) else { return Vec::new() };
    let mut names = Vec::new();
    for path in template.paths() {
        let name = path.strip_prefix("input.").and_then(|rest| rest.split(['.', '[']).next());
        if let Some(name) = name.filter(|name| !names.iter().any(|known| known == name)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The inputs of an operation with `use` followed.
pub fn resolved(
    inputs: &IndexMap<String, Input>,
    find: &dyn Fn(&str, &str) -> Option<Input>,
) -> Result<IndexMap<String, Input>, (String, String)> {
    inputs
        .iter()
        .map(|(name, input)| {
            let Some(like) = &input.like else { return Ok((name.clone(), input.clone())) };
            let base = like.split_once('.').and_then(|(operation, field)| find(operation, field));
            match base {
                Some(base) if base.like.is_none() => Ok((name.clone(), input.over(&base))),
                Some(_) => Err((name.clone(), format!("{like} itself is like another input; name that one"))),
                None => Err((name.clone(), format!("there is no input {like}; write it as operation.input"))),
            }
        })
        .collect()
}
