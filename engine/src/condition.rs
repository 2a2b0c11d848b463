//! Conditions: `{ value, is, to }` joined by all and any. Nobody is asked to write a comparison.
//!
//! How the operators read their values is decided in one place, [`judge`]; what is missing counts as empty, and what can't be read
//! as the operator needs it is an error that says so.

mod compiled;
mod judge;
mod read;
#[cfg(test)]
mod tests;

pub use compiled::{Compiled, Explanation, MAX_DEPTH};

use crate::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A condition or a group of them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Conditions {
    /// Holds when every part holds; an empty group holds.
    #[schemars(extend("additionalProperties" = false))]
    All {
        all: Vec<Conditions>,
    },
    /// Holds when some part holds; an empty group does not.
    #[schemars(extend("additionalProperties" = false))]
    Any {
        any: Vec<Conditions>,
    },
    /// An expression that must yield true or false.
    #[schemars(extend("additionalProperties" = false))]
    Expression {
        expression: String,
    },
    Test(Test),
}

/// One comparison, typed by its operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What is looked at; text may hold expressions.
    pub value: Json,
    pub is: Operator,
    /// What it is compared with: absent for operators that need nothing, `[low, high]` for between, a list for one of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Json>,
}

/// What can be asked of a value. Text is coerced to the operator's type; what can't be coerced is an error that says so.
///
/// A value that is missing or null counts as empty: it equals nothing but empty text, contains nothing and is not true; operators
/// that need a number or a date refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal. Two texts are compared exactly, capitals included. A number and a text that is written as a number are compared as
    /// numbers, true or false and a text that says so as booleans; lists and objects by their content.
    Equals,
    NotEquals,
    /// Numbers, or text written as a number; so for the next three.
    GreaterThan,
    AtLeast,
    LessThan,
    AtMost,
    /// From the first to the second of `to`, both included; numbers, or dates.
    Between,
    /// A text in a text, without regard to capitals; an item in a list, as `equals` has it; a field's name in an object.
    Contains,
    NotContains,
    /// Without regard to capitals.
    StartsWith,
    /// Without regard to capitals.
    EndsWith,
    /// A regular expression (linear time, no look-around), found anywhere in the text. Capitals count; `(?i)` makes them not.
    Matches,
    /// Equal to one of a list, or of the parts of a text between commas or line ends.
    OneOf,
    NotOneOf,
    /// Dates and times, or text that is read as one; so for the next.
    Before,
    After,
    /// True, the number 1, or one of the texts true, yes, on and 1.
    IsTrue,
    /// Missing, null, false, the number 0, or one of the texts false, no, off, 0 and the empty one.
    IsFalse,
    /// Missing, null, empty text, an empty list or an empty object.
    IsEmpty,
    IsNotEmpty,
    /// Is there, though it may be null or empty.
    Exists,
    DoesNotExist,
}

impl Operator {
    /// Does it need something to compare with?
    pub fn compares(self) -> bool {
        !matches!(self, Self::IsTrue | Self::IsFalse | Self::IsEmpty | Self::IsNotEmpty | Self::Exists | Self::DoesNotExist)
    }
}

impl Operator {
    /// Does the operator compare with something?
    pub fn needs_to(self) -> bool {
        !matches!(self, Self::IsTrue | Self::IsFalse | Self::IsEmpty | Self::IsNotEmpty | Self::Exists | Self::DoesNotExist)
    }

    /// The operator between its two values, as a sentence has it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Equals => "is",
            Self::NotEquals => "is not",
            Self::GreaterThan => "is greater than",
            Self::AtLeast => "is at least",
            Self::LessThan => "is less than",
            Self::AtMost => "is at most",
            Self::Between => "is between",
            Self::Contains => "contains",
            Self::NotContains => "does not contain",
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
            Self::Matches => "matches",
            Self::OneOf => "is one of",
            Self::NotOneOf => "is none of",
            Self::Before => "is before",
            Self::After => "is after",
            Self::IsTrue => "is true",
            Self::IsFalse => "is false",
            Self::IsEmpty => "is empty",
            Self::IsNotEmpty => "is not empty",
            Self::Exists => "exists",
            Self::DoesNotExist => "does not exist",
        }
    }
}
