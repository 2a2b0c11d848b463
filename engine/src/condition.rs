//! Conditions: `{ value, is, to }` joined by all and any. Nobody is asked to write a comparison.

use crate::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A condition or a group of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Conditions {
    /// Holds when every part holds; an empty group holds.
    All {
        all: Vec<Conditions>,
    },
    /// Holds when some part holds; an empty group does not.
    Any {
        any: Vec<Conditions>,
    },
    /// An expression that must yield true or false.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal, compared as what both can be read as: numbers when both are, else text.
    Equals,
    NotEquals,
    GreaterThan,
    AtLeast,
    LessThan,
    AtMost,
    Between,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    /// A regular expression (linear time, no look-around).
    Matches,
    OneOf,
    NotOneOf,
    Before,
    After,
    IsTrue,
    IsFalse,
    /// Missing, null, empty text, an empty list or an empty object.
    IsEmpty,
    IsNotEmpty,
    Exists,
    DoesNotExist,
}
