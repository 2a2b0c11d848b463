//! What a connector can do, how lists are fetched whole, and what an operation hands on.

use super::request::{Request, with_request};
use crate::manifest::input::Input;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use towpath_engine::{Json, Object, catalogue::Effect};

with_request! {
    /// Something that a workflow's step does at the service.
    pub struct Action {
        /// A few words. Only internal operations go without.
        #[serde(default)]
        pub title: String,
        /// What it does, as the picker says it; without a full stop.
        #[serde(default)]
        pub sentence: String,
        /// A paragraph of help in plain words.
        #[serde(default)]
        pub help: String,
        /// Words that people search by, in small letters.
        #[serde(default)]
        pub keywords: Vec<String>,
        /// Only for `pick`: no step of a workflow.
        #[serde(default)]
        pub internal: bool,
        /// Carried out by Rust in the connector's folder.
        #[serde(default)]
        pub native: bool,
        /// What a repeat does outside: read, idempotent, keyed or unsafe.
        #[schemars(with = "String")]
        pub effect: Effect,
        /// What the connection must be allowed to do.
        #[serde(default)]
        pub scopes: Vec<String>,
        #[serde(default)]
        #[schemars(with = "std::collections::BTreeMap<String, Input>")]
        pub input: IndexMap<String, Input>,
        /// A read that goes first; what it answered is `found`, and absent when the service knows no such thing (404).
        #[serde(default)]
        pub lookup: Option<Box<Lookup>>,
        #[serde(default)]
        pub pages: Option<Pages>,
        /// The list in an answer.
        #[serde(default)]
        pub items: Option<String>,
        #[serde(default)]
        pub output: Option<OutputSpec>,
        /// An input that works, for the help page and the tests.
        #[serde(default)]
        pub example: Object,
        /// An output, for the mapper before a first test.
        #[serde(default)]
        pub sample: Json,
    }
}

with_request! {
    /// A read before the request itself.
    pub struct Lookup {}
}

/// How the rest of a list is fetched. One of `next`, `link`, `url`, `number` and `offset`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Over `response`: what stands for the next page; `page.next` in the next request. Nothing or an empty text ends the list.
    #[serde(default)]
    pub next: Option<String>,
    /// The address of the next page stands in the header `Link`, as the relation of this name.
    #[serde(default)]
    pub link: Option<String>,
    /// Over `response`: the address of the next page.
    #[serde(default)]
    pub url: Option<String>,
    /// The first page's number; `page.number` in each request. A page with fewer than `size` items ends the list.
    #[serde(default)]
    pub number: Option<u64>,
    /// The first item's number; `page.offset` in each request. A page with fewer than `size` items ends the list.
    #[serde(default)]
    pub offset: Option<u64>,
    /// How many items a full page has, for `number` and `offset`.
    #[serde(default)]
    pub size: Option<u64>,
    /// The most pages that are fetched at a time.
    pub max: u32,
}

/// What an operation hands on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// The name of its shape under `types`.
    #[serde(rename = "type", default)]
    pub shape: Option<String>,
    /// Over `response` (actions) or `item` (triggers); without it the whole body, or the whole item.
    #[serde(default)]
    pub from: Option<Json>,
    /// More fields.
    #[serde(default)]
    pub add: Object,
}
