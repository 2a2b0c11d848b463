//! What the operation `http.request` says about itself.

use crate::sdk::form::{Change, choice, field, switch};
use serde_json::json;
use towpath_engine::catalogue::{Category, ConnectionNeed, EffectRule, FieldKind, Operation, Role};

const METHODS: [(&str, &str); 7] = [
    ("GET", "GET: read"),
    ("POST", "POST: send or create"),
    ("PUT", "PUT: replace"),
    ("PATCH", "PATCH: change"),
    ("DELETE", "DELETE: remove"),
    ("HEAD", "HEAD: read the headers only"),
    ("OPTIONS", "OPTIONS: ask what is allowed"),
];

pub fn operation() -> Operation {
    Operation {
        name: "http.request".into(),
        role: Role::Action,
        connector: "http".into(),
        connection: Some(ConnectionNeed { connector: "http".into(), required: false }),
        title: "HTTP request".into(),
        sentence: "Call a web address".into(),
        keywords: ["api", "rest", "url", "get", "post", "put", "delete", "json", "fetch", "webhook", "download", "upload", "curl"]
            .map(Into::into)
            .to_vec(),
        icon: "globe".into(),
        category: Category::Connect,
        inputs: vec![
            choice("method", "Method", &METHODS).required(),
            field("url", "Address", FieldKind::Text).placeholder("https://api.example.com/orders").required(),
            field("query", "Added to the address", FieldKind::Pairs)
                .help("Names and values after the question mark, such as page = 2. They are encoded for you."),
            choice(
                "body_kind",
                "What to send",
                &[
                    ("none", "Nothing"),
                    ("json", "Data (JSON)"),
                    ("form", "Form fields"),
                    ("multipart", "Form fields and files (multipart)"),
                    ("raw", "Text or a file, as it is"),
                ],
            )
            .show_if("method", &["POST", "PUT", "PATCH", "DELETE"]),
            field("json", "Data", FieldKind::Json).required().show_if("body_kind", &["json"]),
            field("form", "Form fields", FieldKind::Pairs).required().show_if("body_kind", &["form"]),
            field("parts", "Fields and files", FieldKind::Pairs)
                .help("A value may be a text or a file from an earlier step.")
                .required()
                .show_if("body_kind", &["multipart"]),
            field("raw", "Content", FieldKind::Multiline)
                .help("Sent without change. A file from an earlier step works too.")
                .required()
                .show_if("body_kind", &["raw"]),
            field("content_type", "Type of the content", FieldKind::Text)
                .help("Without one: text/plain for a text, and the file's own type for a file.")
                .placeholder("text/csv")
                .show_if("body_kind", &["raw"]),
            field("headers", "Headers", FieldKind::Pairs)
                .help("What the service wants to know besides, such as Accept = text/csv."),
            switch("keyed", "The service ignores repeats", false)
                .help(
                    "Each POST and PATCH carries an Idempotency-Key, the same for every try. Switch this on if the service's \
                     documentation says that it does the work once per key: then a try with an unknown outcome is simply repeated \
                     instead of waiting for your decision.",
                )
                .show_if("method", &["POST", "PATCH"])
                .advanced(),
            switch("fail_on_error", "Fail when the service answers with an error", true)
                .help("Switch this off to decide yourself, by the answer's status, in a later step.")
                .advanced(),
            switch("follow_redirects", "Follow redirects", true)
                .help("At most five. Sign-in headers are not passed on to another site.")
                .advanced(),
        ],
        effect: Some(EffectRule::ByMethod { method: "method".into(), keyed: "keyed".into() }),
        sample: json!({
            "status": 200,
            "headers": { "content-type": "application/json" },
            "body": { "id": 42, "name": "Ada Lovelace", "created": "2026-03-02T09:41:00Z" }
        }),
        help: "Talks to any service that has a web address. The answer's status, headers and body can be used in later steps; JSON is \
               taken apart, text stays text, and anything else becomes a file. Addresses inside your own network are refused until an \
               operator allows them."
            .into(),
    }
}
