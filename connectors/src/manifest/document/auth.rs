//! How one signs in at a service, what a connection to it holds, and how it is tried.

use crate::manifest::input::Input;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// One way to sign in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthSpec {
    pub id: String,
    pub title: String,
    /// Where a person finds what is asked for, in a few sentences.
    pub help: String,
    #[serde(rename = "type")]
    pub kind: AuthKind,
    /// What is asked for. Fields of the format `secret` are sealed and named `secret.<field>`; others are `connection.<field>`.
    #[schemars(with = "std::collections::BTreeMap<String, Input>")]
    pub fields: IndexMap<String, Input>,
    /// What is put on each request. `bearer` and `basic` know it by themselves.
    #[serde(default)]
    pub apply: Option<Apply>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// `Authorization: Bearer …` with the first secret field.
    Bearer,
    /// `Authorization: Basic …` with the fields `user` and `password`.
    Basic,
    /// A key in a header or in the address, as `apply` says.
    ApiKey,
    /// Whatever `apply` says.
    Custom,
}

/// What is put on each request. Values are texts with expressions over `secret` and `connection`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub header: IndexMap<String, String>,
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub query: IndexMap<String, String>,
    #[serde(default)]
    pub basic: Option<BasicSpec>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicSpec {
    pub user: String,
    pub password: String,
}

/// How to see whether a connection works.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSpec {
    pub test: TestSpec,
    #[serde(default)]
    pub account: Option<AccountSpec>,
}

/// A request without side effects: the path behind the base.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestSpec {
    pub get: Option<String>,
    pub post: Option<String>,
}

/// Whose connection it is, as expressions over `response`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    /// What deliveries name the account by.
    pub id: String,
    pub label: String,
}
