//! What is sent to a service: its address and limits, what its refusals mean, and a request as the fields of what holds it.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_engine::{Json, Object, error::ErrorKind};

/// What all requests of a connector share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSpec {
    /// What every path begins with; may use `connection`.
    pub base: String,
    /// Headers of every request.
    #[serde(default)]
    pub headers: Object,
    /// Is an answer a success? Over `response`; without it, a status below 400 is.
    #[serde(default)]
    pub success: Option<String>,
    /// How often the service may be called.
    #[serde(default)]
    pub limits: Vec<LimitSpec>,
    /// What an answer that is no success means: the first that fits is taken, and else the table of HTTP statuses.
    #[serde(default)]
    pub errors: Vec<ErrorSpec>,
}

/// A bucket that fills at a rate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    pub per: LimitPer,
    /// Over `input`: calls with another value have a bucket of their own.
    #[serde(default)]
    pub key: Option<String>,
    /// `50/min`, `1/s`, `1000/h`; as many may go at once.
    pub rate: String,
    /// Only for these; all operations without it.
    #[serde(default)]
    pub operations: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitPer {
    Connection,
    /// All connections of this installation together.
    App,
}

/// What an answer means that is no success.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorSpec {
    /// Over `response`; a predicate that reads what isn't there is false. Without one, every failure.
    #[serde(rename = "if", default)]
    pub test: Option<String>,
    #[schemars(with = "String")]
    pub kind: ErrorKind,
    /// What happened, for the workflow's owner. Without it, the service's own words are quoted.
    #[serde(default)]
    pub say: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// How many seconds to wait, where the service says so otherwise than by Retry-After. Over `response` and `now`.
    #[serde(default)]
    pub wait: Option<String>,
}

/// Declares a struct that holds a request among its fields, and how to read the request out of it.
macro_rules! with_request {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// GET this path.
            #[serde(default)]
            pub get: Option<String>,
            /// POST to this path.
            #[serde(default)]
            pub post: Option<String>,
            /// PUT to this path.
            #[serde(default)]
            pub put: Option<String>,
            /// PATCH this path.
            #[serde(default)]
            pub patch: Option<String>,
            /// DELETE this path.
            #[serde(default)]
            pub delete: Option<String>,
            /// Names and values behind the path's question mark. Absent values drop their names; lists repeat them.
            #[serde(default)]
            pub query: Object,
            #[serde(default)]
            pub headers: Object,
            /// A JSON body.
            #[serde(default)]
            pub json: Option<Json>,
            /// A body of form fields.
            #[serde(default)]
            pub form: Option<Object>,
            $($(#[$field_meta])* pub $field: $type,)*
        }
        impl $name {
            /// The request among the fields; none when no method is named.
            pub fn request(&self) -> Option<Request> {
                let methods = [("GET", &self.get), ("POST", &self.post), ("PUT", &self.put), ("PATCH", &self.patch), ("DELETE", &self.delete)];
                let named: Vec<(&'static str, String)> =
                    methods.into_iter().filter_map(|(method, path)| Some((method, path.clone()?))).collect();
                let (method, path) = named.first()?.clone();
                Some(Request {
                    method,
                    path,
                    one: named.len() == 1,
                    query: self.query.clone(),
                    headers: self.headers.clone(),
                    json: self.json.clone(),
                    form: self.form.clone(),
                })
            }
        }
    };
}
pub(super) use with_request;

/// A request, gathered from the fields of what holds it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    /// Was just one method named?
    pub one: bool,
    pub query: Object,
    pub headers: Object,
    pub json: Option<Json>,
    pub form: Option<Object>,
}
