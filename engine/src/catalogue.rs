//! What operations there are and which fields their forms have. Forms, validation, help and the mapper's samples all come from
//! these values; the crate that holds the operations fills them in.

use crate::{
    Json,
    expr::{ExprError, Template},
};
use serde::{Deserialize, Serialize};

/// Looks up operations by the name that a document uses.
pub trait Catalogue: Send + Sync {
    fn operation(&self, name: &str) -> Option<&Operation>;
    /// All of them, in the order in which a person should meet them.
    fn operations(&self) -> Box<dyn Iterator<Item = &Operation> + '_>;
}

/// A trigger or an action: identity, words, form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "CatalogueOperation")]
pub struct Operation {
    /// As the document says it: `webhook`, `http.request`, `branch`.
    pub name: String,
    pub role: Role,
    /// The connector that it belongs to: `slack`; `towpath` for what is part of the engine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub connector: String,
    /// Which connection a step may or must name; `None`: it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionNeed>,
    /// A few words: "HTTP request".
    pub title: String,
    /// What it does, as the picker says it: "When a request arrives at a URL", "Send an e-mail".
    pub sentence: String,
    /// Words people search by that are in neither title nor sentence.
    pub keywords: Vec<String>,
    /// The name of an icon in the web assets.
    pub icon: String,
    pub category: Category,
    pub inputs: Vec<Field>,
    /// What a repeat does outside. `None`: the operation has no effect outside at all (it is pure).
    pub effect: Option<EffectRule>,
    /// An example of its output, for mapping before there is a real one.
    pub sample: Json,
    /// A paragraph of help in plain words.
    pub help: String,
}

/// The connection that an operation works through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConnectionNeed {
    /// The connector whose connections fit.
    pub connector: String,
    /// Without one the step can't run; else it may go without.
    pub required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "OperationRole")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Trigger,
    Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Starts a run.
    Start,
    /// Decides where a run goes.
    Flow,
    /// Works on data.
    Data,
    /// Talks to people or services.
    Connect,
}

/// What a repeat of an action does to the outside world. Decides what a retry may do after an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Leaves the same state however often it is done.
    Idempotent,
    /// The other side ignores a repeat with the same idempotency key.
    Keyed,
    /// A repeat does it twice.
    Unsafe,
}

/// How an operation's effect follows from its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectRule {
    Always(Effect),
    /// As HTTP has it: GET, HEAD and OPTIONS read, PUT and DELETE are idempotent, POST and PATCH unsafe unless the boolean input
    /// `keyed` says that the service ignores a repeat with the same Idempotency-Key.
    ByMethod {
        method: String,
        keyed: String,
    },
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "FormField")]
pub struct Field {
    /// The key in the step's `input`.
    pub name: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    pub kind: FieldKind,
    #[serde(default)]
    pub required: bool,
    /// Shown under "Advanced".
    #[serde(default)]
    pub advanced: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Json>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub placeholder: String,
    /// Shown only while another field has one of these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<ShowIf>,
    /// May its value hold expressions? Triggers' fields and a few others may not.
    #[serde(default = "yes")]
    pub expressions: bool,
    /// What a person may pick from, asked of the service through the step's connection. Any other value may be typed as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick: Option<Pick>,
    /// Its expressions are worked out for each item of a list and may name `item` and `index`; the field that holds the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
}

/// Options that the service lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "FieldPick")]
pub struct Pick {
    /// Fields that must have a value before the service can be asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The service itself searches; else all options are listed and searched in the browser.
    #[serde(default)]
    pub searches: bool,
    /// A regular expression whose first group is the value inside an address that somebody pasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_url: Option<String>,
}

fn yes() -> bool {
    true
}

impl Operation {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.inputs.iter().find(|field| field.name == name)
    }

    /// The template of an input of this form: only fields that may hold expressions are looked through for them.
    ///
    /// # Errors
    /// An expression that can't be read, with its place.
    pub fn compile_input(&self, input: &crate::Object) -> Result<Template, ExprError> {
        Template::compile_input(input, |name| self.field(name).is_some_and(|field| !field.expressions))
    }

    /// Does the form show this field for `input`? What it doesn't show is neither asked for nor sent. An absent value counts as the
    /// field's default, and a field that hangs on a hidden one is hidden as well.
    pub fn shows(&self, field: &Field, input: &crate::Object) -> bool {
        let mut field = field;
        // As many looks as there are fields: forms that hang on themselves in a circle end, too.
        for _ in 0..=self.inputs.len() {
            let Some(condition) = &field.show_if else { return true };
            let Some(other) = self.field(&condition.field) else { return false };
            let value = input.get(&other.name).or(other.default.as_ref()).unwrap_or(&Json::Null);
            // An expression may turn out to be anything.
            let open = other.expressions && value.as_str().is_some_and(|text| text.contains("{{"));
            if !open && !condition.is.contains(value) {
                return false;
            }
            field = other;
        }
        false
    }
}

/// Shown only while the other field is shown itself and has one of these values; see [`Operation::shows`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ShowIf {
    pub field: String,
    pub is: Vec<Json>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    /// A text that is never shown again once it is kept. Only in the forms of connections, never in a step's.
    Secret,
    Multiline,
    /// HTML source text for a mail.
    Html,
    /// Source text of a program, taken as it stands.
    Code,
    Number,
    Boolean,
    Choice {
        options: Vec<Choice>,
    },
    /// Several of the options; a list of their values.
    Choices {
        options: Vec<Choice>,
    },
    /// A length of time such as `30s`, see [`crate::workflow::Span`].
    Span,
    /// A moment, as a date and time.
    DateTime,
    /// A time of day, `09:00`.
    Time,
    /// A time zone by its IANA name, `Europe/Berlin`.
    Zone,
    /// Names and values in order: an object.
    Pairs,
    /// What must hold, see [`crate::condition::Conditions`].
    Conditions,
    /// Which rows of a data table are meant: as [`FieldKind::Conditions`], with columns in the place of values.
    RowConditions {
        /// The field that names the table.
        table: String,
    },
    /// Values for the columns of a data table, by their names: an object.
    Row {
        /// The field that names the table.
        table: String,
    },
    /// Free JSON built as a tree of values; text inside may hold expressions.
    Json,
    /// E-mail addresses: a text with commas, or a list.
    Emails,
    /// Lines of text: a list.
    Lines,
    /// File values, see workflow documents: an expression that yields a file or a list of files.
    Files,
    /// The questions of a hosted form, see `FormField` in the form trigger.
    FormFields,
    /// The typed inputs of a manual run, the same shape as form fields.
    Inputs,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Choice {
    pub value: Json,
    pub title: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(name: &str, default: Json, show_if: Option<(&str, Json)>) -> Field {
        Field {
            name: name.into(),
            title: name.into(),
            help: String::new(),
            kind: FieldKind::Text,
            required: false,
            advanced: false,
            default: Some(default),
            placeholder: String::new(),
            show_if: show_if.map(|(field, is)| ShowIf { field: field.into(), is: vec![is] }),
            expressions: false,
            pick: None,
            each: None,
        }
    }

    fn form(inputs: Vec<Field>) -> Operation {
        Operation {
            name: "x".into(),
            role: Role::Action,
            connector: String::new(),
            connection: None,
            title: String::new(),
            sentence: String::new(),
            keywords: vec![],
            icon: String::new(),
            category: Category::Data,
            inputs,
            effect: None,
            sample: Json::Null,
            help: String::new(),
        }
    }

    #[test]
    fn a_field_that_hangs_on_a_hidden_one_is_hidden() {
        let form = form(vec![
            field("auth", json!("none"), None),
            field("preset", json!("custom"), Some(("auth", json!("hmac")))),
            field("header", json!(""), Some(("preset", json!("custom")))),
        ]);
        let shown = |input: Json| {
            let input = input.as_object().unwrap().clone();
            form.inputs.iter().map(|field| form.shows(field, &input)).collect::<Vec<_>>()
        };
        assert_eq!(shown(json!({})), [true, false, false]);
        assert_eq!(shown(json!({ "auth": "hmac" })), [true, true, true]);
        assert_eq!(shown(json!({ "auth": "hmac", "preset": "github" })), [true, true, false]);
    }

    #[test]
    fn a_form_that_hangs_on_itself_in_a_circle_shows_nothing_and_ends() {
        let form = form(vec![field("a", json!(1), Some(("b", json!(1)))), field("b", json!(1), Some(("a", json!(1))))]);
        assert!(!form.shows(&form.inputs[0], &crate::Object::new()));
    }
}
