//! What a variable may be: its name, its kind, its value. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_engine::{Json, json};

/// The most variables of a workspace.
pub const MOST: usize = 200;
/// The largest value, in bytes of JSON.
pub const LARGEST: usize = 16 << 10;
/// All values of a workspace together, in bytes of JSON: every change keeps a copy of all of them.
pub const ALL: usize = 128 << 10;
/// The longest note.
const NOTE: usize = 300;
/// What a name looks like, as a pattern.
pub const NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// A named value of a workspace. It is no secret: whoever sees the workspace's workflows may read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// As expressions write it after `vars.`.
    #[schemars(length(min = 1, max = 64), regex(pattern = NAME))]
    pub name: String,
    pub kind: Kind,
    pub value: Json,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 300))]
    pub note: String,
}

/// What kind of value it is, which decides how it is typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VariableKind")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Boolean,
    /// Any JSON: a list, an object.
    Json,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Text, Self::Number, Self::Boolean, Self::Json];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Json => "json",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Boolean => "Yes or no",
            Self::Json => "JSON",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Reads what a person typed into a form.
    pub fn typed(self, text: &str) -> Result<Json, Problem> {
        let wrong = |message: &str| Problem { field: "value", message: message.to_owned() };
        match self {
            Self::Text => Ok(text.replace("\r\n", "\n").into()),
            Self::Number => serde_json::from_str::<serde_json::Number>(text.trim())
                .map(Json::Number)
                .map_err(|_| wrong("Write a number such as 12 or 0.5.")),
            Self::Boolean => match text {
                "true" => Ok(true.into()),
                "false" | "" => Ok(false.into()),
                _ => Err(wrong("Choose yes or no.")),
            },
            Self::Json => serde_json::from_str(text).map_err(|error| wrong(&format!("This is no JSON: {error}."))),
        }
    }

    /// How a value is typed in again.
    pub fn written(self, value: &Json) -> String {
        match (self, value) {
            (Self::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
            (_, Json::String(text)) => text.clone(),
            (_, value) => value.to_string(),
        }
    }
}

/// What is wrong with a variable, as a sentence about one of its fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    pub field: &'static str,
    pub message: String,
}

fn wrong(field: &'static str, message: impl Into<String>) -> Problem {
    Problem { field, message: message.into() }
}

/// Is this a variable that can be kept?
pub fn one(variable: &Variable) -> Result<(), Problem> {
    name(&variable.name)?;
    let fits = match variable.kind {
        Kind::Text => variable.value.is_string(),
        Kind::Number => variable.value.is_number(),
        Kind::Boolean => variable.value.is_boolean(),
        Kind::Json => true,
    };
    if !fits {
        let what = match variable.kind {
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Boolean => "true or false",
            Kind::Json => "JSON",
        };
        return Err(wrong("value", format!("The value of this kind of variable is {what}.")));
    }
    json::check_depth(&variable.value, json::STORED_DEPTH).map_err(|message| wrong("value", message))?;
    let size = json::size(&variable.value);
    if size > LARGEST {
        return Err(wrong(
            "value",
            format!("The value has {} KB; a variable has {} KB at most. A data table holds more.", size >> 10, LARGEST >> 10),
        ));
    }
    if variable.note.chars().count() > NOTE || variable.note.chars().any(char::is_control) {
        return Err(wrong("note", format!("A note is one line of at most {NOTE} characters.")));
    }
    Ok(())
}

fn name(name: &str) -> Result<(), Problem> {
    if name.is_empty() {
        return Err(wrong("name", "Give the variable a name, such as support_address."));
    }
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(wrong(
            "name",
            "A name has letters from a to z, digits and underscores, and begins with a letter: support_address.",
        ));
    }
    if name.len() > 64 {
        return Err(wrong("name", "A name has at most 64 characters."));
    }
    Ok(())
}

/// Can these be kept together?
pub fn whole(list: &[Variable]) -> Result<(), Problem> {
    list.iter().try_for_each(one)?;
    if list.len() > MOST {
        return Err(wrong("name", format!("A workspace has at most {MOST} variables. A data table holds more.")));
    }
    let size: usize = list.iter().map(|variable| json::size(&variable.value)).sum();
    if size > ALL {
        return Err(wrong(
            "value",
            format!("All variables together have {} KB at most, and would have {} KB.", ALL >> 10, size >> 10),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variable(name: &str, kind: Kind, value: Json) -> Variable {
        Variable { name: name.into(), kind, value, note: String::new() }
    }

    #[test]
    fn a_name_is_what_an_expression_can_write_after_a_point() {
        for name in ["support_address", "_x", "Rate2"] {
            assert_eq!(one(&variable(name, Kind::Text, json!("x"))), Ok(()), "{name}");
        }
        let long = "x".repeat(65);
        for name in ["", "2x", "a-b", "a b", "ä", "a.b", &long] {
            assert_eq!(one(&variable(name, Kind::Text, json!("x"))).unwrap_err().field, "name", "{name}");
        }
    }

    #[test]
    fn a_value_is_of_its_kind() {
        let all = [json!("x"), json!(1.5), json!(true), json!([1])];
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            for (of, value) in all.iter().enumerate() {
                assert_eq!(one(&variable("x", kind, value.clone())).is_ok(), at == of || kind == Kind::Json, "{kind:?} {value}");
            }
        }
    }

    #[test]
    fn what_is_typed_is_read_as_its_kind_and_written_back() {
        let table = [
            (Kind::Text, "12", json!("12")),
            (Kind::Number, " 12 ", json!(12)),
            (Kind::Number, "0.5", json!(0.5)),
            (Kind::Boolean, "true", json!(true)),
            (Kind::Json, "[1, {\"a\": null}]", json!([1, { "a": null }])),
        ];
        for (kind, typed, value) in table {
            assert_eq!(kind.typed(typed).unwrap(), value);
            assert_eq!(kind.typed(&kind.written(&value)).unwrap(), value);
        }
        for (kind, typed) in [(Kind::Number, "1,5"), (Kind::Number, ""), (Kind::Json, "{"), (Kind::Boolean, "maybe")] {
            assert_eq!(kind.typed(typed).unwrap_err().field, "value", "{typed}");
        }
    }

    #[test]
    fn there_is_an_end_to_what_a_workspace_keeps() {
        let large = variable("x", Kind::Text, "x".repeat(LARGEST).into());
        assert!(one(&large).unwrap_err().message.contains("16 KB at most"));
        let many: Vec<_> = (0..=MOST).map(|n| variable(&format!("v{n}"), Kind::Number, json!(n))).collect();
        assert!(whole(&many).is_err() && whole(&many[1..]).is_ok());
        let heavy: Vec<_> = (0..9).map(|n| variable(&format!("v{n}"), Kind::Text, "x".repeat(15 << 10).into())).collect();
        assert!(whole(&heavy).unwrap_err().message.contains("128 KB at most"));
    }
}
