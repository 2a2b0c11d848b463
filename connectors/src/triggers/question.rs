//! The questions of a hosted form and the typed inputs of a manual run: their shape in a document. Asking and checking them is
//! the server's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One question, as the triggers' `fields` and `inputs` list it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The key of its answer under `trigger.body`.
    pub name: String,
    pub label: String,
    #[serde(default)]
    pub kind: QuestionKind,
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// What a choice offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// What kind of answer a question wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    #[default]
    Text,
    LongText,
    Number,
    Choice,
    Date,
    Email,
    /// Forms only.
    File,
    /// A box that must be ticked; forms only.
    Consent,
    /// Yes or no; manual runs only.
    Boolean,
}

impl QuestionKind {
    /// The kinds a hosted form may ask for, in the order in which a person should meet them.
    pub const IN_A_FORM: [Self; 8] =
        [Self::Text, Self::LongText, Self::Email, Self::Number, Self::Date, Self::Choice, Self::File, Self::Consent];
    /// The kinds a manual run may ask for.
    pub const IN_A_MANUAL_RUN: [Self; 7] =
        [Self::Text, Self::LongText, Self::Email, Self::Number, Self::Date, Self::Choice, Self::Boolean];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_without_a_kind_asks_for_text() {
        let question: Question = serde_json::from_str(r#"{"name":"city","label":"City"}"#).unwrap();
        assert_eq!(question.kind, QuestionKind::Text);
        assert!(!question.required);
    }
}
