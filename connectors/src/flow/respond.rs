//! `respond`: what a caller who waits for the run's end is told.

use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "respond".into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: "Respond".into(),
        sentence: "Answer the request that started the run".into(),
        keywords: ["reply", "answer", "return", "webhook", "status", "result", "response", "output"].map(Into::into).to_vec(),
        icon: "reply".into(),
        category: Category::Flow,
        inputs: vec![
            choice("kind", "Answer with", &[("json", "Data (JSON)"), ("text", "Text"), ("html", "A web page (HTML)"), ("empty", "Nothing")]),
            field("json", "Data", FieldKind::Json).required().show_if("kind", &["json"]),
            field("text", "Text", FieldKind::Multiline).required().show_if("kind", &["text"]),
            field("html", "Web page", FieldKind::Html)
                .help("Shown without scripts and apart from Towpath's own pages.")
                .required()
                .show_if("kind", &["html"]),
            field("status", "Status", FieldKind::Number)
                .help("200 means that all is well.")
                .default(json!(200))
                .advanced(),
            field("headers", "Headers", FieldKind::Pairs).advanced(),
        ],
        effect: None,
        sample: json!({ "status": 200 }),
        help: "Needs a webhook that answers when the workflow has run. The caller hears this at once; the steps after it still run. If a \
               run responds twice, the first answer counts."
            .into(),
    }
}
