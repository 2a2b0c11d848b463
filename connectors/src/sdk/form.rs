//! Words for writing a form down as data: a field per line, in the order in which a person meets them. Refuses nothing by itself;
//! the registry's tests hold every form to the rules.

use serde_json::json;
use towpath_engine::{
    Json,
    catalogue::{Choice, Field, FieldKind, ShowIf},
};

/// A field that may hold expressions, is optional and always shown; the methods of [`Change`] make it something else.
pub fn field(name: &str, title: &str, kind: FieldKind) -> Field {
    Field {
        name: name.into(),
        title: title.into(),
        help: String::new(),
        kind,
        required: false,
        advanced: false,
        default: None,
        placeholder: String::new(),
        show_if: None,
        expressions: true,
        pick: None,
        each: None,
    }
}

/// One of several; the first option is the default. What a person picks is written down as it is, so it holds no expressions.
pub fn choice(name: &str, title: &str, options: &[(&str, &str)]) -> Field {
    let default = options.first().map(|(value, _)| json!(value));
    Field { default, expressions: false, ..field(name, title, FieldKind::Choice { options: choices(options) }) }
}

/// A switch, on or off.
pub fn switch(name: &str, title: &str, default: bool) -> Field {
    Field { default: Some(json!(default)), expressions: false, ..field(name, title, FieldKind::Boolean) }
}

/// Values and titles as options.
pub fn choices(options: &[(&str, &str)]) -> Vec<Choice> {
    options.iter().map(|(value, title)| Choice { value: json!(value), title: (*title).into() }).collect()
}

/// What makes a field other than plain.
pub trait Change: Sized {
    fn help(self, help: &str) -> Self;
    fn placeholder(self, placeholder: &str) -> Self;
    fn default(self, value: Json) -> Self;
    fn required(self) -> Self;
    /// Under "Advanced".
    fn advanced(self) -> Self;
    /// Shown only while `field` is shown and has one of `values`.
    fn show_if(self, field: &str, values: &[&str]) -> Self;
    /// Worked out for each item of the list in that field.
    fn each(self, list: &str) -> Self;
    /// Its text is taken as it stands; `{{` has no meaning in it.
    fn literal(self) -> Self;
}

impl Change for Field {
    fn help(mut self, help: &str) -> Self {
        self.help = help.into();
        self
    }
    fn placeholder(mut self, placeholder: &str) -> Self {
        self.placeholder = placeholder.into();
        self
    }
    fn default(mut self, value: Json) -> Self {
        self.default = Some(value);
        self
    }
    fn required(mut self) -> Self {
        self.required = true;
        self
    }
    fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }
    fn show_if(mut self, field: &str, values: &[&str]) -> Self {
        self.show_if = Some(ShowIf { field: field.into(), is: values.iter().map(|value| json!(value)).collect() });
        self
    }
    fn each(mut self, list: &str) -> Self {
        self.each = Some(list.into());
        self
    }
    fn literal(mut self) -> Self {
        self.expressions = false;
        self
    }
}
